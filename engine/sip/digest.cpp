#include "engine/sip/digest.hpp"

#include <algorithm>
#include <array>
#include <charconv>
#include <cstring>
#include <utility>

#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <openssl/hmac.h>

#include "engine/sip/cursor.hpp"
#include "engine/sip/request_text.hpp"
#include "engine/sip/text.hpp"
#include "engine/sip/uri.hpp"

namespace jackfield::sip {
namespace {

constexpr size_t max_challenges = 16;
constexpr size_t max_realms = 8;

struct free_md {
  void operator()(EVP_MD* md) const noexcept { EVP_MD_free(md); }
};
struct free_context {
  void operator()(EVP_MD_CTX* c) const noexcept { EVP_MD_CTX_free(c); }
};

/// Looked up once: a look-up costs more than a digest.
[[nodiscard]] const EVP_MD* evp_of(digest_algorithm a) {
  static const std::array<std::unique_ptr<EVP_MD, free_md>, 3> all{
    std::unique_ptr<EVP_MD, free_md>(EVP_MD_fetch(nullptr, "MD5", nullptr)),
    std::unique_ptr<EVP_MD, free_md>(EVP_MD_fetch(nullptr, "SHA256", nullptr)),
    std::unique_ptr<EVP_MD, free_md>(EVP_MD_fetch(nullptr, "SHA512-256", nullptr))};
  return all[static_cast<size_t>(a)].get();
}

void append_hex(std::string& out, const unsigned char* bytes, size_t n) {
  constexpr std::string_view digits = "0123456789abcdef";
  for (size_t i = 0; i < n; ++i) {
    out += digits[bytes[i] >> 4];
    out += digits[bytes[i] & 15];
  }
}

void append_hex(std::string& out, uint64_t n, size_t digits) {
  for (auto shift = 4 * digits; shift > 0;) {
    shift -= 4;
    out += "0123456789abcdef"[n >> shift & 15];
  }
}

[[nodiscard]] std::optional<uint64_t> parse_hex(std::string_view text, size_t digits) noexcept {
  uint64_t n = 0;
  if (text.size() != digits)
    return std::nullopt;
  auto [end, failed] = std::from_chars(text.data(), text.data() + text.size(), n, 16);
  if (failed != std::errc{} || end != text.data() + text.size())
    return std::nullopt;
  return n;
}

/// Digest of several pieces with a colon between them.
[[nodiscard]] std::string hex_of(digest_algorithm a,
                                 std::initializer_list<std::string_view> pieces) {
  thread_local std::unique_ptr<EVP_MD_CTX, free_context> context(EVP_MD_CTX_new());
  std::string out;
  const auto* md = evp_of(a);
  if (md == nullptr || !context || EVP_DigestInit_ex2(context.get(), md, nullptr) != 1)
    return out;
  bool first = true;
  for (auto piece : pieces) {
    if (!first)
      EVP_DigestUpdate(context.get(), ":", 1);
    first = false;
    EVP_DigestUpdate(context.get(), piece.data(), piece.size());
  }
  std::array<unsigned char, EVP_MAX_MD_SIZE> bytes;
  unsigned size = 0;
  if (EVP_DigestFinal_ex(context.get(), bytes.data(), &size) != 1)
    return out;
  append_hex(out, bytes.data(), size);
  return out;
}

void append_quoted(std::string& out, std::string_view text) {
  out += '"';
  for (char c : text) {
    if (c == '"' || c == '\\')
      out += '\\';
    out += c;
  }
  out += '"';
}

[[nodiscard]] std::string unescape_quoted(std::string_view text) {
  std::string out;
  out.reserve(text.size());
  for (size_t i = 0; i < text.size(); ++i) {
    if (text[i] == '\\' && i + 1 < text.size())
      ++i;
    out += text[i];
  }
  return out;
}

/// Walks "Scheme a=b, c="d", Scheme e=f": calls `on_scheme(name, text_from_here)` and
/// `on_parameter(name, value, quoted)`; the latter's value has its escapes. False if malformed.
template <class S, class P>
bool walk_auth(std::string_view text, S&& on_scheme, P&& on_parameter) {
  cursor at(text);
  for (;;) {
    at.skip_space();
    while (at.skip(','))
      at.skip_space();
    if (at.done())
      return true;
    auto name = at.take(token_char);
    if (name.empty())
      return false;
    at.skip_space();
    if (!at.skip('=')) {
      on_scheme(name);
      continue;
    }
    at.skip_space();
    if (at.peek() == '"') {
      auto value = at.take_quoted();
      if (!value)
        return false;
      on_parameter(name, *value, true);
    } else {
      auto value = at.take(value_char);
      if (value.empty())
        return false;
      on_parameter(name, value, false);
    }
  }
}

/// "MD5-sess" and so on, without case.
[[nodiscard]] bool parse_algorithm(std::string_view text, digest_algorithm& a, bool& session) {
  session = text.size() > 5 && iequals(text.substr(text.size() - 5), "-sess");
  if (session)
    text.remove_suffix(5);
  for (auto known : {digest_algorithm::md5, digest_algorithm::sha256, digest_algorithm::sha512_256})
    if (iequals(text, to_string(known))) {
      a = known;
      return true;
    }
  return false;
}

template <class F>
void each_word(std::string_view list, F&& f) {
  cursor at(list);
  while (!at.done()) {
    auto word = at.take(token_char);
    if (!word.empty())
      f(word);
    else
      at.advance(1);
  }
}

/// Parameters of one challenge or credential; tells a repeated one.
class seen_names {
public:
  bool add(std::string_view name) {
    for (auto known : names_)
      if (iequals(known, name))
        return false;
    names_.push_back(name);
    return names_.size() <= 32;
  }
  void clear() { names_.clear(); }

private:
  std::vector<std::string_view> names_;
};

/// Reads the challenges of one field.
class challenge_reader {
public:
  challenge_reader(std::vector<digest_challenge>& out, bool proxy) : out_(out), proxy_(proxy) {}

  void read(std::string_view text) {
    auto good = walk_auth(
      text, [this](std::string_view scheme) { begin(scheme); },
      [this](std::string_view name, std::string_view value, bool quoted) {
        parameter(name, value, quoted);
      });
    if (good)
      finish();
  }

private:
  void begin(std::string_view scheme) {
    finish();
    now_ = {};
    now_.proxy = proxy_;
    seen_.clear();
    bytes_ = 0;
    usable_ = iequals(scheme, "Digest");
    has_qop_ = false;
  }

  void parameter(std::string_view name, std::string_view value, bool) {
    bytes_ += name.size() + value.size();
    if (!seen_.add(name) || bytes_ > max_credential_bytes)
      usable_ = false;
    if (!usable_)
      return;
    if (iequals(name, "realm")) {
      now_.realm = unescape_quoted(value);
      has_realm_ = true;
    } else if (iequals(name, "nonce")) {
      now_.nonce = unescape_quoted(value);
    } else if (iequals(name, "opaque")) {
      now_.opaque = unescape_quoted(value);
    } else if (iequals(name, "algorithm")) {
      usable_ = parse_algorithm(value, now_.algorithm, now_.session);
    } else if (iequals(name, "stale")) {
      now_.stale = iequals(value, "true");
    } else if (iequals(name, "userhash")) {
      now_.userhash = iequals(value, "true");
    } else if (iequals(name, "qop")) {
      has_qop_ = true;
      each_word(value, [this](std::string_view word) {
        now_.qop_auth |= iequals(word, "auth");
        now_.qop_auth_int |= iequals(word, "auth-int");
      });
    }
  }

  void finish() {
    auto known_qop = !has_qop_ || now_.qop_auth || now_.qop_auth_int;
    if (usable_ && has_realm_ && !now_.nonce.empty() && known_qop && out_.size() < max_challenges)
      out_.push_back(std::move(now_));
    usable_ = has_realm_ = false;
  }

  std::vector<digest_challenge>& out_;
  digest_challenge now_;
  seen_names seen_;
  size_t bytes_ = 0;
  bool proxy_;
  bool usable_ = false, has_realm_ = false, has_qop_ = false;
};

[[nodiscard]] std::string_view qop_name(digest_qop q) noexcept {
  return q == digest_qop::auth ? "auth" : q == digest_qop::auth_int ? "auth-int" : "";
}

[[nodiscard]] std::string response_of(digest_algorithm a, bool session, digest_qop qop,
                                      std::string_view ha1, std::string_view nonce,
                                      std::string_view nc, std::string_view cnonce,
                                      const digest_request& r, std::string_view uri_text) {
  std::string session_ha1;
  if (session) {
    session_ha1 = hex_of(a, {ha1, nonce, cnonce});
    ha1 = session_ha1;
  }
  auto ha2 = qop == digest_qop::auth_int ? hex_of(a, {r.method_name, uri_text, hex_of(a, {r.body})})
                                         : hex_of(a, {r.method_name, uri_text});
  if (qop == digest_qop::none)
    return hex_of(a, {ha1, nonce, ha2});
  return hex_of(a, {ha1, nonce, nc, cnonce, qop_name(qop), ha2});
}

} // namespace

std::string_view to_string(digest_algorithm a, bool session) noexcept {
  switch (a) {
  case digest_algorithm::md5:
    return session ? "MD5-sess" : "MD5";
  case digest_algorithm::sha256:
    return session ? "SHA-256-sess" : "SHA-256";
  case digest_algorithm::sha512_256:
    return session ? "SHA-512-256-sess" : "SHA-512-256";
  }
  return {};
}

std::string digest_hex(digest_algorithm a, std::string_view text) {
  return hex_of(a, {text});
}

std::string digest_ha1(digest_algorithm a, std::string_view username, std::string_view realm,
                       std::string_view password) {
  return hex_of(a, {username, realm, password});
}

std::string digest_response(const digest_credentials& c, std::string_view ha1,
                            const digest_request& request) {
  std::string nc;
  append_hex(nc, c.nc, 8);
  return response_of(c.algorithm, c.session, c.qop, ha1, c.nonce, nc, c.cnonce, request, c.uri);
}

// -- challenges ---------------------------------------------------------------------------

std::optional<digest_challenge> digest_challenge::parse(std::string_view value) {
  std::vector<digest_challenge> all;
  challenge_reader(all, false).read(value);
  if (all.size() != 1)
    return std::nullopt;
  return std::move(all.front());
}

std::vector<digest_challenge> digest_challenge::all_of(const message& response) {
  std::vector<digest_challenge> all;
  for (auto& field : response.fields())
    if (field.id == header::www_authenticate || field.id == header::proxy_authenticate)
      challenge_reader(all, field.id == header::proxy_authenticate).read(field.value);
  return all;
}

// -- credentials --------------------------------------------------------------------------

credential::credential(std::string username, std::string realm, std::string_view password,
                       std::vector<std::string> hosts)
    : username_(std::move(username)), realm_(std::move(realm)), hosts_(std::move(hosts)) {
  if (realm_ == "*") {
    password_ = password;
    return;
  }
  for (size_t i = 0; i < ha1_.size(); ++i)
    ha1_[i] = digest_ha1(static_cast<digest_algorithm>(i), username_, realm_, password);
}

credential::credential(std::string username, std::string realm, std::array<std::string, 3> ha1,
                       std::vector<std::string> hosts)
    : username_(std::move(username)), realm_(std::move(realm)), ha1_(std::move(ha1)),
      hosts_(std::move(hosts)) {}

bool credential::serves(std::string_view realm, std::string_view host) const noexcept {
  return (realm_ == realm || realm_ == "*") && !host.empty() &&
         std::any_of(hosts_.begin(), hosts_.end(),
                     [host](const std::string& known) { return iequals(known, host); });
}

bool credential::has(digest_algorithm a) const noexcept {
  return realm_ == "*" || !ha1_[static_cast<size_t>(a)].empty();
}

std::string credential::ha1(digest_algorithm a, std::string_view realm) const {
  return realm_ == "*" ? digest_ha1(a, username_, realm, password_) : ha1_[static_cast<size_t>(a)];
}

// -- the client's side ----------------------------------------------------------------------

void digest_session::free_state::operator()(state* s) const noexcept {
  std::default_delete<state>()(s);
}

digest_session::verdict digest_session::on_challenge(const message& response,
                                                     std::span<const credential> credentials,
                                                     std::string_view request_host,
                                                     std::string_view next_hop_host,
                                                     uint64_t random) {
  struct choice {
    digest_challenge challenge;
    const credential* who;
  };
  std::vector<choice> choices;
  for (auto& c : digest_challenge::all_of(response)) {
    auto who = std::find_if(credentials.begin(), credentials.end(), [&](const credential& known) {
      return known.has(c.algorithm) && (known.serves(c.realm, request_host) ||
                                        (c.proxy && known.serves(c.realm, next_hop_host)));
    });
    if (who == credentials.end() || evp_of(c.algorithm) == nullptr)
      continue;
    auto same = std::find_if(choices.begin(), choices.end(), [&](const choice& other) {
      return other.challenge.proxy == c.proxy && other.challenge.realm == c.realm;
    });
    if (same == choices.end())
      choices.push_back({std::move(c), &*who});
    else if (same->challenge.algorithm < c.algorithm)
      *same = {std::move(c), &*who};
  }
  if (choices.empty())
    return verdict::no_credential;
  if (!state_)
    state_.reset(new state);
  auto& realms = state_->realms;
  bool any = false;
  for (auto& chosen : choices) {
    auto& challenge = chosen.challenge;
    auto* who = chosen.who;
    auto at = std::find_if(realms.begin(), realms.end(), [&](const answered& known) {
      return known.challenge.proxy == challenge.proxy && known.challenge.realm == challenge.realm;
    });
    bool again = false;
    if (at == realms.end()) {
      if (realms.size() >= max_realms)
        continue;
      realms.reserve(realms.size() + 1); // most have one, and there are many sessions
      at = realms.emplace(realms.end());
    } else if (at->pending) {
      if (at->proven) {
        at->proven = false;
      } else if (challenge.stale && !at->stale_retried) {
        again = true;
      } else {
        continue;
      }
    }
    at->username = challenge.userhash
                     ? hex_of(challenge.algorithm, {who->username(), challenge.realm})
                     : who->username();
    at->ha1 = who->ha1(challenge.algorithm, challenge.realm);
    at->cnonce.clear();
    append_hex(at->cnonce, random, 16);
    at->who = who;
    at->nc = 0;
    at->pending = false;
    at->stale_retried = again;
    at->challenge = std::move(challenge);
    any = true;
  }
  return any ? verdict::retry : verdict::refused;
}

void digest_session::on_success(const message& response) {
  if (!state_)
    return;
  std::string next;
  if (response.has(header::authentication_info)) {
    auto text = response.first(header::authentication_info);
    auto good = walk_auth(
      text, [](std::string_view) {},
      [&](std::string_view name, std::string_view value, bool) {
        if (iequals(name, "nextnonce"))
          next = unescape_quoted(value);
      });
    if (!good || next.size() > max_credential_bytes)
      next.clear();
  }
  for (auto& r : state_->realms) {
    r.proven |= r.pending;
    r.pending = r.stale_retried = false;
    if (!next.empty() && !r.challenge.proxy) {
      r.challenge.nonce = std::move(next);
      r.nc = 0;
      next.clear();
    }
  }
}

void digest_session::append_authorization(std::string& out, const digest_request& request,
                                          std::string_view request_host,
                                          std::string_view next_hop_host) {
  if (!state_)
    return;
  for (auto& r : state_->realms) {
    auto& c = r.challenge;
    // The target may have changed since; the credential still belongs to its hosts alone.
    if (!r.who->serves(c.realm, request_host) &&
        !(c.proxy && r.who->serves(c.realm, next_hop_host)))
      continue;
    auto qop = c.qop_auth       ? digest_qop::auth
               : c.qop_auth_int ? digest_qop::auth_int
                                : digest_qop::none;
    std::string nc;
    append_hex(nc, ++r.nc, 8);
    auto response =
      response_of(c.algorithm, c.session, qop, r.ha1, c.nonce, nc, r.cnonce, request, request.uri);
    auto begin = out.size();
    out += c.proxy ? "Proxy-Authorization: " : "Authorization: ";
    auto value = out.size();
    out += "Digest username=";
    append_quoted(out, r.username);
    out += ", realm=";
    append_quoted(out, c.realm);
    out += ", nonce=";
    append_quoted(out, c.nonce);
    out += ", uri=";
    append_quoted(out, request.uri);
    append(out, ", response=\"", response, "\", algorithm=", to_string(c.algorithm, c.session));
    if (qop != digest_qop::none || c.session)
      append(out, ", cnonce=\"", r.cnonce, "\"");
    if (qop != digest_qop::none)
      append(out, ", qop=", qop_name(qop), ", nc=", nc);
    if (!c.opaque.empty()) {
      out += ", opaque=";
      append_quoted(out, c.opaque);
    }
    if (c.userhash)
      out += ", userhash=true";
    if (out.size() - value > max_credential_bytes) {
      out.resize(begin);
      continue;
    }
    out += "\r\n";
    r.pending = true;
  }
}

size_t digest_session::heap_bytes() const noexcept {
  if (!state_)
    return 0;
  auto of = [](const std::string& s) { return s.capacity() > 15 ? s.capacity() + 1 : 0; };
  auto n = sizeof(state) + state_->realms.capacity() * sizeof(answered);
  for (auto& r : state_->realms)
    n += of(r.challenge.realm) + of(r.challenge.nonce) + of(r.challenge.opaque) + of(r.username) +
         of(r.ha1) + of(r.cnonce);
  return n;
}

// -- the server's side ------------------------------------------------------------------------

std::optional<digest_credentials> digest_credentials::parse(std::string_view value) {
  if (value.size() > max_credential_bytes)
    return std::nullopt;
  digest_credentials c;
  seen_names seen;
  unsigned schemes = 0;
  bool good = true;
  bool realm = false, uri_given = false;
  good &= walk_auth(
    value,
    [&](std::string_view scheme) {
      ++schemes;
      good &= iequals(scheme, "Digest");
    },
    [&](std::string_view name, std::string_view v, bool) {
      good &= schemes == 1 && seen.add(name);
      if (iequals(name, "username")) {
        c.username = unescape_quoted(v);
      } else if (iequals(name, "realm")) {
        c.realm = unescape_quoted(v);
        realm = true;
      } else if (iequals(name, "nonce")) {
        c.nonce = unescape_quoted(v);
      } else if (iequals(name, "uri")) {
        c.uri = unescape_quoted(v);
        uri_given = true;
      } else if (iequals(name, "response")) {
        c.response = v;
      } else if (iequals(name, "cnonce")) {
        c.cnonce = unescape_quoted(v);
      } else if (iequals(name, "opaque")) {
        c.opaque = unescape_quoted(v);
      } else if (iequals(name, "userhash")) {
        c.userhash = iequals(v, "true");
      } else if (iequals(name, "algorithm")) {
        good &= parse_algorithm(v, c.algorithm, c.session);
      } else if (iequals(name, "nc")) {
        auto n = parse_hex(v, 8);
        good &= n.has_value();
        c.nc = static_cast<uint32_t>(n.value_or(0));
      } else if (iequals(name, "qop")) {
        if (iequals(v, "auth"))
          c.qop = digest_qop::auth;
        else if (iequals(v, "auth-int"))
          c.qop = digest_qop::auth_int;
        else
          good = false;
      }
    });
  if (!good || schemes != 1 || !realm || !uri_given || c.username.empty() || c.nonce.empty() ||
      c.response.empty() || (c.qop != digest_qop::none && (c.nc == 0 || c.cnonce.empty())))
    return std::nullopt;
  return c;
}

namespace {

constexpr size_t time_digits = 8, random_digits = 16, mac_digits = 24;

[[nodiscard]] uint32_t seconds_of(std::chrono::steady_clock::time_point t) noexcept {
  return static_cast<uint32_t>(
    std::chrono::duration_cast<std::chrono::seconds>(t.time_since_epoch()).count());
}

[[nodiscard]] bool equal_in_constant_time(std::string_view a, std::string_view b) noexcept {
  return a.size() == b.size() && CRYPTO_memcmp(a.data(), b.data(), a.size()) == 0;
}

void append_mac(std::string& out, std::string_view secret, std::string_view head,
                std::string_view realm) {
  std::string text;
  append(text, head, ":", realm);
  std::array<unsigned char, EVP_MAX_MD_SIZE> mac{};
  unsigned size = 0;
  HMAC(EVP_sha256(), secret.data(), static_cast<int>(secret.size()),
       reinterpret_cast<const unsigned char*>(text.data()), text.size(), mac.data(), &size);
  append_hex(out, mac.data(), mac_digits / 2);
}

} // namespace

digest_verifier::digest_verifier(settings s) : settings_(std::move(s)) {
  settings_.replay_entries = std::max<size_t>(1, settings_.replay_entries);
}

std::string digest_verifier::make_nonce(std::chrono::steady_clock::time_point now,
                                        uint64_t random) const {
  std::string nonce;
  nonce.reserve(time_digits + random_digits + mac_digits);
  append_hex(nonce, seconds_of(now), time_digits);
  append_hex(nonce, random, random_digits);
  append_mac(nonce, settings_.secret, std::string(nonce), settings_.realm);
  return nonce;
}

bool digest_verifier::check_nonce(std::string_view nonce, std::chrono::steady_clock::time_point now,
                                  uint64_t& key, uint32_t& issued) const {
  if (nonce.size() != time_digits + random_digits + mac_digits)
    return false;
  auto head = nonce.substr(0, time_digits + random_digits);
  std::string mac;
  append_mac(mac, settings_.secret, head, settings_.realm);
  if (!equal_in_constant_time(mac, nonce.substr(head.size())))
    return false;
  issued = static_cast<uint32_t>(parse_hex(head.substr(0, time_digits), time_digits).value_or(0));
  key = parse_hex(head.substr(time_digits), random_digits).value_or(0);
  auto age = seconds_of(now) - issued; // wraps to a great age if it is from the future
  return age <= std::chrono::duration_cast<std::chrono::seconds>(nonce_lifetime).count();
}

void digest_verifier::append_challenges(std::string& out, std::chrono::steady_clock::time_point now,
                                        uint64_t random, bool stale, bool proxy) const {
  auto nonce = make_nonce(now, random);
  for (auto [offered, a] : {std::pair{settings_.offer_sha512_256, digest_algorithm::sha512_256},
                            {settings_.offer_sha256, digest_algorithm::sha256},
                            {settings_.offer_md5, digest_algorithm::md5}}) {
    if (!offered)
      continue;
    out += proxy ? "Proxy-Authenticate: Digest realm=" : "WWW-Authenticate: Digest realm=";
    append_quoted(out, settings_.realm);
    append(out, ", nonce=\"", nonce, "\", algorithm=", to_string(a),
           settings_.offer_auth_int ? ", qop=\"auth,auth-int\"" : ", qop=\"auth\"",
           stale ? ", stale=true\r\n" : "\r\n");
  }
}

digest_verifier::verdict digest_verifier::verify(const message& request,
                                                 std::chrono::steady_clock::time_point now,
                                                 find_ha1 find, void* context,
                                                 std::string& username, bool proxy) {
  auto id = proxy ? header::proxy_authorization : header::authorization;
  std::optional<digest_credentials> given;
  for (auto& field : request.fields()) {
    if (field.id != id)
      continue;
    auto c = digest_credentials::parse(field.value);
    if (!c)
      return verdict::malformed;
    if (c->realm == settings_.realm && !given)
      given = std::move(c);
  }
  if (!given)
    return verdict::absent;
  auto& c = *given;
  username = c.username;
  auto offered = c.algorithm == digest_algorithm::md5      ? settings_.offer_md5
                 : c.algorithm == digest_algorithm::sha256 ? settings_.offer_sha256
                                                           : settings_.offer_sha512_256;
  auto allowed =
    offered && !c.userhash &&
    (c.qop == digest_qop::auth || (c.qop == digest_qop::auth_int && settings_.offer_auth_int));
  auto same_uri = c.uri == request.request_uri();
  if (!same_uri) {
    auto a = uri::parse(c.uri);
    auto b = uri::parse(request.request_uri());
    same_uri = a && b && equivalent(*a, *b);
  }
  // An unknown user costs as much as a known one with a wrong password (SEC-28).
  auto stored = find(context, c.username, c.algorithm);
  auto known = !stored.empty();
  std::string none;
  if (!known) {
    none.assign(c.algorithm == digest_algorithm::md5 ? 32 : 64, '0');
    stored = none;
  }
  auto expected = digest_response(c, stored, {request.method_name(), c.uri, request.body()});
  auto right = equal_in_constant_time(expected, c.response);
  uint64_t key = 0;
  uint32_t issued = 0;
  auto fresh = check_nonce(c.nonce, now, key, issued);
  if (!right || !known || !allowed || !same_uri)
    return verdict::wrong;
  return fresh && take_nc(key, issued, c.nc, now) ? verdict::accepted : verdict::stale;
}

bool digest_verifier::take_nc(uint64_t key, uint32_t issued, uint32_t nc,
                              std::chrono::steady_clock::time_point now) {
  auto forget = [this] {
    highest_nc_.erase(order_.front().first);
    order_.pop_front();
  };
  auto limit = std::chrono::duration_cast<std::chrono::seconds>(nonce_lifetime).count();
  while (!order_.empty() && seconds_of(now) - order_.front().second > limit)
    forget();
  auto at = highest_nc_.find(key);
  if (at != highest_nc_.end()) {
    if (nc <= at->second)
      return false;
    at->second = nc;
    return true;
  }
  // What was forgotten before its time must not count as new.
  if (has_floor_ && static_cast<int32_t>(issued - floor_) <= 0)
    return false;
  if (order_.size() >= settings_.replay_entries) {
    auto evicted = order_.front().second;
    if (!has_floor_ || static_cast<int32_t>(evicted - floor_) > 0)
      floor_ = evicted;
    has_floor_ = true;
    forget();
  }
  highest_nc_.emplace(key, nc);
  order_.emplace_back(key, issued);
  return true;
}

} // namespace jackfield::sip

#include "engine/sip/digest.hpp"

#include <algorithm>
#include <utility>

#include "engine/sip/cursor.hpp"
#include "engine/sip/digest_detail.hpp"
#include "engine/sip/text.hpp"

namespace jackfield::sip {

using namespace digest_detail;

namespace {

constexpr size_t max_challenges = 16;

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

} // namespace jackfield::sip

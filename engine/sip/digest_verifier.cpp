#include <algorithm>
#include <array>
#include <functional>
#include <string>
#include <utility>

#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <openssl/hmac.h>

#include "engine/sip/digest.hpp"
#include "engine/sip/digest_detail.hpp"
#include "engine/sip/request_text.hpp"
#include "engine/sip/text.hpp"
#include "engine/sip/ua.hpp"
#include "engine/sip/uri.hpp"

namespace jackfield::sip {

using namespace digest_detail;

namespace {

constexpr size_t time_digits = 8, random_digits = 16, mac_digits = 24;

[[nodiscard]] uint32_t seconds_of(std::chrono::steady_clock::time_point t) noexcept {
  return static_cast<uint32_t>(
    std::chrono::duration_cast<std::chrono::seconds>(t.time_since_epoch()).count());
}

[[nodiscard]] bool equal_in_constant_time(std::string_view a, std::string_view b) noexcept {
  return a.size() == b.size() && CRYPTO_memcmp(a.data(), b.data(), a.size()) == 0;
}

/// Of the request's transaction, with its credentials.
[[nodiscard]] uint64_t identity_of(const message& request, std::string_view response) {
  std::string text;
  append(text, request.method_name(), " ", request.via().branch, " ", request.call_id(), " ",
         std::to_string(request.cseq_number()), " ", response);
  return std::hash<std::string>{}(text);
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
  if (!fresh)
    return verdict::stale;
  return take(key, issued, {c.nc, seconds_of(now), identity_of(request, c.response)}, now);
}

digest_verifier::verdict digest_verifier::take(uint64_t key, uint32_t issued, const use& latest,
                                               std::chrono::steady_clock::time_point now) {
  auto forget = [this] {
    uses_.erase(order_.front().first);
    order_.pop_front();
  };
  auto limit = std::chrono::duration_cast<std::chrono::seconds>(nonce_lifetime).count();
  while (!order_.empty() && seconds_of(now) - order_.front().second > limit)
    forget();
  constexpr auto repeats =
    std::chrono::duration_cast<std::chrono::seconds>(timer_values{}.transaction_limit());
  if (auto at = uses_.find(key); at != uses_.end()) {
    auto& known = at->second;
    if (latest.nc == known.nc && latest.request == known.request &&
        latest.second - known.second <= repeats.count())
      return verdict::again;
    if (latest.nc <= known.nc)
      return verdict::stale;
    known = latest;
    return verdict::accepted;
  }
  // What was forgotten before its time must not count as new.
  if (has_floor_ && static_cast<int32_t>(issued - floor_) <= 0)
    return verdict::stale;
  if (order_.size() >= settings_.replay_entries) {
    auto evicted = order_.front().second;
    if (!has_floor_ || static_cast<int32_t>(evicted - floor_) > 0)
      floor_ = evicted;
    has_floor_ = true;
    forget();
  }
  uses_.emplace(key, latest);
  order_.emplace_back(key, issued);
  return verdict::accepted;
}

} // namespace jackfield::sip

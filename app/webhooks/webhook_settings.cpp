#include "app/webhooks/webhook_settings.hpp"

#include <algorithm>
#include <array>
#include <charconv>
#include <utility>

#include <fmt/format.h>
#include <openssl/evp.h>
#include <openssl/hmac.h>

#include "engine/lane/endpoint.hpp"
#include "engine/transport/ws_handshake.hpp"

namespace jackfield::webhooks {

namespace {

constexpr size_t longest_url = 2048;
constexpr size_t longest_host = 253; // RFC 1035
constexpr std::string_view secret_prefix = "whsec_";
constexpr size_t shortest_secret = 24; // bytes; Standard Webhooks, "signature scheme"
constexpr size_t longest_secret = 64;
constexpr uint16_t http_port = 80;
constexpr uint16_t https_port = 443;

bool is_name(std::string_view host) {
  return !host.empty() && host.size() <= longest_host && std::ranges::all_of(host, [](char c) {
    return (c >= '0' && c <= '9') || (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') || c == '-' ||
           c == '.' || c == '_';
  });
}

bool is_port(std::string_view text, uint16_t& into) {
  const auto [end, code] = std::from_chars(text.data(), text.data() + text.size(), into);
  return code == std::errc{} && end == text.data() + text.size() && into != 0;
}

} // namespace

result<webhook_url> webhook_url::parse(std::string_view text) {
  const auto wrong = [](const char* what) {
    return fail("url", fmt::format("{}, expected \"https://example.com/path\"", what));
  };
  webhook_url out;
  if (text.size() > longest_url)
    return wrong("is longer than 2048 bytes");
  if (!std::ranges::all_of(text, [](char c) { return c > ' ' && c < '\x7f'; }))
    return wrong("has a space, a control character or what is no ASCII");
  if (text.starts_with("http://"))
    out.secure = false;
  else if (!text.starts_with("https://"))
    return wrong("is neither https:// nor http://");
  text.remove_prefix(out.secure ? 8 : 7);
  if (text.find('#') != std::string_view::npos)
    return wrong("has a fragment");
  const auto path = std::min(text.find_first_of("/?"), text.size());
  auto authority = text.substr(0, path);
  out.target = text.substr(path);
  if (!out.target.starts_with('/'))
    out.target.insert(0, 1, '/');
  if (authority.find('@') != std::string_view::npos)
    return wrong("has a user, though receivers know us by the signature");
  out.port = out.secure ? https_port : http_port;
  // A colon behind the brackets of an IPv6 address, or the only one.
  const auto bracket = authority.starts_with('[') ? authority.find(']') : 0;
  if (bracket == std::string_view::npos)
    return wrong("has a '[' without its ']'");
  if (const auto colon = authority.find(':', bracket); colon != std::string_view::npos) {
    if (!is_port(authority.substr(colon + 1), out.port))
      return wrong("has a port that is none");
    authority = authority.substr(0, colon);
  }
  if (authority.starts_with('[')) {
    out.host = authority.substr(1, authority.size() - 2);
    if (!authority.ends_with(']') || out.host.find(':') == std::string::npos ||
        !lane::endpoint::parse(out.host, out.port))
      return wrong("has an IPv6 address that is none");
    return out;
  }
  if (!is_name(authority))
    return wrong("has no host");
  out.host = authority;
  return out;
}

std::string webhook_url::authority() const {
  const auto shown = host.find(':') == std::string::npos ? host : fmt::format("[{}]", host);
  return port == (secure ? https_port : http_port) ? shown : fmt::format("{}:{}", shown, port);
}

std::string webhook_url::shown() const {
  return fmt::format("{}://{}{}", secure ? "https" : "http", authority(),
                     target.substr(0, target.find('?')));
}

bool webhook_url::is_loopback() const {
  const auto address = lane::endpoint::parse(host, port);
  return address ? address->is_loopback() : host == "localhost";
}

result<std::string> read_webhook_secret(std::string_view text) {
  static constexpr auto expected =
    "is none, expected \"whsec_\" and the base64 of 24 to 64 random bytes";
  if (!text.starts_with(secret_prefix))
    return fail("secret", expected);
  text.remove_prefix(secret_prefix.size());
  std::string bytes(text.size(), '\0');
  const auto size = text.size() > 2 * longest_secret
                      ? -1
                      : EVP_DecodeBlock(reinterpret_cast<unsigned char*>(bytes.data()),
                                        reinterpret_cast<const unsigned char*>(text.data()),
                                        static_cast<int>(text.size()));
  if (size < 0)
    return fail("secret", expected);
  const auto padding = static_cast<size_t>(std::ranges::count(text, '='));
  bytes.resize(static_cast<size_t>(size) - std::min<size_t>(padding, static_cast<size_t>(size)));
  // The decoder is lenient.
  if (bytes.size() < shortest_secret || bytes.size() > longest_secret ||
      transport::base64(bytes) != text)
    return fail("secret", expected);
  return bytes;
}

std::string webhook_signature(std::string_view secret, std::string_view id, int64_t timestamp,
                              std::string_view body) {
  const auto what = fmt::format("{}.{}.{}", id, timestamp, body);
  std::array<unsigned char, EVP_MAX_MD_SIZE> code{};
  unsigned size = 0;
  HMAC(EVP_sha256(), secret.data(), static_cast<int>(secret.size()),
       reinterpret_cast<const unsigned char*>(what.data()), what.size(), code.data(), &size);
  return fmt::format("v1,{}",
                     transport::base64({reinterpret_cast<const char*>(code.data()), size}));
}

} // namespace jackfield::webhooks

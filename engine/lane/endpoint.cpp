#include "engine/lane/endpoint.hpp"

#include <algorithm>
#include <charconv>
#include <cstring>

#include <arpa/inet.h>

namespace jackfield::lane {

namespace {

constexpr std::array<uint8_t, 12> mapped_prefix{0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff};

/// What the user gave, made fit for one line of an error.
std::string quoted(std::string_view text) {
  constexpr size_t most = 80;
  std::string out = "\"";
  for (const char c : text.substr(0, most))
    out += (c >= ' ' && c <= '~') ? c : '?';
  out += text.size() > most ? "...\"" : "\"";
  return out;
}

bool parse_port(std::string_view text, uint16_t& port) {
  const auto [end, status] = std::from_chars(text.data(), text.data() + text.size(), port);
  return status == std::errc{} && end == text.data() + text.size() && !text.empty();
}

} // namespace

result<endpoint> endpoint::parse(std::string_view address, uint16_t port) {
  std::string_view bare = address;
  const bool bracketed = bare.size() >= 2 && bare.front() == '[' && bare.back() == ']';
  if (bracketed)
    bare = bare.substr(1, bare.size() - 2);
  std::array<char, INET6_ADDRSTRLEN> text{};
  endpoint out;
  if (bare.size() < text.size() && bare.find('\0') == std::string_view::npos) {
    std::copy(bare.begin(), bare.end(), text.begin());
    sockaddr_storage storage{};
    if (!bracketed) {
      auto& v4 = reinterpret_cast<sockaddr_in&>(storage);
      v4.sin_family = AF_INET;
      if (inet_pton(AF_INET, text.data(), &v4.sin_addr) == 1)
        out = from_sockaddr(reinterpret_cast<const sockaddr*>(&storage), sizeof(sockaddr_in));
    }
    if (!out.valid()) {
      auto& v6 = reinterpret_cast<sockaddr_in6&>(storage);
      v6 = {};
      v6.sin6_family = AF_INET6;
      if (inet_pton(AF_INET6, text.data(), &v6.sin6_addr) == 1)
        out = from_sockaddr(reinterpret_cast<const sockaddr*>(&storage), sizeof(sockaddr_in6));
    }
  }
  if (!out.valid())
    return fail(quoted(address), "not an IP address such as 192.0.2.1 or 2001:db8::1");
  out.port_ = port;
  return out;
}

result<endpoint> endpoint::parse_with_port(std::string_view text, int default_port) {
  std::string_view host = text;
  std::string_view port_text;
  bool has_port = false;
  // The port follows the bracket, or the only colon: "2001:db8::1" has none.
  const size_t bracket = text.rfind(']');
  const size_t colon = text.rfind(':');
  if (colon != std::string_view::npos &&
      (bracket != std::string_view::npos ? colon == bracket + 1 : text.find(':') == colon)) {
    host = text.substr(0, colon);
    port_text = text.substr(colon + 1);
    has_port = true;
  }
  uint16_t port = 0;
  if (has_port) {
    if (!parse_port(port_text, port))
      return fail(quoted(text), "the port is not a number from 0 to 65535");
  } else if (default_port >= 0 && default_port <= 65535) {
    port = static_cast<uint16_t>(default_port);
  } else {
    return fail(quoted(text), "no port, expected one as in 192.0.2.1:5060 or [2001:db8::1]:5060");
  }
  auto out = parse(host, port);
  if (!out)
    return fail(quoted(text), std::move(out.error().cause));
  return out;
}

endpoint endpoint::loopback_v4(uint16_t port) noexcept {
  endpoint out;
  out.bytes_ = {127, 0, 0, 1};
  out.port_ = port;
  out.family_ = 4;
  return out;
}

endpoint endpoint::loopback_v6(uint16_t port) noexcept {
  endpoint out;
  out.bytes_[15] = 1;
  out.port_ = port;
  out.family_ = 6;
  return out;
}

endpoint endpoint::from_sockaddr(const sockaddr* address, socklen_t length) noexcept {
  endpoint out;
  if (address == nullptr ||
      length < static_cast<socklen_t>(offsetof(sockaddr, sa_family) + sizeof(sa_family_t)))
    return out;
  if (address->sa_family == AF_INET && length >= static_cast<socklen_t>(sizeof(sockaddr_in))) {
    sockaddr_in v4;
    std::memcpy(&v4, address, sizeof v4);
    std::memcpy(out.bytes_.data(), &v4.sin_addr, 4);
    out.port_ = ntohs(v4.sin_port);
    out.family_ = 4;
  } else if (address->sa_family == AF_INET6 &&
             length >= static_cast<socklen_t>(sizeof(sockaddr_in6))) {
    sockaddr_in6 v6;
    std::memcpy(&v6, address, sizeof v6);
    std::memcpy(out.bytes_.data(), &v6.sin6_addr, 16);
    out.port_ = ntohs(v6.sin6_port);
    out.family_ = 6;
    if (std::equal(mapped_prefix.begin(), mapped_prefix.end(), out.bytes_.begin())) {
      std::copy(out.bytes_.begin() + 12, out.bytes_.end(), out.bytes_.begin());
      std::fill(out.bytes_.begin() + 4, out.bytes_.end(), uint8_t{0});
      out.family_ = 4;
    }
  }
  return out;
}

socklen_t endpoint::to_sockaddr(sockaddr_storage& out) const noexcept {
  out = {};
  if (is_v4()) {
    sockaddr_in v4{};
    v4.sin_family = AF_INET;
    v4.sin_port = htons(port_);
    std::memcpy(&v4.sin_addr, bytes_.data(), 4);
    std::memcpy(&out, &v4, sizeof v4);
    return sizeof v4;
  }
  if (is_v6()) {
    sockaddr_in6 v6{};
    v6.sin6_family = AF_INET6;
    v6.sin6_port = htons(port_);
    std::memcpy(&v6.sin6_addr, bytes_.data(), 16);
    std::memcpy(&out, &v6, sizeof v6);
    return sizeof v6;
  }
  return 0;
}

bool endpoint::is_loopback() const noexcept {
  return is_v4() ? bytes_[0] == 127 : is_v6() && *this == loopback_v6(port_);
}

bool endpoint::is_unspecified() const noexcept {
  return valid() && bytes_ == std::array<uint8_t, 16>{};
}

bool endpoint::is_forbidden_destination() const noexcept {
  if (!valid() || port_ == 0)
    return true;
  if (is_v6())
    return bytes_[0] == 0xff || is_unspecified();
  const bool broadcast =
    std::all_of(bytes_.begin(), bytes_.begin() + 4, [](uint8_t b) { return b == 0xff; });
  return bytes_[0] == 0 || (bytes_[0] >= 224 && bytes_[0] <= 239) || broadcast;
}

endpoint endpoint::with_port(uint16_t port) const noexcept {
  endpoint out = *this;
  out.port_ = port;
  return out;
}

std::string endpoint::address() const {
  std::array<char, INET6_ADDRSTRLEN> text{};
  if (!valid() ||
      inet_ntop(is_v4() ? AF_INET : AF_INET6, bytes_.data(), text.data(), text.size()) == nullptr)
    return {};
  return text.data();
}

std::string endpoint::host() const {
  return is_v6() ? '[' + address() + ']' : address();
}

std::string endpoint::to_string() const {
  return valid() ? host() + ':' + std::to_string(port_) : std::string{};
}

size_t endpoint::hash() const noexcept {
  // A multiply-and-fold mix over the 19 bytes that count. The same on every machine: simulated runs
  // are compared by it.
  uint64_t high = 0;
  uint64_t low = 0;
  for (size_t i = 0; i < 8; ++i) {
    high = high << 8 | bytes_[i];
    low = low << 8 | bytes_[8 + i];
  }
  const auto mix = [](uint64_t a, uint64_t b) noexcept {
    a = (a ^ b) * 0x9e3779b97f4a7c15U;
    a ^= a >> 32;
    a *= 0xd6e8feb86659fd93U;
    return a ^ (a >> 29);
  };
  return mix(mix(mix(family_, high), low), port_);
}

} // namespace jackfield::lane

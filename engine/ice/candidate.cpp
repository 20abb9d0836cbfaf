#include "engine/ice/candidate.hpp"

#include <algorithm>
#include <array>
#include <charconv>
#include <utility>

#include "engine/ice/ice_chars.hpp"

namespace jackfield::ice {

namespace {

constexpr const char* place = "a=candidate";
constexpr size_t longest_name = 253;
constexpr std::array<std::string_view, 4> type_names{"host", "srflx", "prflx", "relay"};
constexpr std::array<std::string_view, 4> tcp_type_names{"", "active", "passive", "so"};

char lower(char c) noexcept {
  return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
}

bool same(std::string_view a, std::string_view b) noexcept {
  return std::ranges::equal(a, b, {}, lower, lower);
}

/// Takes the text up to the next space; empty at the end, or where two spaces follow each other.
std::string_view take_word(std::string_view& rest) noexcept {
  const size_t end = std::min(rest.find(' '), rest.size());
  const auto word = rest.substr(0, end);
  rest.remove_prefix(std::min(end + 1, rest.size()));
  return word;
}

template <class Number>
bool read_number(std::string_view text, Number least, Number most, Number& out) noexcept {
  const auto [end, status] = std::from_chars(text.data(), text.data() + text.size(), out);
  return status == std::errc{} && end == text.data() + text.size() && out >= least && out <= most;
}

bool host_name(std::string_view text) noexcept {
  if (text.empty() || text.size() > longest_name || text.find(':') != std::string_view::npos)
    return false;
  // All digits and dots is an address gone wrong.
  bool letter = false;
  for (const char c : text) {
    const char l = lower(c);
    const bool digit = c >= '0' && c <= '9';
    if (!(l >= 'a' && l <= 'z') && !digit && c != '-' && c != '.' && c != '_')
      return false;
    letter = letter || (l >= 'a' && l <= 'z');
  }
  return letter;
}

template <size_t Size>
size_t index_of(const std::array<std::string_view, Size>& names, std::string_view word) noexcept {
  const auto found = std::ranges::find_if(names, [&](auto name) { return same(name, word); });
  return static_cast<size_t>(found - names.begin());
}

/// Takes the pairs of name and value at the end of the line.
result<void> read_extensions(std::string_view rest, candidate& out) {
  std::optional<std::string_view> related_address;
  std::optional<uint16_t> related_port;
  while (!rest.empty()) {
    const auto name = take_word(rest);
    if (name.empty() || rest.empty())
      return fail(place, "an extension without a value, expected pairs of name and value");
    const auto value = take_word(rest);
    if (name == "raddr" && !related_address) {
      related_address = value;
    } else if (name == "rport" && !related_port) {
      uint16_t port = 0;
      if (!read_number<uint16_t>(value, 0, 65535, port))
        return fail(place, "rport is no port, expected 0 to 65535");
      related_port = port;
    } else if (name == "tcptype" && out.tcp_type == candidate_tcp_type::none) {
      const size_t index = index_of(tcp_type_names, value);
      if (index == tcp_type_names.size() || index == 0)
        return fail(place, "unknown tcptype, expected active, passive or so");
      out.tcp_type = static_cast<candidate_tcp_type>(index);
    }
  }
  if (related_address && related_port) {
    // A name may stand here too, and serves nobody.
    if (const auto address = lane::endpoint::parse(*related_address, *related_port))
      out.related = *address;
    else if (!host_name(*related_address))
      return fail(place, "raddr is neither an address nor a name");
  }
  return {};
}

} // namespace

std::string_view to_string(candidate_type type) noexcept {
  return type_names[static_cast<size_t>(type)];
}

result<candidate> candidate::parse(std::string_view value) {
  if (value.size() > longest)
    return fail(place, "longer than 1024 characters");
  for (const char c : value) {
    if (c < ' ' || c > '~')
      return fail(place, "has a character that is not printable ASCII");
  }
  while (!value.empty() && value.back() == ' ')
    value.remove_suffix(1);
  candidate out;
  out.foundation = take_word(value);
  if (!is_ice_text(out.foundation, 1, 32))
    return fail(place, "the foundation is not 1 to 32 letters, digits, '+' or '/'");
  if (!read_number<uint16_t>(take_word(value), 1, 256, out.component))
    return fail(place, "the component is not a number from 1 to 256");
  const auto transport = take_word(value);
  if (transport.empty())
    return fail(place, "no transport, expected udp or tcp");
  out.transport = same(transport, "udp")   ? candidate_transport::udp
                  : same(transport, "tcp") ? candidate_transport::tcp
                                           : candidate_transport::other;
  if (!read_number<uint32_t>(take_word(value), 1, 0x7fffffff, out.priority))
    return fail(place, "the priority is not a number from 1 to 2147483647");
  const auto address = take_word(value);
  uint16_t port = 0;
  // RFC 6544: an active TCP end has no port to be reached at.
  const uint16_t least = out.transport == candidate_transport::udp ? 1 : 0;
  if (!read_number<uint16_t>(take_word(value), least, 65535, port))
    return fail(place, "the port is not a number from 1 to 65535");
  // Brackets are a URI's, not SDP's.
  const bool bracketed = address.starts_with('[');
  if (auto numeric = lane::endpoint::parse(address, port); numeric && !bracketed) {
    out.address = *numeric;
  } else if (host_name(address)) {
    out.name = address;
    out.name_port = port;
  } else {
    return fail(place, "neither an IP address nor a name where the address should be");
  }
  if (take_word(value) != "typ")
    return fail(place, "no \"typ\" after the port");
  const size_t type = index_of(type_names, take_word(value));
  if (type == type_names.size())
    return fail(place, "unknown type, expected host, srflx, prflx or relay");
  out.type = static_cast<candidate_type>(type);
  if (auto read = read_extensions(value, out); !read)
    return tl::unexpected{std::move(read.error())};
  return out;
}

std::string candidate::to_string() const {
  if (transport == candidate_transport::other)
    return {};
  std::string out = foundation + ' ' + std::to_string(component);
  out += transport == candidate_transport::udp ? " udp " : " tcp ";
  out += std::to_string(priority) + ' ';
  out += name.empty() ? address.address() + ' ' + std::to_string(address.port())
                      : name + ' ' + std::to_string(name_port);
  out += " typ ";
  out += ice::to_string(type);
  if (related)
    out += " raddr " + related->address() + " rport " + std::to_string(related->port());
  if (tcp_type != candidate_tcp_type::none) {
    out += " tcptype ";
    out += tcp_type_names[static_cast<size_t>(tcp_type)];
  }
  return out;
}

bool candidate::is_mdns() const noexcept {
  constexpr std::string_view suffix = ".local";
  return name.size() > suffix.size() &&
         same(std::string_view{name}.substr(name.size() - suffix.size()), suffix);
}

bool candidate::usable() const noexcept {
  return transport == candidate_transport::udp && component == 1 && name.empty() &&
         !address.is_forbidden_destination();
}

candidate host_candidate(const lane::endpoint& address) {
  constexpr uint32_t only_one = (126U << 24U) + (65'535U << 8U) + 255U;
  candidate out;
  out.foundation = "1";
  out.priority = only_one;
  out.address = address;
  return out;
}

const candidate* best_from(const lane::endpoint& own,
                           const std::vector<candidate>& candidates) noexcept {
  const candidate* best = nullptr;
  for (const auto& c : candidates) {
    if (c.usable() && c.address.is_v4() == own.is_v4() &&
        (best == nullptr || c.priority > best->priority))
      best = &c;
  }
  return best;
}

} // namespace jackfield::ice

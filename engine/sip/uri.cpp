#include "engine/sip/uri.hpp"

#include <algorithm>
#include <array>

#include "engine/sip/text.hpp"

namespace jackfield::sip {

namespace {

constexpr auto npos = std::string_view::npos;

/// Sets of RFC 3261 §25.1, escapes apart.
struct uri_sets {
  std::array<bool, 256> user{}, password{}, parameter{}, header{};

  constexpr uri_sets() {
    constexpr std::string_view unreserved =
      "0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ-_.!~*'()";
    auto mark = [](std::array<bool, 256>& set, std::string_view chars) {
      for (unsigned char c : chars)
        set[c] = true;
    };
    for (auto* set : {&user, &password, &parameter, &header})
      mark(*set, unreserved);
    // '#' must be escaped, but telephones send it in numbers.
    mark(user, "&=+$,;?/#");
    mark(password, "&=+$,");
    mark(parameter, "[]/:&+$;=");
    mark(header, "[]/?:+$&=");
  }
};

constexpr uri_sets sets;

int hex_digit(char c) noexcept {
  if (c >= '0' && c <= '9')
    return c - '0';
  c = lower(c);
  return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

/// The octet of an escape at `i`, -1 if there is none.
int escape_at(std::string_view text, size_t i) noexcept {
  if (text[i] != '%' || i + 2 >= text.size())
    return -1;
  int high = hex_digit(text[i + 1]);
  int low = hex_digit(text[i + 2]);
  return high < 0 || low < 0 ? -1 : high * 16 + low;
}

bool consists_of(std::string_view text, const std::array<bool, 256>& set) noexcept {
  for (size_t i = 0; i < text.size(); ++i) {
    if (set[static_cast<unsigned char>(text[i])])
      continue;
    if (escape_at(text, i) < 0)
      return false;
    i += 2;
  }
  return true;
}

/// Steps through a text, an escape being one character. Reserved characters differ from their
/// escapes, all others do not (RFC 3261 §19.1.4).
class unescaped_text {
public:
  explicit unescaped_text(std::string_view text) noexcept : text_(text) {}

  /// -1 at the end; above 255 for an escaped reserved character.
  int next(bool fold) noexcept {
    if (at_ >= text_.size())
      return -1;
    constexpr std::string_view reserved = ";/?:@&=+$,";
    int octet = escape_at(text_, at_);
    bool escaped = octet >= 0;
    if (!escaped)
      octet = static_cast<unsigned char>(text_[at_]);
    at_ += escaped ? 3 : 1;
    char c = static_cast<char>(octet);
    if (escaped && reserved.find(c) != npos)
      return octet + 256;
    return fold ? static_cast<unsigned char>(lower(c)) : octet;
  }

private:
  std::string_view text_;
  size_t at_ = 0;
};

bool same_text(std::string_view a, std::string_view b, bool fold) noexcept {
  unescaped_text left(a);
  unescaped_text right(b);
  for (;;) {
    int c = left.next(fold);
    if (c != right.next(fold))
      return false;
    if (c < 0)
      return true;
  }
}

std::optional<std::string_view> find(std::string_view rest, std::string_view name,
                                     char separator = ';') noexcept {
  while (!rest.empty())
    if (auto p = next_uri_parameter(rest, separator); same_text(p.name, name, true))
      return p.value;
  return std::nullopt;
}

/// Every parameter of `a` that `b` has too is the same; what only `a` has may be left out unless
/// it changes where a request goes.
bool parameters_match(std::string_view a, std::string_view b) noexcept {
  for (auto rest = a; !rest.empty();) {
    auto p = next_uri_parameter(rest);
    if (auto other = find(b, p.name)) {
      if (!same_text(p.value, *other, true))
        return false;
      continue;
    }
    for (std::string_view needed : {"user", "ttl", "method", "maddr", "transport"})
      if (same_text(p.name, needed, true))
        return false;
  }
  return true;
}

/// Each of "a=b&c=d" stands in `b` too, with the same value.
bool included(std::string_view a, std::string_view b, char separator, bool fold) noexcept {
  for (auto rest = a; !rest.empty();) {
    auto p = next_uri_parameter(rest, separator);
    auto other = find(b, p.name, separator);
    if (!other || !same_text(p.value, *other, fold))
      return false;
  }
  return true;
}

bool same_set(std::string_view a, std::string_view b, char separator, bool fold) noexcept {
  return included(a, b, separator, fold) && included(b, a, separator, fold);
}

/// The 16 octets of an IPv6 address; nothing if it is none.
std::optional<std::array<uint8_t, 16>> ipv6_octets(std::string_view text) noexcept {
  std::array<uint8_t, 16> octets{};
  size_t count = 0;
  size_t gap = octets.size() + 1; // where "::" stands
  size_t i = 0;
  if (text.substr(0, 2) == "::") {
    gap = 0;
    i = 2;
  }
  while (i < text.size()) {
    size_t end = std::min(text.find(':', i), text.size());
    auto group = text.substr(i, end - i);
    if (end == text.size() && group.find('.') != npos) {
      if (!is_ipv4(group) || count + 4 > octets.size())
        return std::nullopt;
      while (!group.empty()) {
        auto dot = std::min(group.find('.'), group.size());
        octets[count++] = static_cast<uint8_t>(parse_uint(group.substr(0, dot), 255).value_or(0));
        group.remove_prefix(std::min(dot + 1, group.size()));
      }
      i = end;
      break;
    }
    if (group.empty() || group.size() > 4 || count + 2 > octets.size() || !all_of(group, hex_char))
      return std::nullopt;
    int value = 0;
    for (char c : group)
      value = value * 16 + hex_digit(c);
    octets[count++] = static_cast<uint8_t>(value >> 8);
    octets[count++] = static_cast<uint8_t>(value & 255);
    i = end;
    if (i == text.size())
      break;
    ++i; // ':'
    if (i < text.size() && text[i] == ':') {
      if (gap <= octets.size())
        return std::nullopt;
      gap = count;
      ++i;
    } else if (i == text.size()) {
      return std::nullopt;
    }
  }
  if (gap > octets.size())
    return count == octets.size() ? std::optional(octets) : std::nullopt;
  if (count > octets.size() - 2)
    return std::nullopt;
  for (size_t moved = 0; count - moved > gap; ++moved) {
    octets[octets.size() - 1 - moved] = octets[count - 1 - moved];
    octets[count - 1 - moved] = 0;
  }
  return octets;
}

bool same_host(const uri& a, const uri& b) noexcept {
  if (a.host_is_ipv6() && b.host_is_ipv6())
    return ipv6_octets(a.host()) == ipv6_octets(b.host());
  return a.host_is_ipv6() == b.host_is_ipv6() && iequals(a.host(), b.host());
}

/// Telephone numbers are the same whatever separates their digits (RFC 3966 §5.1.1).
bool same_number(std::string_view a, std::string_view b) noexcept {
  auto next = [](std::string_view& rest) {
    while (!rest.empty()) {
      char c = rest.front();
      rest.remove_prefix(1);
      if (c != '-' && c != '.' && c != '(' && c != ')')
        return static_cast<int>(static_cast<unsigned char>(lower(c)));
    }
    return -1;
  };
  for (;;) {
    int c = next(a);
    if (c != next(b))
      return false;
    if (c < 0)
      return true;
  }
}

} // namespace

std::optional<uri> uri::parse(std::string_view text) noexcept {
  auto colon = text.find(':');
  if (colon == npos || colon == 0 || colon + 1 == text.size() || !is(text[0], alpha_char))
    return std::nullopt;
  uri parsed;
  parsed.text_ = text;
  parsed.scheme_name_ = text.substr(0, colon);
  for (char c : parsed.scheme_name_)
    if (!is(c, alpha_char | digit_char) && c != '+' && c != '-' && c != '.')
      return std::nullopt;
  auto rest = text.substr(colon + 1);
  if (iequals(parsed.scheme_name_, "sip") || iequals(parsed.scheme_name_, "sips")) {
    parsed.kind_ = colon == 3 ? scheme::sip : scheme::sips;
    return parsed.parse_sip(rest) ? std::optional(parsed) : std::nullopt;
  }
  for (size_t i = 0; i < rest.size(); ++i)
    if (!is(rest[i], uri_char) || (rest[i] == '%' && escape_at(rest, i) < 0))
      return std::nullopt;
  if (iequals(parsed.scheme_name_, "tel")) {
    parsed.kind_ = scheme::tel;
    auto semicolon = std::min(rest.find(';'), rest.size());
    parsed.user_ = rest.substr(0, semicolon);
    parsed.parameters_ = rest.substr(std::min(semicolon + 1, rest.size()));
    if (parsed.user_.empty())
      return std::nullopt;
  }
  return parsed;
}

bool uri::parse_sip(std::string_view rest) noexcept {
  // '@' stands unescaped nowhere but after the user; a user may have ';' and '?'.
  if (auto at = rest.find('@'); at != npos) {
    auto info = rest.substr(0, at);
    auto colon = std::min(info.find(':'), info.size());
    user_ = info.substr(0, colon);
    password_ = info.substr(std::min(colon + 1, info.size()));
    if (user_.empty() || !consists_of(user_, sets.user) || !consists_of(password_, sets.password))
      return false;
    rest.remove_prefix(at + 1);
  }
  auto question = std::min(rest.find('?'), rest.size());
  if (question < rest.size()) {
    headers_ = rest.substr(question + 1);
    if (headers_.empty() || !consists_of(headers_, sets.header))
      return false;
    for (auto left = headers_; !left.empty();) {
      auto part = left.substr(0, left.find('&'));
      if (part.find('=') == npos || part.front() == '=')
        return false;
      left.remove_prefix(std::min(part.size() + 1, left.size()));
    }
    rest = rest.substr(0, question);
  }
  auto semicolon = std::min(rest.find(';'), rest.size());
  if (semicolon < rest.size()) {
    parameters_ = rest.substr(semicolon + 1);
    if (parameters_.empty() || parameters_.back() == ';' ||
        !consists_of(parameters_, sets.parameter))
      return false;
    for (auto left = parameters_; !left.empty();)
      if (next_uri_parameter(left).name.empty())
        return false;
  }
  return parse_host(rest.substr(0, semicolon));
}

bool uri::parse_host(std::string_view text) noexcept {
  size_t end = 0;
  if (!text.empty() && text.front() == '[') {
    end = text.find(']');
    if (end == npos)
      return false;
    host_ = text.substr(1, end - 1);
    ipv6_ = true;
    ++end;
    if (!is_ipv6(host_))
      return false;
  } else {
    end = std::min(text.find(':'), text.size());
    host_ = text.substr(0, end);
    if (host_.empty() || !all_of(host_, host_char))
      return false;
  }
  if (end == text.size())
    return true;
  auto port = text[end] == ':' ? parse_uint(text.substr(end + 1), 65'535) : std::nullopt;
  if (!port || *port == 0)
    return false;
  port_ = static_cast<uint16_t>(*port);
  return true;
}

std::optional<std::string_view> uri::parameter(std::string_view name) const noexcept {
  return find(parameters_, name);
}

bool equivalent(const uri& a, const uri& b) noexcept {
  // Also where a parameter stands twice, which leaves its value open.
  if (a.text() == b.text())
    return true;
  if (a.kind() != b.kind() || !iequals(a.scheme_name(), b.scheme_name()))
    return false;
  if (a.kind() == scheme::other)
    return a.opaque() == b.opaque();
  if (a.kind() == scheme::tel)
    return same_number(a.user(), b.user()) && same_set(a.parameters(), b.parameters(), ';', true);
  return same_text(a.user(), b.user(), false) && same_text(a.password(), b.password(), false) &&
         same_host(a, b) && a.port() == b.port() &&
         parameters_match(a.parameters(), b.parameters()) &&
         parameters_match(b.parameters(), a.parameters()) &&
         same_set(a.headers(), b.headers(), '&', false);
}

std::string unescape(std::string_view text) {
  std::string plain;
  plain.reserve(text.size());
  for (size_t i = 0; i < text.size(); ++i) {
    int octet = escape_at(text, i);
    plain += octet < 0 ? text[i] : static_cast<char>(octet);
    i += octet < 0 ? 0 : 2;
  }
  return plain;
}

std::string escape_user(std::string_view text) {
  constexpr std::string_view digits = "0123456789ABCDEF";
  std::string escaped;
  escaped.reserve(text.size());
  for (unsigned char c : text) {
    if (sets.user[c] && c != '#') {
      escaped += static_cast<char>(c);
      continue;
    }
    escaped += '%';
    escaped += digits[c >> 4U];
    escaped += digits[c & 15U];
  }
  return escaped;
}

named_value next_uri_parameter(std::string_view& rest, char separator) noexcept {
  auto end = std::min(rest.find(separator), rest.size());
  auto part = rest.substr(0, end);
  rest.remove_prefix(std::min(end + 1, rest.size()));
  auto equals = std::min(part.find('='), part.size());
  return {part.substr(0, equals), part.substr(std::min(equals + 1, part.size()))};
}

void append_parameters_without(std::string& out, std::string_view parameters,
                               std::string_view name) {
  while (!parameters.empty()) {
    const auto one = next_uri_parameter(parameters);
    if (one.name.empty() || iequals(one.name, name))
      continue;
    out += ';';
    out += one.name;
    if (!one.value.empty()) {
      out += '=';
      out += one.value;
    }
  }
}

bool is_ipv6(std::string_view text) noexcept {
  return ipv6_octets(text).has_value();
}

bool is_ipv4(std::string_view text) noexcept {
  for (int part = 0; part < 4; ++part) {
    auto dot = part < 3 ? text.find('.') : text.size();
    if (dot > 3 || !parse_uint(text.substr(0, dot), 255))
      return false;
    text.remove_prefix(std::min(dot + 1, text.size()));
  }
  return text.empty();
}

} // namespace jackfield::sip

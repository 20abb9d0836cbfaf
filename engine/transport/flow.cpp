#include "engine/transport/flow.hpp"

#include <algorithm>
#include <array>
#include <cctype>

namespace jackfield::transport {

namespace {

constexpr std::array<std::string_view, 5> names{"UDP", "TCP", "TLS", "WS", "WSS"};

char lower(char c) noexcept {
  return c >= 'A' && c <= 'Z' ? static_cast<char>(c + 32) : c;
}

bool equal_in_any_case(std::string_view a, std::string_view b) noexcept {
  return std::equal(a.begin(), a.end(), b.begin(), b.end(),
                    [](char x, char y) { return lower(x) == lower(y); });
}

} // namespace

std::string_view to_string(protocol p) noexcept {
  return names.at(static_cast<size_t>(p));
}

std::optional<protocol> parse_protocol(std::string_view name) noexcept {
  for (size_t i = 0; i < names.size(); ++i)
    if (equal_in_any_case(name, names.at(i)))
      return static_cast<transport::protocol>(i);
  return std::nullopt;
}

std::string flow::to_string() const {
  std::string text;
  for (const char c : transport::to_string(protocol))
    text += lower(c);
  return text + ' ' + remote.to_string();
}

} // namespace jackfield::transport

#include "actors/wire/trace_text.hpp"

#include <array>
#include <cstdio>
#include <ctime>

#include "engine/sip/redaction.hpp"

namespace jackfield {

namespace {

constexpr int64_t second_us = 1'000'000;

void append_time(std::string& to, lane::time_point at, const trace_origin& origin) {
  using std::chrono::duration_cast;
  using std::chrono::microseconds;
  const auto since_us = duration_cast<microseconds>(at - origin.at).count();
  const auto wall_us =
    duration_cast<microseconds>(origin.wall.time_since_epoch()).count() + since_us;
  const auto second = static_cast<std::time_t>(wall_us / second_us);
  std::tm utc{};
  gmtime_r(&second, &utc);
  std::array<char, 40> text{};
  to.append(text.data(), std::strftime(text.data(), text.size(), "%Y-%m-%dT%H:%M:%S", &utc));
  const auto relative_us = since_us < 0 ? -since_us : since_us;
  const auto size =
    std::snprintf(text.data(), text.size(), ".%06lldZ %c%lld.%06llds",
                  static_cast<long long>(wall_us % second_us), since_us < 0 ? '-' : '+',
                  static_cast<long long>(relative_us / second_us),
                  static_cast<long long>(relative_us % second_us));
  to.append(text.data(), static_cast<size_t>(size));
}

bool is_control(char c) noexcept {
  const auto byte = static_cast<unsigned char>(c);
  return (byte < 0x20 && c != '\r' && c != '\n' && c != '\t') || byte == 0x7f;
}

} // namespace

void append_harmless(std::string& to, std::string_view text) {
  static constexpr std::string_view digits = "0123456789abcdef";
  bool at_start = true;
  for (size_t i = 0; i < text.size(); ++i) {
    const char c = text[i];
    if (at_start && (text.substr(i).starts_with("--- ") || text.substr(i).starts_with("=== ")))
      to += '\\';
    at_start = c == '\n' || c == '\r';
    if (is_control(c)) {
      const auto byte = static_cast<unsigned char>(c);
      to.append("\\x").append(1, digits[byte >> 4U]).append(1, digits[byte & 15U]);
    } else {
      to += c;
    }
  }
}

void append_traced(std::string& to, const traced_message& message, const trace_origin& origin,
                   unsigned lane) {
  to += "--- ";
  append_time(to, message.at, origin);
  to += ' ';
  to += transport::to_string(message.over.protocol);
  to += ' ';
  to += message.over.local.to_string();
  to += message.direction == wire_direction::sent ? " -> " : " <- ";
  to += message.over.remote.to_string();
  to += " lane " + std::to_string(lane) + ", " + std::to_string(message.bytes.size()) + " bytes";
  if (message.malformed)
    to += ", malformed";
  to += '\n';
  append_harmless(to, sip::redacted(message.bytes));
  if (!message.bytes.ends_with('\n'))
    to += '\n';
  to += '\n';
}

} // namespace jackfield

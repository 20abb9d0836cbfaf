#include "engine/lane/sim_event_log.hpp"

#include <array>
#include <charconv>

namespace jackfield::lane {

namespace {

uint64_t mix(uint64_t state, uint64_t word) noexcept {
  state = (state ^ word) * 0x9e3779b97f4a7c15U;
  return state ^ (state >> 32);
}

void append_number(std::string& out, uint64_t value, int base) {
  std::array<char, 24> digits;
  const auto [end, status] =
    std::to_chars(digits.data(), digits.data() + digits.size(), value, base);
  out.append(digits.data(), end);
}

} // namespace

uint64_t sim_digest(std::string_view bytes) noexcept {
  uint64_t state = bytes.size();
  for (size_t at = 0; at < bytes.size(); at += 8) {
    uint64_t word = 0;
    const size_t count = std::min<size_t>(8, bytes.size() - at);
    if (count == 8) {
      for (size_t i = 0; i < 8; ++i) // a fixed count: compiled to one load
        word |= uint64_t{static_cast<unsigned char>(bytes[at + i])} << (8 * i);
    } else {
      for (size_t i = 0; i < count; ++i)
        word |= uint64_t{static_cast<unsigned char>(bytes[at + i])} << (8 * i);
    }
    state = mix(state, word);
  }
  return mix(state, state);
}

void sim_event_log::record(time_point now, std::string_view kind, const endpoint& from,
                           const endpoint& to, size_t length, uint64_t payload) {
  uint64_t state = mix(digest_, static_cast<uint64_t>(now.time_since_epoch().count()));
  for (const char c : kind)
    state = (state ^ static_cast<unsigned char>(c)) * 0x100000001b3U;
  state = mix(state, from.hash());
  state = mix(state, to.hash());
  state = mix(state, length);
  digest_ = mix(state, payload);
  if (sink_)
    write(now, kind, from, to, length, payload);
}

void sim_event_log::write(time_point now, std::string_view kind, const endpoint& from,
                          const endpoint& to, size_t length, uint64_t payload) {
  std::string line;
  append_number(line, static_cast<uint64_t>(now.time_since_epoch().count()), 10);
  line += ' ';
  line += kind;
  line += ' ';
  line += from.to_string();
  line += ' ';
  line += to.to_string();
  line += ' ';
  append_number(line, length, 10);
  line += ' ';
  append_number(line, payload, 16);
  sink_(line);
}

} // namespace jackfield::lane

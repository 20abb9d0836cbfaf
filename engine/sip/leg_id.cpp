#include "engine/sip/leg_id.hpp"

#include <algorithm>

namespace jackfield::sip {
namespace {

constexpr std::string_view alphabet = "abcdefghijklmnopqrstuvwxyz234567";

constexpr std::array<int8_t, 256> make_values() {
  std::array<int8_t, 256> values{};
  values.fill(-1);
  for (size_t i = 0; i < alphabet.size(); ++i)
    values[static_cast<unsigned char>(alphabet[i])] = static_cast<int8_t>(i);
  return values;
}

constexpr auto values = make_values();

[[nodiscard]] int value_of(char c) noexcept {
  return values[static_cast<unsigned char>(c)];
}

void write_counter(char* out, uint32_t counter) noexcept {
  for (size_t i = branch_id::counter_size; i-- > 0; counter >>= 5)
    out[i] = alphabet[counter & 31];
}

} // namespace

leg_id::text_buffer leg_id::text() const noexcept {
  uint64_t high = uint64_t{lane} << 56 | uint64_t{slot & max_slot} << 32 | generation;
  uint64_t low = nonce;
  text_buffer out;
  for (auto& c : out) {
    c = alphabet[high >> 59];
    high = high << 5 | low >> 59;
    low <<= 5;
  }
  return out;
}

std::optional<leg_id> leg_id::parse(std::string_view text) noexcept {
  if (text.size() != text_size)
    return std::nullopt;
  uint64_t high = 0;
  uint64_t low = 0;
  for (size_t i = 0; i < text_size; ++i) {
    auto v = value_of(text[i]);
    // The last character carries the three lowest of 128 bits.
    auto bits = i + 1 < text_size ? 5 : 3;
    if (v < 0 || (bits == 3 && (v & 3) != 0))
      return std::nullopt;
    high = high << bits | low >> (64 - bits);
    low = low << bits | static_cast<uint64_t>(bits == 5 ? v : v >> 2);
  }
  return leg_id{static_cast<uint8_t>(high >> 56), static_cast<uint32_t>(high >> 32) & max_slot,
                static_cast<uint32_t>(high), low};
}

branch_id::text_buffer branch_id::text() const noexcept {
  text_buffer out;
  auto id = leg.text();
  std::copy(cookie.begin(), cookie.end(), out.begin());
  std::copy(id.begin(), id.end(), out.begin() + cookie.size());
  write_counter(out.data() + cookie.size() + id.size(), counter);
  return out;
}

std::optional<branch_id> branch_id::parse(std::string_view text) noexcept {
  if (text.size() != text_size || !text.starts_with(cookie))
    return std::nullopt;
  auto leg = leg_id::parse(text.substr(cookie.size(), leg_id::text_size));
  if (!leg)
    return std::nullopt;
  uint64_t counter = 0;
  for (char c : text.substr(cookie.size() + leg_id::text_size)) {
    auto v = value_of(c);
    if (v < 0)
      return std::nullopt;
    counter = counter << 5 | static_cast<uint64_t>(v);
  }
  if (counter > UINT32_MAX)
    return std::nullopt;
  return branch_id{*leg, static_cast<uint32_t>(counter)};
}

} // namespace jackfield::sip

#include "engine/audio/g711.hpp"

#include <algorithm>
#include <array>
#include <bit>

namespace jackfield::audio {
namespace {

using decode_table = std::array<int16_t, 256>;

constexpr decode_table make_ulaw() {
  decode_table out{};
  for (int code = 0; code < 256; ++code) {
    const int exponent = (~code >> 4) & 7;
    const int mantissa = ~code & 15;
    const int step = 8 << exponent;
    const int magnitude = (128 << exponent) + step * mantissa + step / 2 - 4 * 33;
    out[static_cast<size_t>(code)] = static_cast<int16_t>(code < 128 ? -magnitude : magnitude);
  }
  return out;
}

constexpr decode_table make_alaw() {
  decode_table out{};
  for (int code = 0; code < 256; ++code) {
    const int bits = code ^ 0x55;
    const int exponent = (bits >> 4) & 7;
    const int mantissa = (bits & 15) + (exponent > 0 ? 16 : 0);
    const int magnitude = ((mantissa << 4) + 8) << (exponent > 1 ? exponent - 1 : 0);
    out[static_cast<size_t>(code)] = static_cast<int16_t>(code < 128 ? -magnitude : magnitude);
  }
  return out;
}

constexpr decode_table ulaw = make_ulaw();
constexpr decode_table alaw = make_alaw();

// As in G.191, a negative sample's magnitude is its ones' complement.
unsigned magnitude(int sample) noexcept {
  return static_cast<unsigned>(sample < 0 ? ~sample : sample);
}

} // namespace

uint8_t encode_ulaw(int16_t sample) noexcept {
  const auto x = std::min((magnitude(sample) >> 2) + 33, 0x1fffu);
  const auto segment = static_cast<unsigned>(std::bit_width(x >> 6)) + 1;
  const auto high = 8 - segment;
  const auto low = 15 - ((x >> segment) & 15);
  return static_cast<uint8_t>((sample >= 0 ? 0x80 : 0) | high << 4 | low);
}

uint8_t encode_alaw(int16_t sample) noexcept {
  auto x = magnitude(sample) >> 4;
  if (x > 15) {
    const auto exponent = static_cast<unsigned>(std::bit_width(x >> 4));
    x = ((x >> (exponent - 1)) & 15) | exponent << 4;
  }
  return static_cast<uint8_t>(((sample >= 0 ? 0x80 : 0) | x) ^ 0x55);
}

int16_t decode_ulaw(uint8_t code) noexcept {
  return ulaw[code];
}
int16_t decode_alaw(uint8_t code) noexcept {
  return alaw[code];
}

size_t encode(codec c, std::span<const int16_t> in, std::span<std::byte> out) noexcept {
  const auto count = std::min(in.size(), out.size());
  const auto run = [&](auto one) {
    for (size_t i = 0; i < count; ++i)
      out[i] = std::byte{one(in[i])};
  };
  if (c == codec::pcmu)
    run(encode_ulaw);
  else
    run(encode_alaw);
  return count;
}

size_t decode(codec c, std::span<const std::byte> in, std::span<int16_t> out) noexcept {
  const auto& table = c == codec::pcmu ? ulaw : alaw;
  const auto count = std::min(in.size(), out.size());
  for (size_t i = 0; i < count; ++i)
    out[i] = table[std::to_integer<uint8_t>(in[i])];
  return count;
}

} // namespace jackfield::audio

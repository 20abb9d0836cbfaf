#pragma once

#include <cstddef>
#include <cstdint>
#include <span>

#include "engine/audio/codec.hpp"

namespace jackfield::audio {

/// ITU-T G.711, bit-exact with the reference of G.191: µ-law takes 14-bit and A-law 13-bit
/// samples, here left-aligned in 16 bits as everywhere.
[[nodiscard]] uint8_t encode_ulaw(int16_t sample) noexcept;
[[nodiscard]] uint8_t encode_alaw(int16_t sample) noexcept;
[[nodiscard]] int16_t decode_ulaw(uint8_t code) noexcept;
[[nodiscard]] int16_t decode_alaw(uint8_t code) noexcept;

/// Encode or decode min(in.size(), out.size()) samples, a byte each; return how many. `c` is `pcmu`
/// or `pcma`.
size_t encode(codec c, std::span<const int16_t> in, std::span<std::byte> out) noexcept;
size_t decode(codec c, std::span<const std::byte> in, std::span<int16_t> out) noexcept;

} // namespace jackfield::audio

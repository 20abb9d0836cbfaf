#pragma once

#include <cstddef>
#include <cstdint>

/// Fields of messages in network order. The caller has checked that the bytes are there.
namespace jackfield::bytes {

[[nodiscard]] inline uint8_t load8(const std::byte* p) noexcept {
  return std::to_integer<uint8_t>(*p);
}
[[nodiscard]] inline uint16_t load16(const std::byte* p) noexcept {
  return static_cast<uint16_t>(load8(p) << 8 | load8(p + 1));
}
[[nodiscard]] inline uint32_t load32(const std::byte* p) noexcept {
  return uint32_t{load16(p)} << 16 | load16(p + 2);
}
[[nodiscard]] inline uint64_t load64(const std::byte* p) noexcept {
  return uint64_t{load32(p)} << 32 | load32(p + 4);
}

inline void store8(std::byte* p, uint8_t x) noexcept {
  *p = std::byte{x};
}
inline void store16(std::byte* p, uint16_t x) noexcept {
  store8(p, static_cast<uint8_t>(x >> 8));
  store8(p + 1, static_cast<uint8_t>(x));
}
inline void store32(std::byte* p, uint32_t x) noexcept {
  store16(p, static_cast<uint16_t>(x >> 16));
  store16(p + 2, static_cast<uint16_t>(x));
}
inline void store64(std::byte* p, uint64_t x) noexcept {
  store32(p, static_cast<uint32_t>(x >> 32));
  store32(p + 4, static_cast<uint32_t>(x));
}

} // namespace jackfield::bytes

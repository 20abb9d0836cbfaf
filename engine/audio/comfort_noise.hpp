#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>

namespace jackfield::audio {

/// Comfort noise (RFC 3389): what a sender that fell silent leaves its listener to hear. White
/// noise of a level; the spectrum that a payload may carry is not used, as §3.2 allows.
class comfort_noise {
public:
  /// The level that a payload tells, in -dBov, 0..127: 0 is the loudest. Unset if there is none.
  [[nodiscard]] static std::optional<uint8_t> level_of(std::span<const std::byte> payload) noexcept;

  /// The whole of a payload that tells a level alone. Over 127 is taken as 127.
  [[nodiscard]] static std::byte payload_of(uint8_t level) noexcept;

  /// The level of samples, as a payload tells it.
  [[nodiscard]] static uint8_t measure(std::span<const int16_t> samples) noexcept;

  void set_level(uint8_t level) noexcept;

  /// Fills `out` with noise of the level, which is 127 before it was set.
  void fill(std::span<int16_t> out) noexcept;

private:
  double peak_ = 0;
  uint32_t random_ = 0x9e3779b9;
};

} // namespace jackfield::audio

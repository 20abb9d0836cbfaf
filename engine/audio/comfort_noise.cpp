#include "engine/audio/comfort_noise.hpp"

#include <algorithm>
#include <cmath>
#include <numbers>

namespace jackfield::audio {
namespace {

constexpr uint8_t quietest = 127;
// 0 dBov is the overload point: the power of a square wave of full scale.
constexpr double overload = 32768;

} // namespace

std::optional<uint8_t> comfort_noise::level_of(std::span<const std::byte> payload) noexcept {
  if (payload.empty())
    return std::nullopt;
  return std::to_integer<uint8_t>(payload[0] & std::byte{0x7f});
}

std::byte comfort_noise::payload_of(uint8_t level) noexcept {
  return std::byte{std::min(level, quietest)};
}

uint8_t comfort_noise::measure(std::span<const int16_t> samples) noexcept {
  double power = 0;
  for (const double x : samples)
    power += x * x;
  if (power == 0)
    return quietest;
  const auto rms = std::sqrt(power / static_cast<double>(samples.size()));
  const auto level = std::lround(-20 * std::log10(rms / overload));
  return static_cast<uint8_t>(std::clamp<long>(level, 0, quietest));
}

void comfort_noise::set_level(uint8_t level) noexcept {
  // Evenly spread noise has its peak at sqrt(3) times its effective value.
  peak_ =
    std::min(overload - 1, std::numbers::sqrt3 * overload *
                             std::pow(10, -static_cast<double>(std::min(level, quietest)) / 20));
}

void comfort_noise::fill(std::span<int16_t> out) noexcept {
  for (auto& sample : out) {
    // Marsaglia's xorshift.
    random_ ^= random_ << 13U;
    random_ ^= random_ >> 17U;
    random_ ^= random_ << 5U;
    sample = static_cast<int16_t>(std::lround(peak_ * (random_ / 2147483648.0 - 1)));
  }
}

} // namespace jackfield::audio

#include "engine/audio/tone_detector.hpp"

#include <algorithm>
#include <cmath>
#include <numbers>

namespace jackfield::audio {
namespace {

constexpr double full_scale_dbm0 = 3.14;
constexpr double floor_dbm0 = -90;

double energy(std::span<const int16_t> samples) noexcept {
  double sum = 0;
  for (const double x : samples)
    sum += x * x;
  return sum;
}

} // namespace

double level_dbm0(std::span<const int16_t> samples) noexcept {
  const auto sum = energy(samples);
  if (sum == 0)
    return floor_dbm0;
  const auto mean = sum / static_cast<double>(samples.size());
  constexpr double full_scale = 32768.0 * 32768.0 / 2; // mean square of a full-scale sine
  return std::max(floor_dbm0, 10 * std::log10(mean / full_scale) + full_scale_dbm0);
}

bool is_silence(std::span<const int16_t> samples, double bound_dbm0) noexcept {
  return level_dbm0(samples) < bound_dbm0;
}

double tone_share(std::span<const int16_t> samples, double frequency_hz,
                  uint32_t sample_rate) noexcept {
  const auto sum = energy(samples);
  if (sum == 0)
    return 0;
  const double factor = 2 * std::cos(2 * std::numbers::pi * frequency_hz / sample_rate);
  double last = 0;
  double before = 0;
  for (const double x : samples) {
    const double now = x + factor * last - before;
    before = last;
    last = now;
  }
  const double power = last * last + before * before - factor * last * before;
  return std::clamp(2 * power / (static_cast<double>(samples.size()) * sum), 0.0, 1.0);
}

tone_detector::tone_detector(double frequency_hz, double least_share, double least_level_dbm0,
                             uint32_t sample_rate) noexcept
    : frequency_hz_(frequency_hz), least_share_(least_share), least_level_(least_level_dbm0),
      sample_rate_(sample_rate) {}

bool tone_detector::on_frame(std::span<const int16_t> samples) noexcept {
  ++frames_;
  const bool found = level_dbm0(samples) >= least_level_ &&
                     tone_share(samples, frequency_hz_, sample_rate_) >= least_share_;
  if (found)
    ++with_tone_;
  return found;
}

} // namespace jackfield::audio

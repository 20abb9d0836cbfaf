#include "engine/audio/resample.hpp"

#include <algorithm>
#include <cmath>
#include <numbers>
#include <numeric>

#include "engine/audio/g711.hpp"

namespace jackfield::audio {
namespace {

constexpr double zero_crossings = 24; // of the sinc, to each side
constexpr double kaiser_beta = 8;     // 80 dB
// The pass band's share of what the lower rate can carry; the rest is for the filter's slope.
constexpr double pass_band = 0.92;

// Modified Bessel function of the first kind, order zero.
double bessel_i0(double x) {
  double sum = 1;
  double term = 1;
  for (int k = 1; term > sum * 1e-12; ++k) {
    term *= (x / (2 * k)) * (x / (2 * k));
    sum += term;
  }
  return sum;
}

double sinc(double x) {
  if (std::abs(x) < 1e-9)
    return 1;
  return std::sin(std::numbers::pi * x) / (std::numbers::pi * x);
}

} // namespace

std::vector<float> resample_to_8k(std::span<const float> in, uint32_t rate) {
  if (rate == g711_rate)
    return {in.begin(), in.end()};
  // Output sample n lies at input position n * step / phases.
  const uint32_t divisor = std::gcd(rate, g711_rate);
  const uint64_t phases = g711_rate / divisor;
  const uint64_t step = rate / divisor;
  const double cutoff = pass_band * std::min(1.0, static_cast<double>(g711_rate) / rate);
  const double reach = zero_crossings / cutoff;
  const auto half = static_cast<int64_t>(std::ceil(reach));
  const auto taps = static_cast<size_t>(2 * half);

  std::vector<float> kernels(phases * taps);
  const double i0_beta = bessel_i0(kaiser_beta);
  for (uint64_t phase = 0; phase < phases; ++phase) {
    const auto kernel = std::span{kernels}.subspan(phase * taps, taps);
    double sum = 0;
    for (size_t t = 0; t < taps; ++t) {
      const double x = static_cast<double>(static_cast<int64_t>(t) - half + 1) -
                       static_cast<double>(phase) / static_cast<double>(phases);
      const double u = x / reach;
      const double window =
        std::abs(u) < 1 ? bessel_i0(kaiser_beta * std::sqrt(1 - u * u)) / i0_beta : 0;
      const double value = sinc(x * cutoff) * window;
      kernel[t] = static_cast<float>(value);
      sum += value;
    }
    for (auto& value : kernel)
      value = static_cast<float>(value / sum);
  }

  const uint64_t count = (in.size() * phases + step - 1) / step;
  std::vector<float> out(count);
  const auto size = static_cast<int64_t>(in.size());
  for (uint64_t n = 0; n < count; ++n) {
    const auto at = static_cast<int64_t>(n * step / phases);
    const float* kernel = kernels.data() + n * step % phases * taps;
    const auto begin = at - half + 1;
    const auto first = std::max<int64_t>(begin, 0);
    const auto last = std::min<int64_t>(begin + static_cast<int64_t>(taps), size);
    float sum = 0;
    for (auto i = first; i < last; ++i)
      sum += in[static_cast<size_t>(i)] * kernel[i - begin];
    out[n] = sum;
  }
  return out;
}

} // namespace jackfield::audio

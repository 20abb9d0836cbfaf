#include "engine/audio/tone_analysis.hpp"

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <numbers>
#include <tuple>
#include <utility>

#include "engine/audio/tone_detector.hpp"

namespace jackfield::audio {

namespace {

constexpr double least_hz = 100;
constexpr double most_of_rate = 0.49;
constexpr double least_share_of_one = 0.9;
constexpr double least_share_of_two = 0.95;
/// Of the fainter of two, in the power of both: 13 dB below the other.
constexpr double least_part = 0.05;

/// Solves `rows` x = their last column; false if they are dependent.
template <size_t N>
bool solve(std::array<std::array<double, N + 1>, N>& rows, std::array<double, N>& x) noexcept {
  for (size_t i = 0; i < N; ++i) {
    size_t pivot = i;
    for (size_t k = i + 1; k < N; ++k)
      if (std::abs(rows[k][i]) > std::abs(rows[pivot][i]))
        pivot = k;
    if (std::abs(rows[pivot][i]) < 1e-6)
      return false;
    std::swap(rows[i], rows[pivot]);
    for (size_t k = i + 1; k < N; ++k) {
      const double factor = rows[k][i] / rows[i][i];
      for (size_t j = i; j <= N; ++j)
        rows[k][j] -= factor * rows[i][j];
    }
  }
  for (size_t i = N; i-- > 0;) {
    x[i] = rows[i][N];
    for (size_t j = i + 1; j < N; ++j)
      x[i] -= rows[i][j] * x[j];
    x[i] /= rows[i][i];
  }
  return true;
}

/// The powers of sines of these angles (radians a sample) that together come closest to the
/// samples, and the share of the samples' power that they explain.
template <size_t N>
struct fitted {
  std::array<double, N> powers{};
  double share = 0;
};

template <size_t N>
fitted<N> fit(std::span<const int16_t> samples, const std::array<double, N>& angles) noexcept {
  std::array<std::array<double, 2 * N + 1>, 2 * N> rows{};
  // Each sine and cosine by a rotation; the sums of products of all of them.
  std::array<double, 2 * N> wave{};
  std::array<double, 2 * N> step{};
  for (size_t k = 0; k < N; ++k) {
    wave[2 * k] = 1;
    step[2 * k] = std::cos(angles[k]);
    step[2 * k + 1] = std::sin(angles[k]);
  }
  double energy = 0;
  for (const double x : samples) {
    energy += x * x;
    for (size_t i = 0; i < 2 * N; ++i) {
      for (size_t j = i; j < 2 * N; ++j)
        rows[i][j] += wave[i] * wave[j];
      rows[i][2 * N] += wave[i] * x;
    }
    for (size_t k = 0; k < 2 * N; k += 2)
      std::tie(wave[k], wave[k + 1]) = std::pair{wave[k] * step[k] - wave[k + 1] * step[k + 1],
                                                 wave[k] * step[k + 1] + wave[k + 1] * step[k]};
  }
  std::array<double, 2 * N> right{};
  for (size_t i = 0; i < 2 * N; ++i) {
    right[i] = rows[i][2 * N];
    for (size_t j = 0; j < i; ++j)
      rows[i][j] = rows[j][i];
  }
  fitted<N> made;
  std::array<double, 2 * N> found{};
  if (energy == 0 || !solve<2 * N>(rows, found))
    return made;
  double explained = 0;
  for (size_t i = 0; i < 2 * N; ++i)
    explained += found[i] * right[i];
  made.share = std::clamp(explained / energy, 0.0, 1.0);
  for (size_t k = 0; k < N; ++k)
    made.powers[k] = found[2 * k] * found[2 * k] + found[2 * k + 1] * found[2 * k + 1];
  return made;
}

/// The angle whose doubled cosine is this; nothing if there is none.
std::optional<double> angle_of(double doubled_cosine) noexcept {
  if (!(std::abs(doubled_cosine) < 2))
    return std::nullopt;
  return std::acos(doubled_cosine / 2);
}

/// Of one tone: the samples `lag` before and after each sum up to it times 2 cos(lag w). The answer
/// is right where lag w is less than half a turn.
std::optional<std::array<double, 1>> angles(std::span<const int16_t> x, size_t lag,
                                            std::array<double, 1> /*wanted*/) noexcept {
  double both = 0;
  double own = 0;
  for (size_t n = lag; n + lag < x.size(); ++n) {
    const double at = x[n];
    both += at * (x[n - lag] + x[n + lag]);
    own += at * at;
  }
  if (own == 0)
    return std::nullopt;
  const auto found = angle_of(both / own);
  return found ? std::optional{std::array{*found / static_cast<double>(lag)}} : std::nullopt;
}

/// Of two: as above, and by those twice as far.
std::optional<std::array<double, 2>> angles(std::span<const int16_t> x, size_t lag,
                                            std::array<double, 2> /*wanted*/) noexcept {
  std::array<std::array<double, 3>, 2> rows{};
  for (size_t n = 2 * lag; n + 2 * lag < x.size(); ++n) {
    const double near = x[n - lag] + x[n + lag];
    const double far = x[n - 2 * lag] + x[n + 2 * lag];
    const double own = x[n];
    rows[0][0] += near * near;
    rows[0][1] += near * own;
    rows[0][2] += near * far;
    rows[1][1] += own * own;
    rows[1][2] += own * far;
  }
  rows[1][0] = rows[0][1];
  std::array<double, 2> found{};
  if (!solve<2>(rows, found))
    return std::nullopt;
  const double root = found[0] * found[0] + 4 * (found[1] + 2);
  if (!(root > 0))
    return std::nullopt;
  const auto low = angle_of((found[0] + std::sqrt(root)) / 2);
  const auto high = angle_of((found[0] - std::sqrt(root)) / 2);
  if (!low || !high)
    return std::nullopt;
  return std::array{*low / static_cast<double>(lag), *high / static_cast<double>(lag)};
}

/// The tones that explain most. Noise pulls what is found with a short lag away from low
/// frequencies; with a longer one high frequencies are taken for others, and explain nothing.
template <size_t N>
struct best_fit : fitted<N> {
  std::array<double, N> angles{};
};

template <size_t N>
best_fit<N> find(std::span<const int16_t> samples, double least, double most) noexcept {
  best_fit<N> best;
  for (const size_t lag : {1, 2, 4}) {
    const auto found = angles(samples, lag, std::array<double, N>{});
    if (!found || found->front() < least || found->back() > most)
      continue;
    const auto made = fit<N>(samples, *found);
    if (made.share > best.share)
      best = {made, *found};
  }
  return best;
}

} // namespace

std::optional<tones> find_tones(std::span<const int16_t> samples, uint32_t sample_rate,
                                double least_level_dbm0) noexcept {
  if (samples.size() < 8 || level_dbm0(samples) < least_level_dbm0)
    return std::nullopt;
  const double turn = 2 * std::numbers::pi / sample_rate;
  const auto one = find<1>(samples, least_hz * turn, most_of_rate * sample_rate * turn);
  if (one.share >= least_share_of_one)
    return tones{{one.angles[0] / turn, 0}};
  const auto two = find<2>(samples, least_hz * turn, most_of_rate * sample_rate * turn);
  const auto fainter = std::min(two.powers[0], two.powers[1]);
  if (two.share >= least_share_of_two && fainter >= least_part * (two.powers[0] + two.powers[1]))
    return tones{{two.angles[0] / turn, two.angles[1] / turn}};
  return std::nullopt;
}

} // namespace jackfield::audio

#include "engine/rtp/mos.hpp"

#include <algorithm>
#include <cmath>

namespace jackfield::rtp {
namespace {

// Ro - Is with every parameter of G.107 at its default.
constexpr double default_rating = 93.2;

// Idd of G.107 §3.5, equations 3-27 and 3-28: no impairment up to 100 ms.
double delay_impairment(duration delay) noexcept {
  const auto ms = std::chrono::duration<double, std::milli>(delay).count();
  if (ms <= 100)
    return 0;
  const auto x = std::log2(ms / 100);
  return 25 * (std::pow(1 + std::pow(x, 6), 1.0 / 6) -
               3 * std::pow(1 + std::pow(x / 3, 6), 1.0 / 6) + 2);
}

} // namespace

double rating(const quality_input& in, const codec_impairment& codec) noexcept {
  const auto ppl = 100 * std::clamp(in.loss, 0.0, 1.0);
  // Ie,eff of G.107 §3.6.
  const auto ie_eff =
    codec.ie + (95 - codec.ie) * ppl / (ppl / std::max(in.burst_ratio, 1.0) + codec.bpl);
  return std::clamp(default_rating - delay_impairment(in.delay) - ie_eff, 0.0, default_rating);
}

double mos_of(double rating) noexcept {
  if (rating <= 0)
    return 1;
  if (rating >= 100)
    return 4.5;
  // The cubic dips below 1 for R under 6.5; the scale does not.
  return std::clamp(1 + 0.035 * rating + rating * (rating - 60) * (100 - rating) * 7e-6, 1.0, 4.5);
}

std::optional<quality> judge(const reception_summary& stream, std::optional<duration> round_trip,
                             duration jitter_buffer, duration packet_time,
                             const codec_impairment& codec) noexcept {
  const auto loss = stream.effective_loss();
  if (!loss)
    return std::nullopt;
  const auto network = round_trip.value_or(duration::zero()) / 2;
  const auto r =
    rating({*loss, stream.losses.burst_ratio, network + jitter_buffer + packet_time}, codec);
  return quality{r, mos_of(r)};
}

} // namespace jackfield::rtp

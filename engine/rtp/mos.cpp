#include "engine/rtp/mos.hpp"

#include <algorithm>
#include <cmath>

namespace jackfield::rtp {
namespace {

struct scale {
  double best;          // Ro - Is with every parameter at its default
  double worst_codec;   // what Ie,eff goes to when all is lost
  double to_narrowband; // times the 100 of G.107: of Idd, and of R on the way to MOS
};

constexpr scale scale_of(quality_model model) noexcept {
  // G.107 §3.6 and §7.7; G.107.2 §7.5 and §7.7, where R ends at 148.
  return model == quality_model::g107 ? scale{93.2, 95, 1} : scale{148, 132, 1.48};
}

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

const char* to_string(quality_model model) noexcept {
  return model == quality_model::g107 ? "G.107" : "G.107.2";
}

double rating(const quality_input& in, const codec_impairment& codec) noexcept {
  const auto on = scale_of(codec.model);
  const auto ppl = 100 * std::clamp(in.loss - std::max(in.recovered, 0.0), 0.0, 1.0);
  // Ie,eff of G.107 §3.6 and G.107.2 §7.5.
  const auto ie_eff = codec.ie + (on.worst_codec - codec.ie) * ppl /
                                   (ppl / std::max(in.burst_ratio, 1.0) + codec.bpl);
  return std::clamp(on.best - on.to_narrowband * delay_impairment(in.delay) - ie_eff, 0.0, on.best);
}

double mos_of(double rating, quality_model model) noexcept {
  const auto r = rating / scale_of(model).to_narrowband;
  if (r <= 0)
    return 1;
  if (r >= 100)
    return 4.5;
  // The cubic dips below 1 for R under 6.5; the scale does not.
  return std::clamp(1 + 0.035 * r + r * (r - 60) * (100 - r) * 7e-6, 1.0, 4.5);
}

std::optional<quality> judge(const reception_summary& stream, std::optional<duration> round_trip,
                             duration jitter_buffer, duration packet_time,
                             const codec_impairment& codec) noexcept {
  const auto loss = stream.effective_loss();
  if (!loss)
    return std::nullopt;
  const auto network = round_trip.value_or(duration::zero()) / 2;
  // Where there is a loss, something was expected.
  const auto recovered =
    static_cast<double>(stream.recovered) / static_cast<double>(stream.expected);
  const auto r = rating(
    {*loss, stream.losses.burst_ratio, network + jitter_buffer + packet_time, recovered}, codec);
  return quality{r, mos_of(r, codec.model), codec.model};
}

} // namespace jackfield::rtp

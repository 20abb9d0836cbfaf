#pragma once

#include <optional>

#include "engine/rtp/receiver_statistics.hpp"
#include "engine/rtp/time.hpp"

namespace jackfield::rtp {

/// What a codec costs in the E-model (ITU-T G.113 Appendix I).
struct codec_impairment {
  double ie = 0;    ///< equipment impairment without loss
  double bpl = 4.3; ///< robustness to packet loss
};

/// G.711 with packet-loss concealment (G.711 Appendix I). This is what reports use: every terminal
/// a call may end at conceals.
inline constexpr codec_impairment g711_with_plc{0, 25.1};
/// G.711 where a lost packet is heard as silence.
inline constexpr codec_impairment g711_without_plc{0, 4.3};

struct quality_input {
  double loss = 0;        ///< share of packets not heard, lost or discarded, in [0, 1]
  double burst_ratio = 1; ///< G.107 BurstR, at least 1
  /// Mouth to ear: network, jitter buffer and packetisation. Zero gives listening quality.
  duration delay{};
};

/// The transmission rating R in [0, 93.2]: R = 93.2 - Id(delay) - Ie,eff (ITU-T G.107, narrowband,
/// every other parameter at its default, so that Ro - Is is 93.2). Id is Idd of §3.5 with
/// Ta = delay; echo is taken as cancelled.
[[nodiscard]] double rating(const quality_input& in,
                            const codec_impairment& codec = g711_with_plc) noexcept;

/// G.107 Annex B: R to MOS in [1, 4.5]; 93.2 gives 4.41.
[[nodiscard]] double mos_of(double rating) noexcept;

/// How a stream sounded. Model: G.107 narrowband E-model on measured loss, discards by a fixed
/// jitter buffer, and BurstR.
struct quality {
  double rating = 0;
  double mos = 0;
};

/// Judges a stream. `round_trip` is unset where RTCP gave none: the delay then is that of the
/// jitter buffer and one packet alone. Unset if there is nothing to judge: a figure is never
/// made up.
[[nodiscard]] std::optional<quality> judge(const reception_summary& stream,
                                           std::optional<duration> round_trip,
                                           duration jitter_buffer = std::chrono::milliseconds{60},
                                           duration packet_time = std::chrono::milliseconds{20},
                                           const codec_impairment& codec = g711_with_plc) noexcept;

} // namespace jackfield::rtp

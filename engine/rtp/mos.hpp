#pragma once

#include <cstdint>
#include <optional>

#include "engine/rtp/receiver_statistics.hpp"
#include "engine/rtp/time.hpp"

namespace jackfield::rtp {

/// Which E-model a figure is of. Their scales of R differ, and what a MOS of 4 means with them:
/// figures of two models are not to be averaged.
enum class quality_model : uint8_t {
  g107,   ///< ITU-T G.107, narrowband
  g107_2, ///< ITU-T G.107.2, fullband
};

/// "G.107" or "G.107.2", for reports.
[[nodiscard]] const char* to_string(quality_model model) noexcept;

/// What a codec costs in the E-model (ITU-T G.113 Appendices I and V).
struct codec_impairment {
  double ie = 0;    ///< equipment impairment without loss, on the model's scale
  double bpl = 4.3; ///< robustness to packet loss
  quality_model model = quality_model::g107;
};

/// G.711 with packet-loss concealment (G.711 Appendix I). This is what reports use: every terminal
/// a call may end at conceals.
inline constexpr codec_impairment g711_with_plc{0, 25.1};
/// G.711 where a lost packet is heard as silence.
inline constexpr codec_impairment g711_without_plc{0, 4.3};
/// G.722 as narrowband: not standardised. G.113 has it on the wideband scale alone (G.107.1), and
/// no robustness to loss with a concealment like ours; so it is judged as G.711 is, which gives it
/// no credit for its bandwidth.
inline constexpr codec_impairment g722_as_narrowband{0, 25.1};
/// Opus: not standardised, G.113 has no values for it. These are those of EVS, super-wideband, at
/// 24.4 kbit/s (G.113 Appendix V, provisional), the fullband codec with published values whose bit
/// rates and concealment are nearest to Opus in calls.
inline constexpr codec_impairment opus_as_evs{7.2, 11.4, quality_model::g107_2};

struct quality_input {
  double loss = 0;        ///< share of packets not heard, lost or discarded, in [0, 1]
  double burst_ratio = 1; ///< G.107 BurstR, at least 1
  /// Mouth to ear: network, jitter buffer and packetisation. Zero gives listening quality.
  duration delay{};
  /// Share of packets that are in `loss` but were heard from the FEC of others, in [0, 1]: they are
  /// not charged.
  double recovered = 0;
};

/// The transmission rating R, by the codec's model: R = Ro - Id(delay) - Ie,eff, every other
/// parameter at its default, echo taken as cancelled.
/// G.107: in [0, 93.2], which is Ro - Is. Id is Idd of §3.5 with Ta = delay.
/// G.107.2: in [0, 148]. Id is Idd on that scale, 1.48 times that of G.107.
[[nodiscard]] double rating(const quality_input& in,
                            const codec_impairment& codec = g711_with_plc) noexcept;

/// R to MOS in [1, 4.5]: G.107 Annex B, where 93.2 gives 4.41; G.107.2 Annex A, where the same
/// curve is taken at R / 1.48.
[[nodiscard]] double mos_of(double rating, quality_model model = quality_model::g107) noexcept;

/// How a stream sounded, by an E-model on measured loss, discards by a fixed jitter buffer, and
/// BurstR.
struct quality {
  double rating = 0;
  double mos = 0;
  quality_model model = quality_model::g107;
};

/// Judges a stream. `round_trip` is unset where RTCP gave none: the delay then is that of the
/// jitter buffer and one packet alone. Unset if there is nothing to judge: a figure is never made
/// up.
[[nodiscard]] std::optional<quality> judge(const reception_summary& stream,
                                           std::optional<duration> round_trip,
                                           duration jitter_buffer = std::chrono::milliseconds{60},
                                           duration packet_time = std::chrono::milliseconds{20},
                                           const codec_impairment& codec = g711_with_plc) noexcept;

} // namespace jackfield::rtp

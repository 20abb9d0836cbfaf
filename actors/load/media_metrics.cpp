#include "actors/load/media_metrics.hpp"

#include <algorithm>

#include "engine/audio/codec.hpp"

namespace jackfield {

namespace {

/// What the peer reported of what it heard of us.
lane::duration reported_jitter(const media_outcome& outcome) {
  return std::chrono::nanoseconds{int64_t{outcome.remote->jitter} * 1'000'000'000 /
                                  outcome.clock_rate};
}

} // namespace

void add_received(report::media_direction& to, const media_outcome& outcome) {
  const auto& r = outcome.received;
  to.received += r.packets;
  if (!r.first_packet)
    return;
  to.streams += 1;
  to.expected += r.expected;
  to.lost += r.lost;
  to.fec_recovered += r.recovered;
  to.duplicate += r.duplicates;
  to.reordered += r.reordered;
  to.late += r.discarded;
  to.jitter.record(r.jitter_mean);
  if (outcome.mos)
    to.mos.record(*outcome.mos);
}

void add_reported(report::media_direction& to, const media_outcome& outcome) {
  if (!outcome.remote || outcome.packets_sent == 0)
    return;
  const auto lost = static_cast<uint64_t>(std::max(0, outcome.remote->cumulative_lost));
  to.streams += 1;
  to.expected += outcome.packets_sent;
  to.lost += lost;
  to.received += outcome.packets_sent - std::min(lost, outcome.packets_sent);
  to.jitter.record(reported_jitter(outcome));
  if (outcome.remote_mos)
    to.mos.record(*outcome.remote_mos);
}

void add_found(report::found_sounds& to, const media_outcome& outcome) {
  if (!outcome.heard)
    return;
  switch (outcome.heard->mostly()) {
  case audio::found_sound::kind::tone:
    ++to.tone;
    break;
  case audio::found_sound::kind::sound:
    ++to.sound;
    break;
  case audio::found_sound::kind::silence:
    ++to.silence;
    break;
  }
}

void add_refused(report::ignored_packets& to, const media_outcome& outcome) {
  to.strangers += outcome.refused.strangers;
  to.forged += outcome.refused.forged;
  to.replayed += outcome.refused.replayed;
  to.malformed += outcome.refused.malformed;
  to.unauthenticated += outcome.refused.unauthenticated;
}

void add_phases(report::latencies& to, const media_outcome& outcome) {
  const auto& took = outcome.took;
  if (took.gathering)
    to.ice_gathering.record(*took.gathering);
  if (took.checks)
    to.ice_checks.record(*took.checks);
  if (took.handshake)
    to.dtls.record(*took.handshake);
}

report::call_media received_of(const media_outcome& outcome) {
  const auto& r = outcome.received;
  report::call_media out;
  out.packets = r.packets;
  out.lost = r.lost;
  out.fec_recovered = r.recovered;
  out.duplicate = r.duplicates;
  out.reordered = r.reordered;
  out.late = r.discarded;
  if (r.first_packet)
    out.jitter = r.jitter_mean;
  out.mos = outcome.mos;
  if (outcome.receiving)
    out.codec = audio::traits_of(static_cast<audio::codec>(outcome.receiving->codec)).name;
  return out;
}

std::optional<report::call_media> reported_of(const media_outcome& outcome) {
  if (!outcome.remote)
    return std::nullopt;
  report::call_media out;
  out.lost = static_cast<uint64_t>(std::max(0, outcome.remote->cumulative_lost));
  out.packets = outcome.packets_sent - std::min(out.lost, outcome.packets_sent);
  out.jitter = reported_jitter(outcome);
  out.mos = outcome.remote_mos;
  return out;
}

void take_health(report::run_metrics& to, const lane::lane& home, const media_plane& media) {
  const auto& from = home.health();
  auto& health = to.health;
  health.lane_lag = {};
  for (size_t i = 0; i < from.lag.size(); ++i)
    if (from.lag[i] > 0)
      health.lane_lag.record(lane::lane_health::lag_step_us(i), from.lag[i]);
  health.passes = from.passes;
  health.late_passes = from.late_passes;
  health.socket_drops = from.socket_drops;
  // What came in and what was lost is known while streams are open.
  const auto live = [](report::media_direction& direction, const media_plane::tally& now) {
    direction.expected = now.expected;
    direction.received = now.received;
    direction.lost = now.lost;
    direction.variation_us = now.variation_us;
    direction.variation_count = now.variation_count;
  };
  live(to.media.received, media.heard());
  live(to.media.sent, media.reported());
  to.media.packets_sent = media.packets_sent();
  to.media.dtx_frames = media.dtx_frames();
  to.media.send_lateness = media.send_lateness();
}

} // namespace jackfield

#include "actors/load/kept_figures.hpp"

#include <algorithm>
#include <cmath>

namespace jackfield {

namespace {

using figures = storage::call_figures;
using kept_sound = storage::found_sound;
using heard_sound = audio::found_sound::kind;

// A record names what was found by the same numbers.
static_assert(static_cast<int>(kept_sound::silence) == static_cast<int>(heard_sound::silence) &&
              static_cast<int>(kept_sound::tone) == static_cast<int>(heard_sound::tone) &&
              static_cast<int>(kept_sound::sound) == static_cast<int>(heard_sound::sound));

figures::step kept(const report::step_counts::count& step) {
  return {static_cast<uint32_t>(step.done), static_cast<uint32_t>(step.failed)};
}

report::step_counts::count counted(const figures::step& step) {
  return {step.done, step.failed};
}

figures::audio kept(const media_outcome& m) {
  figures::audio a;
  a.connected = m.connected;
  a.sent = m.packets_sent;
  const auto& r = m.received;
  a.heard = r.first_packet.has_value();
  a.received = r.packets;
  a.expected = r.expected;
  a.lost = r.lost;
  a.recovered = r.recovered;
  a.duplicates = r.duplicates;
  a.reordered = r.reordered;
  a.discarded = r.discarded;
  a.jitter = r.jitter_mean;
  a.mos = m.mos;
  if (m.remote)
    a.remote = figures::audio::report{
      m.remote->cumulative_lost,
      figures::duration{int64_t{m.remote->jitter} * 1'000'000'000 / m.clock_rate}, m.remote_mos};
  a.round_trip = m.round_trip;
  a.digits_sent = m.digits_sent;
  a.digits_received = m.digits_received.size();
  a.strangers = m.refused.strangers;
  a.forged = m.refused.forged;
  a.replayed = m.refused.replayed;
  a.malformed = m.refused.malformed;
  a.unauthenticated = m.refused.unauthenticated;
  a.gathering = m.took.gathering;
  a.checks = m.took.checks;
  a.handshake = m.took.handshake;
  if (m.heard)
    a.found = static_cast<kept_sound>(m.heard->mostly());
  return a;
}

media_outcome outcome_of(const figures::audio& a, uint64_t restarts) {
  media_outcome m;
  m.connected = a.connected;
  m.packets_sent = a.sent;
  auto& r = m.received;
  if (a.heard)
    r.first_packet.emplace();
  r.packets = a.received;
  r.expected = a.expected;
  r.lost = a.lost;
  r.recovered = a.recovered;
  r.duplicates = a.duplicates;
  r.reordered = a.reordered;
  r.discarded = a.discarded;
  r.jitter_mean = a.jitter;
  m.mos = a.mos;
  if (a.remote) {
    m.clock_rate = 1'000'000; // its jitter is told in microseconds then
    auto& remote = m.remote.emplace();
    remote.cumulative_lost = a.remote->lost;
    remote.jitter =
      static_cast<uint32_t>(std::clamp<int64_t>(a.remote->jitter.count() / 1'000, 0, UINT32_MAX));
    m.remote_mos = a.remote->mos;
  }
  m.round_trip = a.round_trip;
  m.digits_sent = a.digits_sent;
  m.digits_received.assign(std::min<uint64_t>(a.digits_received, 256), '?'); // they are counted
  m.refused.strangers = a.strangers;
  m.refused.forged = a.forged;
  m.refused.replayed = a.replayed;
  m.refused.malformed = a.malformed;
  m.refused.unauthenticated = a.unauthenticated;
  m.took.gathering = a.gathering;
  m.took.checks = a.checks;
  m.took.handshake = a.handshake;
  if (a.found) { // it is counted
    auto heard = std::make_shared<audio::heard_sounds>();
    constexpr std::chrono::seconds enough{1};
    (*a.found == kept_sound::tone    ? heard->tone
     : *a.found == kept_sound::sound ? heard->sound
                                     : heard->silence) = enough;
    m.heard = std::move(heard);
  }
  m.took.restarts = static_cast<uint32_t>(restarts);
  return m;
}

} // namespace

figures figures_of(const call_finished& call) {
  const auto& t = call.times;
  const auto since = [&](const std::optional<lane::time_point>& at) {
    return at ? std::optional{*at - t.started} : std::nullopt;
  };
  figures f;
  f.due = t.due - t.started;
  f.first_response = since(t.first_response);
  f.ringing = since(t.ringing);
  f.final_response = since(t.final_response);
  f.acknowledged = since(t.acknowledged);
  f.bye_sent = since(t.bye_sent);
  f.local_bye = call.cause == sip::end_cause::local_bye;
  f.requests = call.wire.requests;
  f.retransmissions = call.wire.retransmissions;
  f.failovers = call.wire.failovers;
  f.hold = kept(call.steps.hold);
  f.resume = kept(call.steps.resume);
  f.ice_restart = kept(call.steps.ice_restart);
  f.info_digit = kept(call.steps.info_digit);
  if (call.media)
    f.media = kept(*call.media);
  return f;
}

call_finished finished_of(const storage::call_ended& record) {
  call_finished call;
  call.number = record.call.number;
  call.status = static_cast<int>(record.status);
  call.failure = report::failure_cause::from_name(record.cause)
                   .value_or(report::failure_cause{report::failure_cause::internal});
  auto& t = call.times;
  t.started = lane::time_point{record.started.time_since_epoch()};
  const auto at = [&](const std::optional<figures::duration>& since) {
    return since ? std::optional{t.started + *since} : std::nullopt;
  };
  t.due = t.started;
  t.ended = lane::time_point{record.ended.time_since_epoch()};
  if (record.answered)
    t.answered = t.final_response = lane::time_point{record.answered->time_since_epoch()};
  if (!record.figures)
    return call;
  const auto& f = *record.figures;
  t.due += f.due;
  t.first_response = at(f.first_response);
  t.ringing = at(f.ringing);
  t.final_response = at(f.final_response);
  t.acknowledged = at(f.acknowledged);
  t.bye_sent = at(f.bye_sent);
  call.cause = f.local_bye ? sip::end_cause::local_bye : sip::end_cause::none;
  call.wire = {f.requests, f.retransmissions, f.failovers};
  call.steps.hold = counted(f.hold);
  call.steps.resume = counted(f.resume);
  call.steps.ice_restart = counted(f.ice_restart);
  call.steps.info_digit = counted(f.info_digit);
  if (f.media)
    call.media = outcome_of(*f.media, f.ice_restart.done);
  return call;
}

} // namespace jackfield

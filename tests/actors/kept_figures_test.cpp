#include "actors/load/kept_figures.hpp"

#include <gtest/gtest.h>

#include "actors/load/load_metrics.hpp"

namespace jackfield {
namespace {

using namespace std::chrono_literals;

call_finished finished_call() {
  call_finished call;
  call.number = 7;
  auto& t = call.times;
  t.started = lane::time_point{1h};
  t.due = t.started - 1ms;
  t.first_response = t.started + 2ms;
  t.ringing = t.started + 3ms;
  t.final_response = t.answered = t.started + 4ms;
  t.acknowledged = t.started + 5ms;
  t.bye_sent = t.started + 2s;
  t.ended = *t.bye_sent + 6ms;
  call.cause = sip::end_cause::local_bye;
  call.status = 200;
  call.wire = {3, 4, 5};
  call.steps.hold = {1, 2};
  auto& m = call.media.emplace();
  m.connected = true;
  m.packets_sent = 100;
  m.received.first_packet = t.answered;
  m.received.packets = 98;
  m.received.expected = 100;
  m.received.lost = 2;
  m.received.jitter_mean = 500us;
  m.mos = 4.2;
  m.remote = rtp::report_block{.cumulative_lost = 3, .jitter = 8};
  m.remote_mos = 4.1;
  m.round_trip = 700us;
  m.digits_received = "12";
  auto heard = std::make_shared<audio::heard_sounds>();
  heard->tone = 2s;
  m.heard = std::move(heard);
  m.refused.strangers = 9;
  m.took.checks = 20ms;
  return call;
}

/// As `kept_call` has it.
storage::call_ended kept(const call_finished& call) {
  const auto wall = [&](lane::time_point at) {
    return storage::wall_time{1'700'000'000s} + (at - call.times.started);
  };
  storage::call_ended end;
  end.call = {1, call.number};
  end.started = wall(call.times.started);
  if (call.times.answered)
    end.answered = wall(*call.times.answered);
  end.ended = wall(*call.times.ended);
  if (call.failure.failed())
    end.cause = call.failure.name();
  end.status = static_cast<uint32_t>(call.status);
  end.figures = figures_of(call);
  return end;
}

report::run_metrics booked(const call_finished& call) {
  load_metrics metrics;
  metrics.measured.calls.offer();
  metrics.measured.calls.start();
  if (call.times.answered)
    metrics.on_answered({call.number, call.times});
  metrics.on_finished(call);
  return metrics.measured;
}

TEST(kept_figures, a_call_from_a_store_counts_as_it_did_when_it_ended) {
  const auto call = finished_call();
  const auto before = booked(call);
  const auto after = booked(finished_of(kept(call)));
  EXPECT_EQ(after.calls.completed, 1U);
  for (const auto what : {&report::latencies::srd, &report::latencies::ttr, &report::latencies::pdd,
                          &report::latencies::setup, &report::latencies::sdd,
                          &report::latencies::call_length, &report::latencies::ice_checks}) {
    EXPECT_EQ((after.times.*what).count(), (before.times.*what).count());
    EXPECT_EQ((after.times.*what).max(), (before.times.*what).max());
  }
  EXPECT_EQ(after.sessions.finals, before.sessions.finals);
  EXPECT_EQ(after.requests_sent, before.requests_sent);
  EXPECT_EQ(after.retransmissions, before.retransmissions);
  EXPECT_EQ(after.failovers, before.failovers);
  EXPECT_EQ(after.steps.hold.done, 1U);
  EXPECT_EQ(after.steps.hold.failed, 2U);
  for (const auto way : {&report::media_counts::received, &report::media_counts::sent}) {
    const auto& was = before.media.*way;
    const auto& is = after.media.*way;
    EXPECT_EQ(is.streams, was.streams);
    EXPECT_EQ(is.expected, was.expected);
    EXPECT_EQ(is.received, was.received);
    EXPECT_EQ(is.lost, was.lost);
    EXPECT_EQ(is.jitter.max(), was.jitter.max());
    EXPECT_EQ(is.mos.mean(), was.mos.mean());
  }
  EXPECT_EQ(after.media.rtt.max(), before.media.rtt.max());
  EXPECT_EQ(after.media.dtmf_received, 2U);
  EXPECT_EQ(after.media.found.tone, 1U);
  EXPECT_EQ(after.media.found.total(), 1U);
  EXPECT_EQ(after.media.ignored.strangers, 9U);
}

TEST(kept_figures, so_does_one_that_failed) {
  call_finished call;
  call.times.started = lane::time_point{1h};
  call.times.due = call.times.started;
  call.times.first_response = call.times.final_response = call.times.ended =
    call.times.started + 5ms;
  call.status = 486;
  call.failure = report::failure_cause::from_status(486);
  const auto after = booked(finished_of(kept(call)));
  EXPECT_EQ(after.calls.failures, booked(call).calls.failures);
  EXPECT_EQ(after.times.srd.count(), 1U);
  EXPECT_EQ(after.sessions.finals, booked(call).sessions.finals);
}

} // namespace
} // namespace jackfield

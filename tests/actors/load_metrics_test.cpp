#include "actors/load/load_metrics.hpp"

#include <functional>
#include <map>
#include <memory>
#include <string>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace jackfield {
namespace {

using namespace std::chrono_literals;
using kind = registration_report::kind;
using report::failure_cause;

registration_report reported(kind what, failure_cause failure = {}) {
  registration_report r;
  r.what = what;
  r.failure = failure;
  r.took = 5ms;
  r.had_registered = what != kind::registered;
  return r;
}

TEST(load_metrics, count_each_report_of_a_registration_as_what_it_is) {
  load_metrics metrics;
  auto& calls = metrics.measured.calls;
  const auto& counts = metrics.measured.registrations;
  calls.offer();
  calls.start();
  metrics.on_registration(reported(kind::registered));
  metrics.on_registration(reported(kind::refreshed));
  metrics.on_registration(reported(kind::refreshed));
  EXPECT_EQ(counts.succeeded, 1U);
  EXPECT_EQ(counts.current, 1U);
  EXPECT_EQ(counts.refreshed, 2U);
  EXPECT_EQ(counts.refresh_failed, 0U);
  EXPECT_EQ(counts.failed, 0U);
  EXPECT_TRUE(counts.failures.empty());
  const auto refused = failure_cause::from_status(500);
  metrics.on_registration(reported(kind::failed, refused));
  EXPECT_EQ(counts.refreshed, 2U);
  EXPECT_EQ(counts.refresh_failed, 1U);
  EXPECT_EQ(counts.failures, (std::map<failure_cause, uint64_t>{{refused, 1}}));
  EXPECT_EQ(counts.current, 1U) << "it will try again";
  auto over = reported(kind::over);
  over.left = true;
  metrics.on_registration(over);
  EXPECT_EQ(counts.current, 0U);
  EXPECT_EQ(counts.refresh_failed, 1U);
  EXPECT_EQ(calls.completed, 1U);
  EXPECT_EQ(calls.failed, 0U);
}

// -- calls -------------------------------------------------------------------------

using sip::end_cause;
using testing::HasSubstr;
using testing::Not;

/// Due at second 100, and answered, acknowledged and hung up by us.
call_finished good_call() {
  const lane::time_point due{100s};
  call_finished c;
  c.number = 7;
  c.times.due = due;
  c.times.started = due + 1ms;
  c.times.first_response = due + 10ms;
  c.times.ringing = due + 20ms;
  c.times.final_response = c.times.answered = due + 30ms;
  c.times.acknowledged = due + 31ms;
  c.times.bye_sent = due + 1031ms;
  c.times.ended = due + 1050ms;
  c.cause = end_cause::local_bye;
  c.status = 200;
  c.wire.requests = 3;
  auto target = std::make_shared<call_target>();
  target->uri = "sip:bob@10.0.0.2";
  target->from = "<sip:alice@10.0.0.1>";
  c.target = std::move(target);
  return c;
}

/// What a run has measured of one call, changed so.
report::run_metrics of_call(const std::function<void(call_finished&)>& change) {
  auto call = good_call();
  change(call);
  load_metrics metrics;
  metrics.measured.calls.offer();
  metrics.measured.calls.start();
  if (call.times.answered)
    metrics.on_answered({call.number, call.times});
  metrics.on_finished(call);
  return metrics.measured;
}

std::string line_of(const std::function<void(call_finished&)>& change) {
  auto call = good_call();
  change(call);
  std::string line;
  append_call_line(line, call, lane::time_point{90s}, {});
  return line;
}

/// RFC 6076 §4.3.1: the session disconnect delay is of a BYE that we sent and that was answered.
TEST(load_metrics, know_the_disconnect_delay_of_our_own_byes_alone) {
  struct row {
    const char* what;
    std::function<void(call_finished&)> change;
    bool known;
  };
  for (const auto& r : {
         row{"ours", [](auto&) {}, true},
         row{"the peer's", [](auto& c) { c.cause = end_cause::remote_bye; }, false},
         row{"none was sent", [](auto& c) { c.times.bye_sent.reset(); }, false},
         row{"no end", [](auto& c) { c.times.ended.reset(); }, false},
         row{"unanswered", [](auto& c) { c.cause = end_cause::timeout_f; }, false},
       }) {
    const auto m = of_call(r.change);
    EXPECT_EQ(m.times.sdd.count(), r.known ? 1U : 0U) << r.what;
    EXPECT_THAT(line_of(r.change), HasSubstr(r.known ? "\"sdd_ms\":19.000," : "\"sdd_ms\":null,"))
      << r.what;
  }
  EXPECT_NEAR(static_cast<double>(of_call([](auto&) {}).times.sdd.max()), 19'000, 200) << "us";
}

/// What was heard to the end of the call: to our BYE, or to the peer's.
TEST(load_metrics, know_how_long_a_call_was_up) {
  const auto length = [](const std::function<void(call_finished&)>& change) {
    const auto m = of_call(change);
    EXPECT_EQ(m.times.call_length.count(), 1U);
    return static_cast<double>(m.times.call_length.max()) / 1000;
  };
  EXPECT_NEAR(length([](auto&) {}), 1001, 10);
  const auto hung_up = [](auto& c) {
    c.times.bye_sent.reset();
    c.cause = end_cause::remote_bye;
  };
  EXPECT_NEAR(length(hung_up), 1020, 10);
  EXPECT_THAT(line_of([](auto&) {}), HasSubstr("\"duration_ms\":1001.000,"));
  EXPECT_THAT(line_of(hung_up), HasSubstr("\"duration_ms\":1020.000,"));
  EXPECT_THAT(line_of(hung_up), HasSubstr("\"ended_by\":\"callee\""));
}

/// RFC 3261 §8.1.3.1: a call without a final response counts as one with 408, or with 503.
TEST(load_metrics, count_calls_that_failed_by_why) {
  struct row {
    failure_cause why;
    int status; // of the INVITE; 0: none came
    uint64_t timeouts;
    std::map<uint16_t, uint64_t> finals;
  };
  for (const auto& r :
       {row{failure_cause::from_status(486), 486, 0, {{486, 1}}},
        row{failure_cause::timeout, 0, 1, {{408, 1}}},
        row{failure_cause::transport_error, 0, 0, {{503, 1}}},
        row{failure_cause::connect_failed, 0, 0, {}}, row{failure_cause::stopped, 0, 0, {}},
        row{failure_cause::bye_timeout, 200, 1, {{200, 1}}}}) {
    const auto m = of_call([&](call_finished& c) {
      c.failure = r.why;
      c.status = r.status;
      if (r.status != 200)
        c.times.answered.reset();
    });
    EXPECT_EQ(m.timeouts, r.timeouts) << r.why.name();
    EXPECT_EQ(m.sessions.finals, r.finals) << r.why.name();
    EXPECT_EQ(m.calls.failures, (std::map<failure_cause, uint64_t>{{r.why, 1}})) << r.why.name();
    EXPECT_EQ(m.calls.completed, 0U);
  }
  const auto good = of_call([](auto&) {});
  EXPECT_EQ(good.timeouts, 0U);
  EXPECT_EQ(good.sessions.finals, (std::map<uint16_t, uint64_t>{{200, 1}}));
  EXPECT_EQ(good.calls.completed, 1U);
  EXPECT_EQ(good.calls.ended_by_caller, 1U);
  EXPECT_EQ(good.requests_sent, 3U);
}

/// Each under its own name, and also of a stream that came to nothing: that is when one asks.
TEST(load_metrics, tell_how_long_each_phase_of_webrtc_took) {
  const auto phases = [](call_finished& c) {
    c.media.emplace();
    c.media->took.gathering = 1ms;
    c.media->took.checks = 2ms;
    c.media->took.handshake = 3ms;
  };
  EXPECT_THAT(line_of(phases), HasSubstr("\"ice_gathering_ms\":1.000,\"ice_checks_ms\":2.000,"
                                         "\"dtls_ms\":3.000,"));
  const auto m = of_call(phases);
  EXPECT_EQ(m.times.ice_gathering.max(), 1'000U) << "us";
  EXPECT_EQ(m.times.ice_checks.max(), 2'000U);
  EXPECT_EQ(m.times.dtls.max(), 3'000U);
  const auto none = [](call_finished& c) { c.media.emplace(); };
  EXPECT_THAT(line_of(none), HasSubstr("\"ice_gathering_ms\":null,\"ice_checks_ms\":null,"
                                       "\"dtls_ms\":null,"));
  EXPECT_EQ(of_call(none).times.ice_checks.count(), 0U);
}

/// A call's line: its times are from when it was due, which is since the run began.
TEST(load_metrics, have_a_line_with_the_times_of_a_call) {
  const auto line = line_of([](auto&) {});
  EXPECT_THAT(line, HasSubstr("\"id\":7,"));
  EXPECT_THAT(line, HasSubstr("\"from\":\"sip:alice@10.0.0.1\",\"to\":\"sip:bob@10.0.0.2\","));
  EXPECT_THAT(line, HasSubstr("\"started\":\"1970-01-01T00:00:10.001Z\","));
  EXPECT_THAT(line, HasSubstr("\"due_ms\":10000.000,\"late_ms\":1.000,\"status\":200,"));
  EXPECT_THAT(line, HasSubstr("\"ended_by\":\"caller\""));
  EXPECT_THAT(line, HasSubstr("\"srd_ms\":20.000,\"pdd_ms\":20.000,\"setup_ms\":31.000,"));
  const auto silent = line_of([](auto& c) { c.times.ringing.reset(); });
  EXPECT_THAT(silent, HasSubstr("\"srd_ms\":30.000,\"pdd_ms\":null,")) << "it did not ring";
  const auto refused = line_of([](auto& c) {
    c.times.answered = c.times.acknowledged = c.times.bye_sent = std::nullopt;
    c.cause = end_cause::busy;
  });
  EXPECT_THAT(refused, HasSubstr("\"setup_ms\":null,\"sdd_ms\":null,"));
  EXPECT_THAT(refused, HasSubstr("\"duration_ms\":null,"));
  EXPECT_THAT(refused, Not(HasSubstr("ended_by")));
}

} // namespace
} // namespace jackfield

#include "engine/report/run_metrics.hpp"

#include <cmath>
#include <set>
#include <vector>

#include <gtest/gtest.h>

#include "engine/report/interval_series.hpp"
#include "engine/report/ratios.hpp"
#include "engine/report/verdict.hpp"

namespace jackfield::report {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;

TEST(mos_distribution, rounds_down_and_ranks_from_below) {
  mos_distribution mos;
  EXPECT_EQ(mos.mean(), std::nullopt);
  EXPECT_EQ(mos.percentile(5), std::nullopt);
  mos.record(std::nan(""));
  EXPECT_TRUE(mos.empty());
  for (int i = 0; i < 95; ++i)
    mos.record(4.41);
  for (int i = 0; i < 5; ++i)
    mos.record(1.239);
  EXPECT_DOUBLE_EQ(*mos.percentile(5), 1.23);
  EXPECT_DOUBLE_EQ(*mos.percentile(5.1), 4.41);
  EXPECT_NEAR(*mos.mean(), 0.95 * 4.41 + 0.05 * 1.23, 1e-9);
  mos.record(-3);
  mos.record(9);
  EXPECT_DOUBLE_EQ(*mos.min(), 1);
  EXPECT_DOUBLE_EQ(*mos.max(), 5);
}

TEST(mos_distribution, tells_what_came_since_a_snapshot) {
  mos_distribution mos;
  mos.record(2);
  const mos_distribution before = mos;
  mos.record(4);
  EXPECT_DOUBLE_EQ(*mos.since(before).mean(), 4);
  EXPECT_TRUE(mos.since(mos).empty());
}

TEST(failure_cause, has_a_name_and_a_text_for_everything) {
  std::set<std::string> names;
  for (uint16_t code = 0; code < failure_cause::own_causes; ++code) {
    const failure_cause cause{static_cast<failure_cause::own>(code)};
    EXPECT_FALSE(cause.text().empty());
    EXPECT_TRUE(names.insert(cause.name()).second) << cause.name();
    EXPECT_EQ(cause.status(), 0);
    EXPECT_EQ(cause.failed(), code != 0);
  }
  EXPECT_EQ(failure_cause::from_status(503).name(), "sip_503");
  EXPECT_EQ(failure_cause::from_status(503).text(), "503 Service Unavailable");
  EXPECT_EQ(failure_cause::from_status(599).text(), "599");
  for (const int status : {-1, 0, 180, 200, 299, 700, 100'000})
    EXPECT_EQ(failure_cause::from_status(status), failure_cause{failure_cause::bad_answer});
}

TEST(status_matrix, counts_by_method_and_ignores_what_is_no_status) {
  status_matrix matrix;
  matrix.count_request(counted_method::invite);
  matrix.count_response(counted_method::invite, 180);
  matrix.count_response(counted_method::invite, 99);
  matrix.count_response(counted_method::invite, 700);
  status_matrix other;
  other.count_response(counted_method::invite, 180);
  other.count_response(counted_method::bye, 481);
  matrix.merge(other);
  EXPECT_EQ(matrix.requests(counted_method::invite), 1U);
  EXPECT_EQ(matrix.responses(counted_method::invite), (std::map<uint16_t, uint64_t>{{180, 2}}));
  EXPECT_EQ(matrix.responses(counted_method::bye), (std::map<uint16_t, uint64_t>{{481, 1}}));
}

TEST(status_matrix, knows_methods_by_their_exact_names) {
  for (size_t i = 0; i < counted_methods; ++i) {
    const auto method = static_cast<counted_method>(i);
    EXPECT_EQ(counted_method_from(to_string(method)), method);
  }
  EXPECT_EQ(counted_method_from("invite"), counted_method::other);
  EXPECT_EQ(counted_method_from(""), counted_method::other);
}

run_metrics one_lane(uint64_t seed) {
  run_metrics m;
  for (uint64_t i = 0; i < 10 + seed; ++i) {
    m.calls.offer();
    m.calls.start();
    m.times.srd.record(1000 * (i + seed));
    if (i % 3 == 0) {
      m.calls.fail(failure_cause::from_status(486));
      m.sessions.count(486);
      continue;
    }
    m.calls.answer();
    m.sessions.count(200);
    m.media.received.mos.record(4);
    m.media.received.expected += 10;
  }
  m.health.rss_peak_kb = 100 * seed;
  m.health.cpu_seconds = static_cast<double>(seed);
  m.registrations.failures[failure_cause::auth_failed] = seed;
  return m;
}

void expect_same(const run_metrics& a, const run_metrics& b) {
  EXPECT_EQ(a.calls.started, b.calls.started);
  EXPECT_EQ(a.calls.current, b.calls.current);
  EXPECT_EQ(a.calls.failures, b.calls.failures);
  EXPECT_EQ(a.sessions.finals, b.sessions.finals);
  EXPECT_EQ(a.registrations.failures, b.registrations.failures);
  EXPECT_EQ(a.times.srd, b.times.srd);
  EXPECT_EQ(a.media.received.mos, b.media.received.mos);
  EXPECT_EQ(a.media.received.expected, b.media.received.expected);
  EXPECT_EQ(a.health.rss_peak_kb, b.health.rss_peak_kb);
  EXPECT_DOUBLE_EQ(a.health.cpu_seconds, b.health.cpu_seconds);
}

TEST(run_metrics, merge_in_any_order) {
  const run_metrics a = one_lane(1);
  const run_metrics b = one_lane(2);
  const run_metrics c = one_lane(5);
  run_metrics left = a;
  left.merge(b);
  left.merge(c);
  run_metrics pair = b;
  pair.merge(c);
  run_metrics right = a;
  right.merge(pair);
  expect_same(left, right);
  run_metrics backwards = c;
  backwards.merge(b);
  backwards.merge(a);
  expect_same(left, backwards);
  EXPECT_EQ(left.health.rss_peak_kb, 500U);
}

TEST(run_metrics, keeps_its_call_counts_in_balance) {
  const run_metrics m = one_lane(5);
  EXPECT_EQ(m.calls.started, m.calls.completed + m.calls.failed + m.calls.current);
  uint64_t failures = 0;
  for (const auto& [cause, count] : m.calls.failures)
    failures += count;
  EXPECT_EQ(failures, m.calls.failed);
  EXPECT_GE(m.calls.peak, m.calls.current);
}

TEST(ratios, follow_rfc_6076) {
  run_metrics m;
  const auto count = [&](int status, int times) {
    for (int i = 0; i < times; ++i)
      m.sessions.count(status);
  };
  count(200, 60);
  count(302, 20);
  count(486, 10);
  count(408, 5);
  count(503, 5);
  m.calls.completed = 54;
  m.calls.failed = 46;
  m.registrations.succeeded = 3;
  m.registrations.failed = 1;
  m.times.call_length.record(seconds{30});
  const ratios r = derive_ratios(m);
  EXPECT_DOUBLE_EQ(*r.asr, 60);
  EXPECT_DOUBLE_EQ(*r.ser, 75);
  EXPECT_DOUBLE_EQ(*r.seer, 87.5);
  EXPECT_DOUBLE_EQ(*r.isa, 10);
  EXPECT_DOUBLE_EQ(*r.ner, 90);
  EXPECT_DOUBLE_EQ(*r.scr, 54);
  EXPECT_DOUBLE_EQ(*r.ira, 25);
  EXPECT_DOUBLE_EQ(*r.acd, 30);
}

TEST(session_outcomes, count_final_statuses_alone) {
  session_outcomes sessions;
  for (const int status : {-1, 0, 100, 199, 700, 65'536 + 200})
    sessions.count(status);
  EXPECT_EQ(sessions.total(), 0U);
  sessions.count(200);
  sessions.count(699);
  EXPECT_EQ(sessions.finals, (std::map<uint16_t, uint64_t>{{200, 1}, {699, 1}}));
}

TEST(ratios, have_nothing_to_say_without_attempts) {
  const ratios r = derive_ratios({});
  for (const auto& value : {r.asr, r.ser, r.seer, r.isa, r.ner, r.scr, r.ira, r.acd})
    EXPECT_EQ(value, std::nullopt);
  run_metrics redirected;
  redirected.sessions.count(302);
  EXPECT_EQ(derive_ratios(redirected).ser, std::nullopt);
}

TEST(verdict, is_valid_when_the_generator_kept_up) {
  run_metrics m;
  m.calls.missed_by_limit = 7;
  m.health.lane_lag.record(19 * 1'000, 1'000);
  m.health.passes = 1000;
  m.health.late_passes = 10;
  m.media.send_lateness.record(5 * 1'000, 1'000);
  const verdict v = judge(m, std::chrono::seconds{1});
  EXPECT_TRUE(v.valid);
  EXPECT_TRUE(v.invalid_reasons.empty());
  ASSERT_EQ(v.remarks.size(), 1U);
  EXPECT_EQ(v.remarks[0], "7 calls were not started because of the limit on concurrent calls");
}

TEST(verdict, names_each_way_in_which_the_generator_was_the_bottleneck) {
  const auto reasons_of = [](auto spoil) {
    run_metrics m;
    spoil(m);
    const verdict v = judge(m, std::chrono::seconds{10});
    EXPECT_EQ(v.valid, v.invalid_reasons.empty());
    return v.invalid_reasons;
  };
  using strings = std::vector<std::string>;
  EXPECT_EQ(reasons_of([](run_metrics& m) { m.health.lane_lag.record(50 * 1'000, 8); }),
            strings{"lanes stood still for 0.4 s, 4.0 % of their time (bound 1 %), 0.1 s at once "
                    "(bound 2 s)"});
  EXPECT_EQ(reasons_of([](run_metrics& m) {
              m.health.passes = 999;
              m.health.late_passes = 10;
            }),
            strings{"lanes were overloaded in 10 of 999 passes, bound 1 %"});
  EXPECT_EQ(reasons_of([](run_metrics& m) { m.calls.missed_by_generator = 1; }),
            strings{"1 call was not started because the generator could not keep up"});
  EXPECT_EQ(reasons_of([](run_metrics& m) {
              m.calls.start();
              m.calls.fail(failure_cause::refused_locally);
            }),
            strings{"1 call was given up by an overloaded lane of the generator"});
  EXPECT_EQ(
    reasons_of([](run_metrics& m) {
      m.health.start_lateness.record(30 * 1'000, 5);
      m.health.start_lateness.record(1 * 1'000, 494);
    }),
    strings{"calls were started late: 5 of 499 by more than 20 ms, bound 1 %, worst 30.0 ms"});
  const auto unequipped = [](const char* calls) {
    return strings{std::string{calls} + " not made for want of the generator's own: room, ports of "
                                        "media (--media-ports) or file descriptors (ulimit -n)"};
  };
  EXPECT_EQ(reasons_of([](run_metrics& m) {
              m.calls.start();
              m.calls.fail(failure_cause::media_setup);
            }),
            unequipped("1 call was"));
  EXPECT_EQ(reasons_of([](run_metrics& m) { m.health.own_refusals = 3; }),
            unequipped("3 calls were"));
  EXPECT_EQ(reasons_of([](run_metrics& m) { m.health.socket_drops = 2; }),
            strings{"2 datagrams were lost at the generator's own sockets"});
  EXPECT_EQ(
    reasons_of([](run_metrics& m) { m.media.send_lateness.record(6 * 1'000, 50); }),
    strings{"media packets were sent late: 50 of 50 by more than 5 ms, bound 1 %, worst 6.0 ms"});
}

TEST(verdict, is_not_spoilt_by_one_hiccup) {
  const auto judged = [](auto happened, std::chrono::nanoseconds lane_time) {
    run_metrics m;
    happened(m);
    return judge(m, lane_time).valid;
  };
  using std::chrono::seconds;
  // Three of 3,900 arrivals.
  EXPECT_TRUE(judged(
    [](run_metrics& m) {
      m.health.start_lateness.record(300 * 1'000, 3);
      m.health.start_lateness.record(1 * 1'000, 3'897);
      m.health.lane_lag.record(milliseconds{300});
    },
    seconds{60}));
  // A smoke test of one call.
  EXPECT_TRUE(judged(
    [](run_metrics& m) {
      m.health.start_lateness.record(milliseconds{90});
      m.health.lane_lag.record(milliseconds{90});
      m.media.send_lateness.record(90 * 1'000, 4);
      m.media.send_lateness.record(1 * 1'000, 46);
    },
    seconds{1}));
  // Sixty calls, of which one was late.
  EXPECT_TRUE(judged(
    [](run_metrics& m) {
      m.health.start_lateness.record(milliseconds{25});
      m.health.start_lateness.record(1 * 1'000, 59);
    },
    seconds{10}));
  // It stood still, once and for long, be it after the last arrival.
  const auto stopped = [](run_metrics& m) { m.health.lane_lag.record(milliseconds{3'000}); };
  EXPECT_FALSE(judged(stopped, seconds{10}));
  EXPECT_FALSE(judged(stopped, std::chrono::hours{1}));
  EXPECT_FALSE(judged(stopped, {})) << "for how long it ran is not known";
  // And in many short stops.
  const auto often = [](run_metrics& m) { m.health.lane_lag.record(40 * 1'000, 30); };
  EXPECT_FALSE(judged(often, seconds{60}));
  EXPECT_TRUE(judged(often, seconds{180}));
}

TEST(interval_series, shows_what_each_interval_added) {
  interval_series series;
  run_metrics m;
  m.calls.offered = m.calls.started = 100;
  m.times.srd.record(milliseconds{10});
  m.health.cpu_seconds = 0.5;
  series.sample(seconds{1}, m);
  m.calls.offered = m.calls.started = 250;
  m.times.srd.record(milliseconds{30});
  m.health.cpu_seconds = 2;
  series.sample(seconds{3}, m);
  series.sample(seconds{3}, m); // no time has passed
  ASSERT_EQ(series.rows().size(), 2U);
  const auto& row = series.rows()[1];
  EXPECT_DOUBLE_EQ(row.at_s, 3);
  EXPECT_DOUBLE_EQ(row.length_s, 2);
  EXPECT_EQ(row.started, 150U);
  EXPECT_DOUBLE_EQ(row.cpu_percent, 75);
  EXPECT_NEAR(*row.srd_p50_ms, 30, 0.5);
  EXPECT_EQ(row.mos_mean, std::nullopt);
}

TEST(interval_series, a_loss_that_is_taken_back_is_not_added_again) {
  interval_series series;
  run_metrics m;
  std::vector<uint64_t> added;
  for (const uint64_t lost : {5U, 9U, 6U, 8U, 12U}) {
    m.media.received.lost = lost - 2;
    m.media.sent.lost = 2;
    series.sample(seconds{added.size() + 1}, m);
    added.push_back(series.latest().packets_lost);
  }
  EXPECT_EQ(added, (std::vector<uint64_t>{5, 4, 0, 0, 3}));
}

/// As joined() says: counts add up, gauges are the later ones, a percentile is the worse one.
TEST(interval_row, of_two_is_as_each_column_joins) {
  const auto row = [](double time, uint64_t count, double weight_in_ms) {
    interval_row r;
    r.at_s = r.length_s = time;
    for (auto* each : {&r.offered, &r.started, &r.missed, &r.answered, &r.completed, &r.failed,
                       &r.current, &r.requests, &r.retransmissions, &r.registered, &r.packets_sent,
                       &r.packets_received, &r.packets_lost, &r.fec_recovered})
      *each = count++;
    r.cpu_percent = weight_in_ms;
    for (auto* each :
         {&r.srd_p50_ms, &r.srd_p95_ms, &r.srd_p99_ms, &r.lane_lag_p99_ms, &r.send_lateness_p99_ms,
          &r.jitter_mean_ms, &r.rrd_p50_ms, &r.rrd_p95_ms, &r.rrd_p99_ms, &r.mos_mean})
      *each = weight_in_ms;
    return r;
  };
  const auto early = row(1, 300, 80);
  const auto late = row(3, 100, 40);
  const auto both = joined(early, late);
  EXPECT_EQ(both.at_s, 3);
  EXPECT_EQ(both.length_s, 4);
  EXPECT_EQ(both.offered, 400U);
  EXPECT_EQ(both.started, 402U);
  EXPECT_EQ(both.missed, 404U);
  EXPECT_EQ(both.answered, 406U);
  EXPECT_EQ(both.completed, 408U);
  EXPECT_EQ(both.failed, 410U);
  EXPECT_EQ(both.current, 106U) << "what holds at the end";
  EXPECT_EQ(both.requests, 414U);
  EXPECT_EQ(both.retransmissions, 416U);
  EXPECT_EQ(both.registered, 418U);
  EXPECT_EQ(both.packets_sent, 420U);
  EXPECT_EQ(both.packets_received, 422U);
  EXPECT_EQ(both.packets_lost, 424U);
  EXPECT_EQ(both.fec_recovered, 426U);
  EXPECT_DOUBLE_EQ(both.cpu_percent, 50) << "by time";
  const auto by = [](double weight_early, double weight_late) {
    return (80 * weight_early + 40 * weight_late) / (weight_early + weight_late);
  };
  EXPECT_DOUBLE_EQ(*both.srd_p50_ms, by(301, 101)) << "by calls started";
  EXPECT_DOUBLE_EQ(*both.rrd_p50_ms, by(309, 109)) << "by registrations";
  EXPECT_DOUBLE_EQ(*both.jitter_mean_ms, by(311, 111)) << "by packets";
  EXPECT_DOUBLE_EQ(*both.mos_mean, by(304, 104)) << "by calls that ended";
  for (const auto& order : {joined(early, late), joined(late, early)})
    for (const auto& worse : {order.srd_p95_ms, order.srd_p99_ms, order.rrd_p95_ms,
                              order.rrd_p99_ms, order.lane_lag_p99_ms, order.send_lateness_p99_ms})
      EXPECT_EQ(worse, 80);

  // Where there is nothing of one, it is as of the other.
  const interval_row nothing;
  for (const auto& one : {joined(early, nothing), joined(nothing, early)})
    for (const auto& figure : {one.srd_p50_ms, one.srd_p95_ms, one.srd_p99_ms, one.rrd_p50_ms,
                               one.rrd_p95_ms, one.rrd_p99_ms, one.jitter_mean_ms,
                               one.lane_lag_p99_ms, one.send_lateness_p99_ms, one.mos_mean})
      EXPECT_EQ(figure, 80);
}

TEST(interval_series, stays_bounded_and_loses_no_count) {
  interval_series series;
  run_metrics m;
  const size_t samples = interval_series::most_rows * 2 + 500;
  for (size_t i = 1; i <= samples; ++i) {
    m.calls.offered = i * 3;
    series.sample(seconds{i}, m);
  }
  EXPECT_LE(series.rows().size(), interval_series::most_rows);
  uint64_t offered = 0;
  double length = 0;
  double at = 0;
  for (const auto& row : series.rows()) {
    offered += row.offered;
    length += row.length_s;
    EXPECT_GT(row.at_s, at);
    at = row.at_s;
  }
  EXPECT_EQ(offered, samples * 3);
  EXPECT_DOUBLE_EQ(length, static_cast<double>(samples));
  EXPECT_EQ(series.latest().offered, 3U);
}

} // namespace
} // namespace jackfield::report

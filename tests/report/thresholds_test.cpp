#include "engine/report/thresholds.hpp"

#include <gtest/gtest.h>

namespace jackfield::report {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;

std::string cause_of(std::string_view text) {
  const auto parsed = parse_thresholds("--threshold", text);
  if (parsed) {
    ADD_FAILURE() << "accepted: " << text;
    return {};
  }
  EXPECT_EQ(parsed.error().place, "--threshold");
  EXPECT_EQ(parsed.error().to_string().find('\n'), std::string::npos);
  return parsed.error().cause;
}

TEST(thresholds, read_ks_grammar) {
  struct row {
    std::string_view text;
    aggregation what;
    double percent;
    comparison compare;
    double bound;
    std::string_view shown;
  };
  const row rows[] = {
    {"srd_ms: p(99)<200", aggregation::percentile, 99, comparison::less, 200, "srd_ms: p(99)<200"},
    {"srd_ms:p(99.9)<=1e3", aggregation::percentile, 99.9, comparison::less_equal, 1000,
     "srd_ms: p(99.9)<=1000"},
    {"  srd_ms :  p( 50 )  >  0.5  ", aggregation::percentile, 50, comparison::greater, 0.5,
     "srd_ms: p(50)>0.5"},
    {"setup_ms: avg>=1", aggregation::avg, 0, comparison::greater_equal, 1, "setup_ms: avg>=1"},
    {"sdd_ms: min<5", aggregation::min, 0, comparison::less, 5, "sdd_ms: min<5"},
    {"pdd_ms: max<5", aggregation::max, 0, comparison::less, 5, "pdd_ms: max<5"},
    {"ttr_ms: med<5", aggregation::med, 0, comparison::less, 5, "ttr_ms: med<5"},
    {"failed: count==0", aggregation::count, 0, comparison::equal, 0, "failed: count==0"},
    {"failed: count===0", aggregation::count, 0, comparison::equal, 0, "failed: count==0"},
    {"failed: rate<0.01", aggregation::rate, 0, comparison::less, 0.01, "failed: rate<0.01"},
    {"timeouts: count!=-3", aggregation::count, 0, comparison::not_equal, -3,
     "timeouts: count!=-3"},
    {"ser: value>=99.9", aggregation::value, 0, comparison::greater_equal, 99.9,
     "ser: value>=99.9"},
  };
  for (const auto& r : rows) {
    const auto parsed = parse_thresholds("test", r.text);
    ASSERT_TRUE(parsed) << r.text << ": " << parsed.error().to_string();
    ASSERT_EQ(parsed->size(), 1U);
    const auto& t = parsed->front();
    EXPECT_EQ(t.what, r.what) << r.text;
    EXPECT_EQ(t.percent, r.percent) << r.text;
    EXPECT_EQ(t.compare, r.compare) << r.text;
    EXPECT_EQ(t.bound, r.bound) << r.text;
    EXPECT_EQ(t.text, r.shown);
    EXPECT_FALSE(t.abort_on_fail);
  }
}

TEST(thresholds, may_be_several_and_may_abort) {
  const auto parsed = parse_thresholds(
    "test", "srd_ms: p(99)<200 abortOnFail, avg<50 abortOnFail(1.5m), max<1000 abortOnFail(10s)");
  ASSERT_TRUE(parsed) << parsed.error().to_string();
  ASSERT_EQ(parsed->size(), 3U);
  EXPECT_TRUE((*parsed)[0].abort_on_fail);
  EXPECT_EQ((*parsed)[0].abort_delay, seconds{0});
  EXPECT_EQ((*parsed)[1].abort_delay, seconds{90});
  EXPECT_EQ((*parsed)[2].abort_delay, seconds{10});
}

TEST(thresholds, refuse_bad_input_in_one_line_that_says_what_was_expected) {
  struct row {
    std::string_view text;
    std::string_view expected;
  };
  const row rows[] = {
    {"", "expected a metric, as in srd_ms: p(99)<200, at character 1: the end"},
    {":", "expected a metric, as in srd_ms: p(99)<200, at character 1: \":\""},
    {"srd_ms", "expected ':' after srd_ms, at character 7: the end"},
    {"srd_ms p(99)<2", "expected ':' after srd_ms, at character 8: \"p(99)<2\""},
    {"srd_ms:", "expected avg, min, med, max, count or p(N) of srd_ms, at character 8: the end"},
    {"srd_ms: mean<3",
     "expected avg, min, med, max, count or p(N) of srd_ms, at character 9: \"mean<3\""},
    {"srd_ms: rate<3", "srd_ms has no rate, expected avg, min, med, max, count or p(N)"},
    {"failed: p(99)<3", "failed has no p, expected count or rate"},
    {"peak: avg<3", "peak has no avg, expected value"},
    {"srd_ms: p<3", "expected p(N), as in p(99), at character 10: \"<3\""},
    {"srd_ms: p(<3", "expected p(N), as in p(99), at character 11: \"<3\""},
    {"srd_ms: p(99<3", "expected p(N), as in p(99), at character 13: \"<3\""},
    {"srd_ms: p(101)<3", "expected a percentile from 0 to 100, not 101, at character 15: \"<3\""},
    {"srd_ms: p(-1)<3", "expected a percentile from 0 to 100, not -1, at character 14: \"<3\""},
    {"srd_ms: p(nan)<3", "expected p(N), as in p(99), at character 11: \"nan)<3\""},
    {"srd_ms: avg", "expected < <= > >= == === or !=, at character 12: the end"},
    {"srd_ms: avg=3", "expected < <= > >= == === or !=, at character 12: \"=3\""},
    {"srd_ms: avg<", "expected a number, at character 13: the end"},
    {"srd_ms: avg<x", "expected a number, at character 13: \"x\""},
    {"srd_ms: avg<inf", "expected a number, at character 13: \"inf\""},
    {"srd_ms: avg<1e999", "expected a number, at character 13: \"1e999\""},
    {"srd_ms: avg<3,", "expected avg, min, med, max, count or p(N) of srd_ms, at character 15: "
                       "the end"},
    {"srd_ms: avg<3;", "expected ',' or the end, at character 14: \";\""},
    {"srd_ms: avg<3 ms", "expected abortOnFail, ',' or the end, at character 15: \"ms\""},
    {"srd_ms: avg<3 abortOnFail(", "expected a delay, as in abortOnFail(10s) or abortOnFail(1m), "
                                   "at character 27: the end"},
    {"srd_ms: avg<3 abortOnFail(-1s)", "expected a delay, as in abortOnFail(10s) or "
                                       "abortOnFail(1m), at character 30: \")\""},
  };
  for (const auto& r : rows)
    EXPECT_EQ(cause_of(r.text), r.expected) << r.text;
}

TEST(thresholds, suggest_the_metric_that_was_meant) {
  EXPECT_NE(cause_of("srd: p(99)<3").find("did you mean srd_ms?"), std::string::npos);
  EXPECT_NE(cause_of("faild: rate<3").find("did you mean failed?"), std::string::npos);
  EXPECT_NE(cause_of("retransmisions: count<3").find("did you mean retransmissions?"),
            std::string::npos);
  EXPECT_EQ(nearest_metric("xrd_ms"), "srd_ms") << "as near as rrd_ms, and before it";
  const std::string unknown = cause_of("http_req_duration: p(99)<3");
  EXPECT_EQ(unknown.find("did you mean"), std::string::npos);
  for (const auto& entry : metric_catalogue())
    EXPECT_NE(unknown.find(entry.name), std::string::npos) << entry.name;
}

/// 40 characters of what is wrong are shown; that there is more is said where there is.
TEST(thresholds, quote_what_is_wrong_up_to_a_length) {
  const auto wrong = [](size_t length) {
    return cause_of("srd_ms: avg<" + std::string(length, 'x'));
  };
  const auto shown = '"' + std::string(40, 'x');
  EXPECT_TRUE(wrong(40).ends_with(shown + '"')) << wrong(40);
  EXPECT_TRUE(wrong(41).ends_with(shown + "...\"")) << wrong(41);
}

/// What follows a text in memory, as in a line of options, is none of it.
TEST(thresholds, end_where_their_text_ends) {
  constexpr std::string_view whole = "srd_ms : p( 99 ) <= 200 abortOnFail( 1 m ) , avg < 50  ";
  for (size_t n = 0; n <= whole.size(); ++n) {
    const auto of_whole = parse_thresholds("test", whole.substr(0, n));
    const auto alone = parse_thresholds("test", std::string{whole.substr(0, n)});
    ASSERT_EQ(of_whole.has_value(), alone.has_value()) << n;
    if (!of_whole) {
      EXPECT_EQ(of_whole.error().cause, alone.error().cause) << n;
    }
  }
}

TEST(thresholds, show_hostile_input_without_harm) {
  const std::string cause = cause_of("srd_ms: avg<\x1b[2J\n\xff");
  EXPECT_EQ(cause.find('\x1b'), std::string::npos);
  EXPECT_NE(cause.find("<U+001B>"), std::string::npos);
  EXPECT_LT(cause_of("srd_ms: avg<" + std::string(100'000, 'x')).size(), 200U);
  EXPECT_LT(cause_of(std::string(100'000, 'x')).size(), 2000U);
}

TEST(thresholds, are_evaluated_on_what_was_measured) {
  run_metrics m;
  for (int i = 1; i <= 100; ++i)
    m.times.srd.record(milliseconds{i});
  m.calls.completed = 99;
  m.calls.failed = 1;
  m.timeouts = 50;
  struct row {
    std::string_view text;
    double observed;
    bool passed;
  };
  const row rows[] = {
    {"srd_ms: max<=100", 100, true},    {"srd_ms: max<100", 100, false},
    {"srd_ms: min==1", 1, true},        {"srd_ms: avg>50", 50.5, true},
    {"srd_ms: count!=100", 100, false}, {"failed: rate<0.01", 0.01, false},
    {"failed: rate<=0.01", 0.01, true}, {"failed: count>=2", 1, false},
    {"timeouts: rate<=5", 5, true},     {"timeouts: count<50", 50, false},
    {"scr: value>=99", 99, true},       {"peak: value>0", 0, false},
  };
  for (const auto& r : rows) {
    const auto parsed = parse_thresholds("test", r.text);
    ASSERT_TRUE(parsed) << r.text;
    const auto outcome = evaluate_thresholds(*parsed, m, seconds{10}).at(0);
    ASSERT_TRUE(outcome.observed) << r.text;
    EXPECT_DOUBLE_EQ(*outcome.observed, r.observed) << r.text;
    EXPECT_EQ(outcome.passed, r.passed) << r.text;
  }
}

TEST(thresholds, are_not_met_by_what_was_never_measured) {
  const auto parsed = parse_thresholds("test", "srd_ms: p(99)<200 abortOnFail");
  ASSERT_TRUE(parsed);
  const auto outcome = evaluate_thresholds(*parsed, {}, seconds{10}).at(0);
  EXPECT_EQ(outcome.observed, std::nullopt);
  EXPECT_FALSE(outcome.passed);
  EXPECT_EQ(crossed_abort(*parsed, {}, seconds{10}), nullptr);
}

TEST(thresholds, abort_only_after_their_delay) {
  const auto parsed = parse_thresholds("test", "srd_ms: max<10, max<20 abortOnFail(10s)");
  ASSERT_TRUE(parsed);
  run_metrics m;
  m.times.srd.record(milliseconds{30});
  EXPECT_EQ(crossed_abort(*parsed, m, seconds{9}), nullptr);
  EXPECT_EQ(crossed_abort(*parsed, m, seconds{10}), &(*parsed)[1]);
}

TEST(metric_catalogue, answers_all_that_fits_each_metric) {
  const run_metrics nothing;
  for (const auto& entry : metric_catalogue()) {
    EXPECT_EQ(find_metric(entry.name), &entry);
    EXPECT_EQ(nearest_metric(entry.name), entry.name);
    EXPECT_FALSE(entry.meaning.empty());
    for (const auto what :
         {aggregation::avg, aggregation::min, aggregation::med, aggregation::max,
          aggregation::count, aggregation::percentile, aggregation::rate, aggregation::value}) {
      if (!fits(entry.kind, what))
        continue;
      const auto value = entry.read(nothing, what, 99, 0);
      if (value) {
        EXPECT_EQ(*value, 0) << entry.name;
      }
    }
  }
}

} // namespace
} // namespace jackfield::report

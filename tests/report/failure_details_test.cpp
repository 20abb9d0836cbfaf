#include "engine/report/failure_details.hpp"

#include <gtest/gtest.h>

#include "engine/report/run_report.hpp"
#include "engine/report/summary_json.hpp"
#include "engine/report/summary_text.hpp"
#include "engine/report/verdict.hpp"

namespace jackfield::report {
namespace {

const failure_cause busy = failure_cause::from_status(486);
const failure_cause down = failure_cause::from_status(503);

TEST(failure_details, counts_what_was_said_by_cause) {
  failure_details details;
  details.count(down, "Retry-After 30");
  details.count(down, "Retry-After 30");
  details.count(busy, "Reason Q.850;cause=17", 3);
  details.count(busy, "");
  ASSERT_NE(details.of(down), nullptr);
  EXPECT_EQ(*details.of(down), (failure_details::texts{{"Retry-After 30", 2}}));
  EXPECT_EQ(*details.of(busy), (failure_details::texts{{"Reason Q.850;cause=17", 3}}));
  EXPECT_EQ(details.of(failure_cause::timeout), nullptr);
}

TEST(failure_details, stays_small_whatever_peers_say) {
  failure_details details;
  for (size_t i = 0; i < 1000; ++i)
    details.count(down, "Retry-After " + std::to_string(i));
  details.count(down, "Retry-After 0"); // known, and counted as such
  ASSERT_EQ(details.of(down)->size(), failure_details::most_texts + 1);
  EXPECT_EQ(details.of(down)->at("Retry-After 0"), 2U);
  EXPECT_EQ(details.of(down)->at(std::string{failure_details::others}),
            1000 - failure_details::most_texts);
  std::string long_text(failure_details::longest_text - 1, 'a');
  details.count(busy, long_text.append("\xc3\xa4"));
  EXPECT_EQ(details.of(busy)->begin()->first, std::string(failure_details::longest_text - 1, 'a'))
    << "no half of a character stays";
}

TEST(failure_details, of_lanes_are_added_up) {
  failure_details one;
  failure_details other;
  one.count(down, "a", 2);
  other.count(down, "a");
  for (size_t i = 0; i < failure_details::most_texts; ++i)
    other.count(down, "b" + std::to_string(i), 5);
  one.merge(other);
  uint64_t all = 0;
  for (const auto& [text, count] : *one.of(down))
    all += count;
  EXPECT_EQ(all, 2 + 1 + 5 * failure_details::most_texts);
  EXPECT_EQ(one.of(down)->at("a"), 3U);
  EXPECT_EQ(one.of(down)->size(), failure_details::most_texts + 1);
}

TEST(failure_details, stand_in_the_reports) {
  run_report report;
  auto& calls = report.metrics.calls;
  for (int i = 0; i < 3; ++i) {
    calls.offer();
    calls.start();
    calls.fail(down, "Warning 399 gw \"no \x1b[31mchannel\"");
  }
  const auto text = summary_text(report);
  const auto row = text.find("503 Service Unavailable");
  ASSERT_NE(row, std::string::npos) << text;
  EXPECT_NE(text.find("3  Warning 399 gw", row), std::string::npos) << text;
  EXPECT_EQ(text.find('\x1b'), std::string::npos) << "a peer draws on the terminal";
  EXPECT_NE(summary_json(report).find("\"failure_details\": {\n    \"sip_503\": {"),
            std::string::npos)
    << summary_json(report);
}

// -- what held a run up ------------------------------------------------------------------

class held_up : public testing::Test {
protected:
  held_up() {
    for (int i = 0; i < 100; ++i)
      late_.media.send_lateness.record(std::chrono::milliseconds{50});
  }
  std::string cause(double own, double others, double stolen = 0) {
    late_.health.cpu_own = own;
    late_.health.cpu_others = others;
    late_.health.cpu_stolen = stolen;
    const auto reasons = judge(late_).invalid_reasons;
    return reasons.size() == 2 ? reasons[1] : std::string{"(not told)"};
  }
  run_metrics late_;
};

TEST_F(held_up, is_told_by_who_had_the_cores) {
  EXPECT_TRUE(cause(0.3, 0.7).starts_with("what held it up: other processes")) << cause(0.3, 0.7);
  EXPECT_TRUE(cause(0.95, 0.05).starts_with("what held it up: its own work")) << cause(0.95, 0.05);
  EXPECT_TRUE(cause(0.3, 0.1, 0.4).starts_with("what held it up: the host"))
    << cause(0.3, 0.1, 0.4);
  EXPECT_TRUE(cause(0.3, 0.1).starts_with("what held it up: not for want of cores"))
    << cause(0.3, 0.1);
  EXPECT_NE(cause(0.3, 0.7).find("30 % its own, 70 % other processes"), std::string::npos);
}

TEST_F(held_up, is_not_told_where_it_is_not_known_or_nothing_was_late) {
  ASSERT_EQ(judge(late_).invalid_reasons.size(), 1U);
  run_metrics punctual;
  punctual.health.cpu_own = 0.1;
  punctual.health.cpu_others = 0.9;
  EXPECT_TRUE(judge(punctual).valid);
  punctual.health.own_refusals = 1; // no matter of time
  EXPECT_EQ(judge(punctual).invalid_reasons.size(), 1U);
}

TEST_F(held_up, bounds_are_the_users) {
  validity_bounds wide;
  wide.send_lateness = std::chrono::milliseconds{60};
  EXPECT_TRUE(judge(late_, {}, wide).valid);
  wide.send_lateness = std::chrono::milliseconds{40};
  EXPECT_FALSE(judge(late_, {}, wide).valid);
  wide.late_share = 1;
  EXPECT_TRUE(judge(late_, {}, wide).valid);
}

TEST(verdict, remarks_audio_from_elsewhere_and_audio_that_stopped) {
  run_metrics m;
  m.media.ignored.strangers = 60;
  m.media.stopped_calls = 1;
  m.calls.ended_by_callee = 2;
  const auto v = judge(m);
  EXPECT_TRUE(v.valid);
  ASSERT_EQ(v.remarks.size(), 3U);
  EXPECT_EQ(v.remarks[0], "1 call had audio that stopped seconds before the call's end");
  EXPECT_EQ(v.remarks[1], "60 datagrams came at ports of media from another address or port than "
                          "was signalled, and not heard");
  EXPECT_EQ(v.remarks[2], "2 calls were ended by the callee");
}

} // namespace
} // namespace jackfield::report

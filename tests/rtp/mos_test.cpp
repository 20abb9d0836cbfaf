#include "engine/rtp/mos.hpp"

#include <string>

#include <gtest/gtest.h>

namespace jackfield::rtp {
namespace {

using namespace std::chrono_literals;

TEST(mos, gives_a_perfect_g711_call_its_due) {
  EXPECT_NEAR(rating({}), 93.2, 1e-9);
  EXPECT_NEAR(mos_of(rating({})), 4.41, 0.005);
}

TEST(mos, follows_the_formula_of_annex_b) {
  EXPECT_EQ(mos_of(-1), 1);
  EXPECT_EQ(mos_of(0), 1);
  EXPECT_GE(mos_of(3), 1); // the cubic itself is below
  EXPECT_NEAR(mos_of(50), 2.58, 0.01);
  EXPECT_NEAR(mos_of(60), 3.10, 0.01);
  EXPECT_NEAR(mos_of(70), 3.60, 0.01);
  EXPECT_NEAR(mos_of(80), 4.02, 0.01);
  EXPECT_NEAR(mos_of(90), 4.34, 0.01);
  EXPECT_EQ(mos_of(100), 4.5);
  EXPECT_EQ(mos_of(120), 4.5);
}

TEST(mos, charges_loss_by_the_codecs_robustness) {
  // 95 * 5 / (5 + 25.1) and 95 * 5 / (5 + 4.3).
  EXPECT_NEAR(rating({0.05}), 93.2 - 15.78, 0.01);
  EXPECT_NEAR(rating({0.05}, g711_without_plc), 93.2 - 51.08, 0.01);
  // In bursts of twice the length of chance: 95 * 5 / (2.5 + 25.1).
  EXPECT_NEAR(rating({0.05, 2}), 93.2 - 17.21, 0.01);
  // All lost: 95 * 100 / 125.1; without concealment nothing is left.
  EXPECT_NEAR(rating({1}), 93.2 - 75.94, 0.01);
  EXPECT_NEAR(rating({1}, g711_without_plc), 2.12, 0.01);
  EXPECT_EQ(rating({2}), rating({1}));
  EXPECT_EQ(rating({-1}), rating({0}));
}

TEST(mos, charges_delay_above_a_tenth_of_a_second) {
  EXPECT_EQ(rating({0, 1, 100ms}), rating({}));
  // Idd of G.107: hardly anything at 150 ms, and a steep rise behind it.
  EXPECT_LT(rating({}) - rating({0, 1, 150ms}), 1.0);
  EXPECT_NEAR(rating({}) - rating({0, 1, 200ms}), 3.0, 0.2);
  EXPECT_NEAR(rating({}) - rating({0, 1, 400ms}), 24.0, 2.0);
  EXPECT_GE(rating({0, 1, 1h}), 0);
  double last = 100;
  for (auto d = 0ms; d < 3s; d += 10ms) {
    const auto r = rating({0, 1, d});
    EXPECT_LE(r, last);
    last = r;
  }
}

TEST(mos, has_no_figure_for_what_was_not_heard_of) {
  EXPECT_FALSE(judge({}, std::nullopt));
  EXPECT_FALSE(judge({}, 10ms));
}

TEST(mos, judges_a_stream_by_loss_discards_and_delay) {
  reception_summary s;
  s.expected = 1000;
  const auto perfect = judge(s, std::nullopt);
  ASSERT_TRUE(perfect);
  EXPECT_NEAR(perfect->mos, 4.41, 0.005);
  s.lost = 20;
  s.discarded = 30;
  const auto lossy = judge(s, 1ms);
  ASSERT_TRUE(lossy);
  EXPECT_NEAR(lossy->rating, 93.2 - 15.78, 0.01);
  EXPECT_LT(judge(s, 500ms)->mos, lossy->mos);
}

TEST(mos, judges_opus_on_the_fullband_scale) {
  const auto clean = rating({}, opus_as_evs);
  EXPECT_NEAR(clean, 148 - 7.2, 1e-9);
  EXPECT_GT(mos_of(clean, quality_model::g107_2), 4.3);
  // 7.2 + (132 - 7.2) * 3 / (3 + 11.4) = 33.2.
  const auto lossy = rating({0.03}, opus_as_evs);
  EXPECT_NEAR(lossy, 148 - 33.2, 0.01);
  EXPECT_NEAR(mos_of(lossy, quality_model::g107_2), 4.0, 0.1);
  EXPECT_EQ(mos_of(148, quality_model::g107_2), 4.5);
  EXPECT_NEAR(mos_of(148 * 0.6, quality_model::g107_2), mos_of(60), 1e-9);
}

TEST(mos, does_not_charge_for_what_fec_recovered) {
  const auto lossy = rating({0.03}, opus_as_evs);
  EXPECT_GT(rating({0.03, 1, {}, 0.02}, opus_as_evs), lossy);
  EXPECT_DOUBLE_EQ(rating({0.03, 1, {}, 0.02}, opus_as_evs), rating({0.03 - 0.02}, opus_as_evs));
  EXPECT_EQ(rating({0.03, 1, {}, 0.5}, opus_as_evs), rating({}, opus_as_evs));
  EXPECT_EQ(rating({0.03, 1, {}, -0.5}, opus_as_evs), lossy);
}

TEST(mos, charges_delay_on_the_fullband_scale_as_much_as_on_the_narrow) {
  EXPECT_EQ(rating({0, 1, 100ms}, opus_as_evs), rating({}, opus_as_evs));
  EXPECT_NEAR((rating({}, opus_as_evs) - rating({0, 1, 400ms}, opus_as_evs)) / 1.48,
              rating({}) - rating({0, 1, 400ms}), 1e-9);
  EXPECT_GE(rating({1, 1, 1h}, opus_as_evs), 0);
}

TEST(mos, says_which_model_a_stream_was_judged_by) {
  reception_summary s;
  s.expected = 1000;
  s.lost = 30;
  EXPECT_EQ(judge(s, 20ms)->model, quality_model::g107);
  const auto opus = judge(s, 20ms, 60ms, 20ms, opus_as_evs);
  EXPECT_EQ(opus->model, quality_model::g107_2);
  EXPECT_EQ(to_string(opus->model), std::string{"G.107.2"});
  s.recovered = 20;
  const auto with_fec = judge(s, 20ms, 60ms, 20ms, opus_as_evs);
  EXPECT_GT(with_fec->mos, opus->mos);
  EXPECT_GT(with_fec->mos, 4.2);
  // G.722 has no credit for its bandwidth, and no charge.
  EXPECT_EQ(judge(s, 20ms, 60ms, 20ms, g722_as_narrowband)->mos, judge(s, 20ms)->mos);
}

} // namespace
} // namespace jackfield::rtp

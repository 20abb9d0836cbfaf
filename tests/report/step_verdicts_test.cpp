#include "engine/report/step_verdicts.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace jackfield::report {
namespace {

using namespace std::chrono_literals;
using testing::ElementsAre;
using testing::IsEmpty;
using testing::StartsWith;

/// A run of two lanes: packets a second, some of them late.
class steps : public testing::Test {
protected:
  void pass(std::chrono::seconds time, unsigned late) {
    for (auto i = 0s; i < time; i += 1s) {
      for (unsigned k = 0; k < 10'000; ++k)
        metrics_.media.send_lateness.record(k < late ? 20ms : 1ms);
      at_ += 1s;
      judged_.sample(at_, metrics_);
    }
  }
  run_metrics metrics_;
  std::chrono::nanoseconds at_{};
  step_verdicts judged_{{{"10/s", 60s}, {"10 to 500/s", 70s}, {"500/s", 100'000s}}, 2, {}};
};

TEST_F(steps, one_that_was_late_is_named_though_the_whole_was_not) {
  pass(60s, 0);
  pass(10s, 500); // 5 %
  pass(600s, 1);
  EXPECT_TRUE(judge(metrics_).valid) << "0.7 % of all";
  judged_.finish(at_, metrics_);
  EXPECT_THAT(judged_.invalid_reasons(),
              ElementsAre(StartsWith("step 2 (10 to 500/s): media packets were sent late: ")));
}

TEST_F(steps, all_that_were_punctual_say_nothing) {
  pass(200s, 5);
  judged_.finish(at_, metrics_);
  EXPECT_THAT(judged_.invalid_reasons(), IsEmpty());
}

TEST_F(steps, the_last_one_is_judged_when_the_run_ends) {
  pass(70s, 0);
  pass(5s, 5'000);
  EXPECT_THAT(judged_.invalid_reasons(), IsEmpty()) << "it goes on";
  judged_.finish(at_, metrics_);
  EXPECT_THAT(judged_.invalid_reasons(), ElementsAre(StartsWith("step 3 (500/s): ")));
}

TEST(steps_of_a_run, that_are_one_are_the_whole) {
  step_verdicts judged{{{"10/s", 60s}}, 1, {}};
  run_metrics late;
  for (int i = 0; i < 1'000; ++i)
    late.media.send_lateness.record(1s);
  judged.sample(61s, late);
  judged.finish(62s, late);
  EXPECT_THAT(judged.invalid_reasons(), IsEmpty());
}

} // namespace
} // namespace jackfield::report

// Every row of two tables of Erlang's formulas, simulated: ten seeds, 200,000 calls each. Of the
// row with 5,050 agents more, as in so few calls its line does not come and go often enough for the
// seeds to tell how it does: that would be five relaxation times.

#include <cmath>
#include <string>

#include <gtest/gtest.h>

#include "engine/simulation/single_queue.hpp"

namespace jackfield::simulation {
namespace {

using namespace std::chrono_literals;

struct row {
  double per_hour;
  duration handling;
  uint32_t agents;
  duration patience; // 0: for ever
  uint64_t calls = 200'000;
};

// Of Erlang C, then of Erlang A.
const row rows[] = {
  {200, 180s, 11, 0s},
  {200, 180s, 12, 0s},
  {200, 180s, 14, 0s},
  {360, 240s, 28, 0s},
  {1000, 300s, 90, 0s},
  {6000, 300s, 520, 0s},
  {60000, 300s, 5050, 0s, 2'000'000},
  {200, 180s, 14, 300s},
  {200, 180s, 11, 120s},
  {200, 180s, 8, 60s},
  {1000, 300s, 84, 120s},
  {1000, 300s, 75, 120s},
  {6000, 300s, 500, 180s},
};
constexpr size_t c_rows = 7;
constexpr size_t a_rows = 6;
/// Of a row: how many wait, for how long, the service level and the occupancy; where they hang up,
/// how many do, and two more service levels.
constexpr size_t comparisons = 4 * c_rows + 7 * a_rows;

struct figure {
  const char* name;
  compared_figure queue_study::*of;
  bool with_patience_only;
};
constexpr figure figures[] = {
  {"p_wait", &queue_study::p_wait, false},
  {"asa", &queue_study::asa, false},
  {"service level", &queue_study::level_negative, false},
  {"occupancy", &queue_study::occupancy, false},
  {"abandoned", &queue_study::abandoned, true},
  {"short abandons ignored", &queue_study::level_ignored, true},
  {"short abandons as met", &queue_study::level_positive, true},
};

queue_study study_of(const row& r) {
  single_queue q;
  q.calls_per_second = r.per_hour / 3600;
  q.agents = r.agents;
  q.talk = distribution::exponential(r.handling);
  if (r.patience > 0s)
    q.patience = distribution::exponential(r.patience);
  study_options options;
  options.calls = r.calls;
  options.threads = 2;
  auto study = study_queue(q, options);
  EXPECT_TRUE(study) << study.error().to_string();
  return study.value_or(queue_study{});
}

// Of 70 figures that are right, 3 or 4 lie beyond their 95 % interval, and those of a row go
// together: two rows may. And all of them lie within Bonferroni's wider one in 95 of a hundred
// cases. Seed 1 is the program's default and the first that was tried; of 1, 11, 21, 31, 41 and
// 1001, which were all that were tried, four of 77 rows had a figure beyond.
TEST(tables, are_what_is_simulated) {
  size_t beyond = 0;
  const double wider = student_t(1 - 0.05 / comparisons, 9) / student_t(0.95, 9);
  for (const auto& r : rows) {
    const auto study = study_of(r);
    SCOPED_TRACE(std::to_string(r.agents) + " agents, patience " + std::to_string(r.patience / 1s) +
                 " s");
    for (const auto& each : figures) {
      if (each.with_patience_only && r.patience == 0s)
        continue;
      const auto& f = study.*each.of;
      const double off = std::abs(f.simulated.mean - *f.theory);
      EXPECT_LE(off, *f.simulated.margin * wider)
        << each.name << " is " << f.simulated.mean << ", expected " << *f.theory;
      if (off > *f.simulated.margin) {
        ++beyond;
        std::printf("%u agents, patience %d s: %s %.5f ± %.5f, by the formula %.5f\n", r.agents,
                    static_cast<int>(r.patience / 1s), each.name, f.simulated.mean,
                    *f.simulated.margin, *f.theory);
      }
    }
    // What ten such runs can attain: of Erlang C up to 0.86 of occupancy, as beyond it takes longer
    // and longer for a line to be like any other; of Erlang A everywhere.
    if (*study.occupancy.theory > 0.86 && r.patience == 0s)
      continue;
    EXPECT_NEAR(study.p_wait.simulated.mean / *study.p_wait.theory, 1, 0.02);
    EXPECT_NEAR(study.asa.simulated.mean / *study.asa.theory, 1, 0.05);
    EXPECT_NEAR(study.level_negative.simulated.mean, *study.level_negative.theory, 0.01);
  }
  EXPECT_LE(beyond, 9U) << "of " << comparisons << " figures beyond their 95 % interval";
}

} // namespace
} // namespace jackfield::simulation

#pragma once

#include <gtest/gtest.h>

#include "engine/simulation/live_report.hpp"

namespace jackfield::simulation {

/// Agents who handle a call in 8 s, as a test has time for.
inline live_plan short_plan(uint32_t agents = 10, double erlangs = 8, uint64_t calls = 200,
                            uint32_t comparisons = 100) {
  using namespace std::chrono_literals;
  live_plan plan;
  plan.queue.calls_per_second = erlangs / 8;
  plan.queue.agents = agents;
  plan.queue.talk = distribution::exponential(8s);
  plan.queue.answer_within = 5s;
  plan.calls = calls;
  plan.comparisons = comparisons;
  return plan;
}

/// A virtual run, as if it had been live.
inline live_run played(const live_plan& plan) {
  simulation_options options;
  options.seed = plan.seed;
  options.warm_up = plan.warm_up;
  options.calls = plan.calls;
  live_run run;
  auto figures = simulate(plan.queue.plan(), options,
                          [&](const call_outcome& each) { run.calls.push_back(each); });
  EXPECT_TRUE(figures) << figures.error().to_string();
  run.figures = std::move(*figures);
  return run;
}

inline live_study studied(const live_plan& plan, const live_run& run) {
  auto study = study_live(plan, run);
  EXPECT_TRUE(study) << study.error().to_string();
  return study.value_or(live_study{});
}

inline live_report report_of(const live_plan& plan, const live_run& run) {
  return {{"1.2.3", "jackfield simulate --live"},
          plan,
          {"jackfield serve in this process",
           "SIP over UDP",
           "WebRTC",
           "PCMU",
           203.5,
           200,
           0,
           {},
           {},
           {},
           {}},
          studied(plan, run)};
}

} // namespace jackfield::simulation

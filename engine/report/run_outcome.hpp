#pragma once

#include <cstdint>
#include <string_view>

#include "engine/report/run_report.hpp"

namespace jackfield::report {

/// What a run comes to, in one word: the first of every report.
enum class run_outcome : uint8_t {
  passed,  ///< it ran to its end, nothing failed and every threshold was met
  failed,  ///< something failed, a threshold was crossed, or it was cut
  invalid, ///< it measured the generator, whatever else was to be said
};

/// A call, a registration or a user failed.
[[nodiscard]] inline bool anything_failed(const run_metrics& m) noexcept {
  return m.calls.failed > 0 || m.registrations.failed > 0 || m.registrations.refresh_failed > 0 ||
         m.users.failed > 0;
}

/// It was ended before its own time: some of what was asked for was not done.
[[nodiscard]] inline bool was_cut(const run_report& report) noexcept {
  return !report.info.ended_by.empty();
}

[[nodiscard]] inline run_outcome outcome_of(const run_report& report) noexcept {
  if (!report.validity.valid)
    return run_outcome::invalid;
  const bool failed =
    !report.thresholds_passed() || anything_failed(report.metrics) || was_cut(report);
  return failed ? run_outcome::failed : run_outcome::passed;
}

/// As people read it: "PASSED", and as programs do, in the JSON summary: "passed".
struct outcome_words {
  std::string_view shown;
  std::string_view name;
};

[[nodiscard]] constexpr outcome_words words_of(run_outcome outcome) noexcept {
  switch (outcome) {
  case run_outcome::passed:
    return {"PASSED", "passed"};
  case run_outcome::failed:
    return {"FAILED", "failed"};
  case run_outcome::invalid:
    break;
  }
  return {"INVALID", "invalid"};
}

} // namespace jackfield::report

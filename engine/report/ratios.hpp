#pragma once

#include <optional>

#include "engine/report/run_metrics.hpp"

namespace jackfield::report {

/// Ratios derived from a run, in per cent (acd in seconds). Nothing where the divisor is 0.
struct ratios {
  /// Answer-seizure ratio (ITU-T E.411): sessions answered of all attempts.
  std::optional<double> asr;
  /// Session establishment ratio (RFC 6076 section 4.6): 200 of attempts without the redirected.
  std::optional<double> ser;
  /// Session establishment effectiveness ratio (4.7): like ser, but 480, 486, 600 and 603, which
  /// are the called person's doing, count as success.
  std::optional<double> seer;
  /// Ineffective session attempts (4.8): 408, 500, 503 and 504 of all attempts.
  std::optional<double> isa;
  /// Network effectiveness ratio: 100 - isa.
  std::optional<double> ner;
  /// Session completion ratio (4.9): calls completed of all attempts that have ended.
  std::optional<double> scr;
  /// Ineffective registration attempts (4.2): failed of all first registrations.
  std::optional<double> ira;
  /// Average call duration, seconds.
  std::optional<double> acd;
};

[[nodiscard]] ratios derive_ratios(const run_metrics& metrics);

} // namespace jackfield::report

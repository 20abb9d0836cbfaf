#pragma once

#include <string>

#include "engine/report/run_report.hpp"

namespace jackfield::report {

/// JUnit XML for continuous integration: one test case for the run's validity, one for "no call
/// failed", and one for each threshold. An invalid run is an error, everything else a failure.
[[nodiscard]] std::string junit_xml(const run_report& report);

} // namespace jackfield::report

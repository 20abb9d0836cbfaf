#pragma once

#include "engine/report/run_report.hpp"

namespace jackfield::report {

/// A run of 1,000 calls at 100 a second with audio: most completed, some refused, drawn from a
/// fixed sequence, with 25 s of series.
run_report sample_report();

/// A run of which nothing was measured.
run_report empty_report();

} // namespace jackfield::report

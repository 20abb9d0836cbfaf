#pragma once

#include <string>

#include "engine/report/run_report.hpp"

namespace jackfield::report {

/// A report for people as one HTML file: opens offline, fetches nothing, runs no script, follows
/// the reader's light or dark setting. Everything that came from outside is escaped, and control
/// and bidirectional-override characters are made visible.
[[nodiscard]] std::string html_report(const run_report& report);

} // namespace jackfield::report

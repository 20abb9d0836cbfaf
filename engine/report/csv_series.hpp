#pragma once

#include <string>

#include "engine/report/interval_series.hpp"

namespace jackfield::report {

/// Column names with a line end (CRLF, RFC 4180). New columns are only ever added at the end.
[[nodiscard]] std::string csv_header();
/// One row with its line end; an empty field where nothing was measured. Decimal points, always.
[[nodiscard]] std::string csv_line(const interval_row& row);

} // namespace jackfield::report

#pragma once

#include <string>

#include "engine/report/run_report.hpp"

namespace jackfield::report {

struct text_style {
  bool colour = false; ///< ANSI colours
};

/// What a person reads at the end of a run: the verdict first, then what happened. Several lines,
/// the last one ended. Control characters in the user's strings are shown as escapes.
[[nodiscard]] std::string summary_text(const run_report& report, text_style style = {});

} // namespace jackfield::report

#pragma once

#include <string>

#include "engine/simulation/live_report.hpp"

namespace jackfield::simulation {

/// A live run as a page for people (report::html_page): each figure within or outside what runs
/// like it have, how long callers waited beside their twins, what was added, and how all of it is
/// defined. Warnings come first.
[[nodiscard]] std::string live_html(const live_report& report);

} // namespace jackfield::simulation

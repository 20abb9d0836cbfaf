#pragma once

#include <string>

#include "engine/simulation/study_report.hpp"

namespace jackfield::simulation {

/// A study of one queue as a page for people (report::html_page): the headline with what Erlang
/// says beside it, charts over the numbers of agents if several were tried, how long callers
/// waited, and how all of it is defined. No clock is in it: the same seed gives the same bytes.
[[nodiscard]] std::string study_html(const study_report& report);

} // namespace jackfield::simulation

#pragma once

#include <string>

#include "engine/simulation/day_study.hpp"
#include "engine/simulation/study_report.hpp"

namespace jackfield::simulation {

/// What a day was like, as a page for people (report::html_page): the headline, each queue's day in
/// charts and as a table, and how all of it is defined. Intervals that miss the queue's target are
/// marked, by its mean over the runs. No clock is in it: the same seed gives the same bytes.
[[nodiscard]] std::string day_html(const study_info& info, const day_plan& day,
                                   const day_study& study);

} // namespace jackfield::simulation

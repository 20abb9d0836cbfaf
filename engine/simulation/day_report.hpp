#pragma once

#include <string>

#include "engine/simulation/day_study.hpp"
#include "engine/simulation/study_report.hpp"

namespace jackfield::simulation {

// What a day was like, as the runs have it: counts are means of a run. No clock is in it: the same
// seed gives the same bytes.

/// For people: what misses its target, a line for each queue, how long callers waited, and each
/// queue by intervals.
[[nodiscard]] std::string day_text(const day_plan& day, const day_study& study);
/// One object, with "queues", each with "intervals" and "waits", and "agents". Of a queue,
/// "target_met" is by its mean, "target_met_by_interval" by all of the mean's 95 % interval (false
/// of one run); null where there is no target or no caller. Of an interval, "needed_agents" is null
/// where `day_interval` has none.
[[nodiscard]] std::string day_json(const study_info& info, const day_plan& day,
                                   const day_study& study);
/// A header, and a line for each queue and interval; what is not known is empty.
[[nodiscard]] std::string day_csv(const day_plan& day, const day_study& study);

} // namespace jackfield::simulation

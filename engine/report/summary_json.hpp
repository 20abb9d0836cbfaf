#pragma once

#include <string>

#include "engine/report/run_report.hpp"

namespace jackfield::report {

/// The machine-readable summary, one JSON object with a final newline. Strings that are not UTF-8
/// have the offending bytes replaced.
///
/// These keys are relied upon and do not change; others may join them:
///
///     valid, invalid_reasons []
///     calls     offered, started, missed, answered, completed, failed, peak
///     ms        srd, pdd, sdd, setup: each p50, p95, p99, max; null where nothing was measured
///     media     packets_sent; packets_lost (both directions); mos_p5, mos_mean (streams of both
///               directions; null where none was judged); send_lateness_p99 (ms, or null)
///     failures  { cause: count }
///     cpu_seconds, rss_peak_kb
[[nodiscard]] std::string summary_json(const run_report& report);

} // namespace jackfield::report

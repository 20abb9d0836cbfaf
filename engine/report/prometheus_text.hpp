#pragma once

#include <string>
#include <string_view>

#include "engine/report/run_metrics.hpp"

namespace jackfield::report {

/// The Content-Type that goes with `prometheus_text`.
inline constexpr std::string_view prometheus_content_type =
  "text/plain; version=0.0.4; charset=utf-8";

/// Prometheus text exposition (0.0.4) of the metrics: names begin with `jackfield_`, times are in
/// seconds, histograms are classic ones with fixed bounds.
[[nodiscard]] std::string prometheus_text(const run_metrics& metrics);

} // namespace jackfield::report

#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "engine/report/histogram.hpp"

namespace jackfield::simulation {

/// Callers who waited about as long, for tables and charts.
struct wait_group {
  /// Longer than the group before, and up to this; nothing: however long.
  std::optional<uint64_t> up_to_s;
  uint64_t answered = 0;
  uint64_t abandoned = 0;

  /// "0 s", "<20 s", "longer".
  [[nodiscard]] std::string name() const;
};

/// Of histograms of microseconds; always the same groups.
[[nodiscard]] std::vector<wait_group> grouped_waits(const report::histogram& answered,
                                                    const report::histogram& abandoned);

} // namespace jackfield::simulation

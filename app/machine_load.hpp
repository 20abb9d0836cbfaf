#pragma once

#include <cstdint>
#include <optional>

#include "engine/report/run_metrics.hpp"

namespace jackfield::app {

/// What this process, and the machine's cores, have done since this was made: who had them when a
/// run was not punctual.
class machine_load {
public:
  machine_load();

  /// Fills in processor time, memory and who had the cores. What the system does not tell stays
  /// unset.
  void show(report::generator_health& health) const;

private:
  /// Since the machine's start, in ticks of all cores (proc(5), /proc/stat).
  struct cores {
    uint64_t all = 0;
    uint64_t idle = 0;
    uint64_t stolen = 0;
  };
  static std::optional<cores> read_cores();
  /// us that somebody waited for a core (/proc/pressure/cpu, "some"), and now.
  struct waits {
    uint64_t waited_us = 0;
    int64_t at_us = 0;
  };
  static std::optional<waits> read_waits();

  double cpu_seconds_;
  std::optional<cores> cores_;
  std::optional<waits> waits_;
};

} // namespace jackfield::app

#pragma once

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "engine/report/interval_series.hpp"
#include "engine/report/run_metrics.hpp"
#include "engine/report/thresholds.hpp"
#include "engine/report/verdict.hpp"

namespace jackfield::report {

/// How a run went on that crashes had cut off: the last time.
struct resumption {
  unsigned crashes = 0;
  uint64_t resumed = 0;                ///< calls that were up and went on
  uint64_t lost = 0;                   ///< that were up and did not
  std::chrono::nanoseconds slowest{0}; ///< of those resumed: from the restart to the peer's consent
};

/// What was run. Strings come from the user and are shown as they are; writers escape them.
struct run_info {
  std::string version;   ///< of the program, "0.1.0"
  std::string command;   ///< the command line
  std::string target;    ///< URI called, or "embedded answering engine"
  std::string flow;      ///< "call", "register", "options"
  std::string transport; ///< "udp", "tcp", "tls", "ws", "wss"
  std::string media;     ///< "none", "rtp", "srtp", "webrtc"; what `answer` takes: "any"
  std::string mos_model; ///< "G.107 PCMU"; empty without media
  std::string ended_by;  ///< why it was cut, "SIGINT"; empty when it ran to its end
  std::chrono::system_clock::time_point started{};
  std::chrono::nanoseconds duration{
    0}; ///< from the first arrival's due time to the last call's end
  unsigned lanes = 1;
  /// Unset: it was never cut off.
  std::optional<resumption> resumed = {};
  /// Calls that each lane took, by its index; empty where nobody asks.
  std::vector<uint64_t> calls_by_lane = {};
};

/// Everything the writers show.
struct run_report {
  run_info info;
  run_metrics metrics;
  verdict validity;
  std::vector<threshold_outcome> thresholds;
  std::vector<interval_row> series;

  [[nodiscard]] bool thresholds_passed() const noexcept {
    for (const auto& t : thresholds)
      if (!t.passed)
        return false;
    return true;
  }
};

} // namespace jackfield::report

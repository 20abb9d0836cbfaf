#pragma once

#include <cstddef>
#include <vector>

#include "engine/lane/timer_wheel.hpp"
#include "engine/transport/target_selection.hpp"

namespace jackfield {

/// Which servers failed lately, so that requests go to others of their name first (RFC 3263 §4.3;
/// RFC 3261 §21.5.4 for the Retry-After of a 503). When the time of one is up a single request
/// tries it; the rest follow once it has answered. One a lane, on its thread; bounded: when full
/// the one that comes back first is forgotten.
class server_memory {
public:
  static constexpr size_t most_servers = 256;

  /// `trial`: how long a single request may take to find out whether a server is back.
  explicit server_memory(lane::duration trial) : trial_(trial) {}

  /// It did not answer, could not be reached, or said 503: it rests for so long, at least a trial.
  void failed(const transport::target& server, lane::time_point now, lane::duration rest);
  void answered(const transport::target& server) noexcept;
  [[nodiscard]] size_t size() const noexcept { return resting_.size(); }

  /// The same servers, those that rest behind the others. Counts as a trial of the first one.
  [[nodiscard]] transport::target_selection order(const transport::target_selection& servers,
                                                  lane::time_point now);

private:
  struct resting {
    transport::target server;
    lane::time_point until;
  };
  [[nodiscard]] resting* find(const transport::target& server) noexcept;

  lane::duration trial_;
  std::vector<resting> resting_;
};

} // namespace jackfield

#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

#include "engine/lane/timer_wheel.hpp"
#include "engine/transport/target_selection.hpp"

namespace jackfield {

/// Which servers failed lately, so that requests go to others of their name first (RFC 3263 §4.3;
/// RFC 3261 §21.5.4 for the Retry-After of a 503). When the time of one is up a single request
/// tries it; the rest follow once it has answered. One a lane, on its thread; bounded: when full
/// the one that comes back first is forgotten.
///
/// Whatever comes from a server that was silent says that it is there. One that said 503 goes on
/// answering, though not what it is asked for: requests that it had before, and by challenges and
/// 100 those that it will refuse.
class server_memory {
public:
  static constexpr size_t most_servers = 256;

  /// `trial`: how long a single request may take to find out whether a server is back.
  explicit server_memory(lane::duration trial) : trial_(trial) {}

  enum class failure : uint8_t {
    unreachable, ///< no connection, or no answer
    refused      ///< 503
  };
  /// It rests for so long, at least a trial.
  void failed(const transport::target& server, lane::time_point now, failure how,
              lane::duration rest = {});
  /// A request goes to it though it may rest.
  void tries(const transport::target& server) noexcept;
  /// By a status other than 503.
  void answered(const transport::target& server, int status) noexcept;
  [[nodiscard]] size_t size() const noexcept { return resting_.size(); }

  /// The same servers, those that rest behind the others. Counts as a trial of the first one.
  [[nodiscard]] transport::target_selection order(const transport::target_selection& servers,
                                                  lane::time_point now);

private:
  struct resting {
    transport::target server;
    lane::time_point until;
    failure how;
    bool tried; // since it failed
  };
  [[nodiscard]] resting* find(const transport::target& server) noexcept;

  lane::duration trial_;
  std::vector<resting> resting_;
};

} // namespace jackfield

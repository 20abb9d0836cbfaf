#pragma once

#include <cstddef>
#include <span>
#include <vector>

#include "engine/error/error.hpp"
#include "engine/ice/candidate.hpp"
#include "engine/ice/unique_fd.hpp"
#include "engine/lane/endpoint.hpp"

namespace jackfield::ice {

/// A datagram that came before the socket was taken over. Its sender is not known, but that it
/// was one of the addresses that the checks had validated.
using early_packet = std::vector<std::byte>;

/// The pair that the checks selected, and its socket: non-blocking, bound, not connected, and now
/// the owner's alone. STUN is from now on the owner's to answer (`connectivity`).
struct taken_socket {
  unique_fd socket;
  lane::endpoint local;
  lane::endpoint remote;
  /// The role that was configured. A conflict that changed it meanwhile is met by `connectivity`.
  bool controlling = false;
  candidate_type local_type = candidate_type::host;
  candidate_type remote_type = candidate_type::host;
  std::vector<early_packet> early; ///< at most 16, in order
};

/// Hears of one agent, on the loop's thread: it must not block, and passes on what it hears. From
/// within these calls all functions of the agent may be called.
class agent_observer {
public:
  /// Own candidates, each told once: those of the host at once, others as servers answer. With
  /// `gathering_done` there are no more.
  virtual void on_candidates(const std::vector<candidate>& found, bool gathering_done) = 0;
  /// The last call.
  virtual void on_selected(taken_socket taken) = 0;
  /// The selected pair is relayed: it stays here, `agent::send` and `on_packet` carry its media,
  /// until `on_failed`.
  virtual void on_relayed_selected(const lane::endpoint& remote) = 0;
  /// A packet by the relayed pair, never before `on_relayed_selected`.
  virtual void on_packet(std::span<const std::byte> packet) = 0;
  /// The last call. The place of `why` is "ice gathering", "ice checks" or, of a relayed
  /// pair, "ice consent".
  virtual void on_failed(const error& why) = 0;

protected:
  agent_observer() = default;
  agent_observer(const agent_observer&) = default;
  agent_observer& operator=(const agent_observer&) = default;
  ~agent_observer() = default;
};

} // namespace jackfield::ice

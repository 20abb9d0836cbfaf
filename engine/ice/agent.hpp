#pragma once

#include <cstddef>
#include <memory>
#include <span>
#include <vector>

#include "engine/ice/candidate.hpp"
#include "engine/ice/credentials.hpp"

namespace jackfield::ice {

class agent_session;

/// A handle to a libnice agent that lives on an `agent_loop`. Its commands may be called on any
/// thread, return at once and are carried out on the loop; dropping the handle closes the agent.
/// One handle is not to be used by two threads at a time.
class agent {
public:
  /// The most of a peer's candidates that are used; further ones are dropped.
  static constexpr size_t most_candidates = 32;

  agent() = default;
  explicit agent(std::shared_ptr<agent_session> session) noexcept;
  agent(agent&&) noexcept = default;
  agent& operator=(agent&& other) noexcept;
  ~agent();

  /// The peer's credentials begin the checks, without any candidate as well: its own checks tell
  /// its addresses. Candidates that are not `usable()`, mDNS names say, are skipped. Only the first
  /// call counts; credentials that are not valid make the agent fail.
  void set_remote(const credentials& remote, const std::vector<candidate>& candidates);
  void add_remote_candidate(const candidate& found);
  void end_remote_candidates();
  /// Sends by a relayed pair that was selected; dropped where none is, or the loop lags by some
  /// hundreds of packets.
  void send(std::span<const std::byte> packet);
  /// Once this has returned, no call of the observer runs or begins, unless this was called from
  /// within one, which is then the last. It waits for a call under way: it must not be called with
  /// a lock held that the observer takes.
  void close();

private:
  std::shared_ptr<agent_session> session_;
};

} // namespace jackfield::ice

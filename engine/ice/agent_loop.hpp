#pragma once

#include <memory>
#include <thread>

#include "engine/ice/agent.hpp"
#include "engine/ice/agent_observer.hpp"
#include "engine/ice/agent_settings.hpp"

namespace jackfield::ice {

class loop_core;

/// The one thread on which libnice runs: all its agents are made, run and end there. A process
/// needs one.
class agent_loop {
public:
  /// Starts the thread and warms libnice up, whose first use takes some 60 ms.
  agent_loop();
  /// Ends all agents and joins the thread. Handles of agents may outlive this and then do nothing.
  /// Not to be called on the loop's own thread.
  ~agent_loop();
  agent_loop(const agent_loop&) = delete;
  agent_loop& operator=(const agent_loop&) = delete;

  /// Makes an agent that begins to gather at once; what is wrong with the settings is told by
  /// `on_failed`. The observer must live until `agent::close` has returned, or the handle is gone.
  [[nodiscard]] agent make(agent_settings settings, agent_observer& observer);

private:
  std::shared_ptr<loop_core> core_;
  std::thread thread_;
};

} // namespace jackfield::ice

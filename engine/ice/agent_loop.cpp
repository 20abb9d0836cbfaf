#include "engine/ice/agent_loop.hpp"

#include <utility>

#include "engine/ice/agent_session.hpp"
#include "engine/ice/loop_core.hpp"

namespace jackfield::ice {

agent_loop::agent_loop() : core_(std::make_shared<loop_core>()) {
  thread_ = std::thread{[core = core_] { core->run(); }};
  core_->post([core = core_] { agent_session::warm_up(*core); });
}

agent_loop::~agent_loop() {
  core_->stop();
  thread_.join();
}

agent agent_loop::make(agent_settings settings, agent_observer& observer) {
  auto session = std::make_shared<agent_session>(core_, std::move(settings), observer);
  core_->post([session] { session->begin(); });
  return agent{std::move(session)};
}

} // namespace jackfield::ice

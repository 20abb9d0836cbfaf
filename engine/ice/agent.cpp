#include "engine/ice/agent.hpp"

#include <utility>

#include "engine/ice/agent_session.hpp"
#include "engine/ice/loop_core.hpp"

namespace jackfield::ice {

agent::agent(std::shared_ptr<agent_session> session) noexcept : session_(std::move(session)) {}

agent& agent::operator=(agent&& other) noexcept {
  if (this != &other) {
    close();
    session_ = std::move(other.session_);
  }
  return *this;
}

agent::~agent() {
  close();
}

void agent::set_remote(const credentials& remote, const std::vector<candidate>& candidates) {
  if (session_)
    session_->core().post(
      [session = session_, remote, candidates] { session->set_remote(remote, candidates); });
}

void agent::add_remote_candidate(const candidate& found) {
  if (session_)
    session_->core().post([session = session_, found] { session->add_remote({found}); });
}

void agent::end_remote_candidates() {
  if (session_)
    session_->core().post([session = session_] { session->end_remote(); });
}

void agent::send(std::span<const std::byte> packet) {
  if (session_ && session_->take_place())
    session_->core().post(
      [session = session_, bytes = std::vector<std::byte>{packet.begin(), packet.end()}] {
        session->send(bytes);
      });
}

void agent::close() {
  if (const auto session = std::move(session_)) {
    session->silence();
    session->core().post([session] { session->end(); });
  }
}

} // namespace jackfield::ice

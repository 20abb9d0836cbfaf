#include "actors/call/call_recovery.hpp"

#include <utility>

#include <caf/behavior.hpp>

#include "actors/call/leg_messages.hpp"

namespace jackfield {

call_recovery::call_recovery(caf::actor_config& config, lane::lane& home, lane_context& context,
                             std::shared_ptr<const transport::open_settings> connections,
                             std::vector<storage::interrupted_call> calls,
                             caf::strong_actor_ptr owner)
    : lane::lane_actor(config, home), context_(context), connections_(std::move(connections)),
      calls_(std::move(calls)), owner_(std::move(owner)) {
  // nop
}

caf::behavior call_recovery::make_behavior() {
  for (auto& call : std::exchange(calls_, {})) {
    const bool has_dialog = call.record.dialog.has_value();
    auto script = std::make_unique<parting_script>(kept_call{context_.keeps, std::move(call)},
                                                   connections_, caf::strong_actor_ptr{ctrl()});
    auto leg = caf::actor_cast<caf::strong_actor_ptr>(
      home().spawn<call_leg>(context_.router, std::move(script)));
    if (has_dialog)
      up_.push_back(leg->id());
    legs_.emplace(leg->id(), std::move(leg));
  }
  hang_up_next();
  return {
    [this](const call_parted& parted) { on_parted(parted); },
    [this](recorder_idle) { tell_owner(); },
  };
}

void call_recovery::on_exit() {
  legs_.clear();
  owner_ = nullptr;
}

void call_recovery::hang_up_next() {
  for (; hanging_up_.size() < at_once && !up_.empty(); up_.pop_front())
    if (const auto leg = legs_.find(up_.front()); leg != legs_.end()) {
      hanging_up_.insert(leg->first);
      lane::tell(home(), leg->second, hang_up{});
    }
}

void call_recovery::on_parted(const call_parted& parted) {
  ++counts_.at(static_cast<size_t>(parted.how));
  legs_.erase(parted.call);
  hanging_up_.erase(parted.call);
  hang_up_next();
  if (legs_.empty()) // their records are in the store first
    context_.keeps->when_idle(caf::strong_actor_ptr{ctrl()});
}

void call_recovery::tell_owner() {
  if (const auto owner = std::exchange(owner_, nullptr))
    lane::tell_from(*this, owner, calls_recovered{counts_});
  quit();
}

} // namespace jackfield

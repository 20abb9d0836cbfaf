#include "actors/centre/queued_resumption.hpp"

#include <utility>

#include <caf/actor_cast.hpp>

#include "actors/call/resumption_tally.hpp"
#include "actors/media/media_play.hpp"

namespace jackfield {

void queued_resumption::expect(returning_call left, caf::strong_actor_ptr agent,
                               caf::strong_actor_ptr owner) {
  left_ = std::make_unique<returning_call>(std::move(left));
  agent_left_ = std::move(agent);
  owner_ = std::move(owner);
}

// Their dialogs are taken up at once: nobody else is to have their names.
void queued_resumption::begin(lane_context& context, const bridge_manner& manner,
                              const std::shared_ptr<const audio_settings>& music,
                              const two_clocks& clocks, serving_agent& agent) {
  const auto left = std::exchange(left_, nullptr);
  const auto& media = *left->caller.record.media;
  if (left->agent && media.agreed.held)
    caller_.way = sdp::direction::recvonly;
  open_stream(call_, context, left->agent ? manner.audio : music, caller_,
              media.agreed.protected_by, true, media.port);
  auto settings = leg_settings(call_, caller_, media_of(media, *manner.media, false));
  take_up_leg(context, nullptr, std::move(left->caller), line_.kept(), std::move(settings),
              manner.connections);
  if (!left->agent)
    return;
  agent.take_back(line_.kept()->agent, std::exchange(agent_left_, nullptr));
  agent.talks_since(clocks.lane_of(*line_.kept()->taken));
  agents_.take_back(std::move(*left->agent));
}

void queued_resumption::on_prepared() {
  caller_.leg = caf::actor_cast<caf::actor>(call_.current_sender());
  if (caller_.unwanted)
    command(call_, caller_, leg_commands::hang_up{{}, true});
  else
    give_stream(call_, caller_);
}

void queued_resumption::on_opened(const media_opened& opened) {
  take(caller_, opened);
  give_stream(call_, caller_);
}

void queued_resumption::on_offered(call_side& by, const leg_events::offered& anew) {
  if (anew.has_offer)
    by.way = anew.way;
  pass_offer(call_, by, nullptr, anew);
}

bool queued_resumption::talker_is_back(const std::shared_ptr<const audio_settings>& music) {
  if (!under_way())
    return false;
  (call_.current_sender() == caller_.leg ? caller_is_back_ : agent_is_back_) = true;
  if (!agent_is_back_ && caller_.stream && music) // a browser may take its time
    lane::tell(call_.home(), caller_.stream, media_play{music});
  if (!caller_is_back_ || !agent_is_back_)
    return false;
  tell(true);
  return true;
}

bool queued_resumption::give_up() {
  if (!under_way())
    return false;
  const auto has_hung_up = [](const call_side* one) {
    return one != nullptr && one->ended && one->ended->cause == sip::end_cause::remote_bye;
  };
  const auto* const agent = agents_.talking();
  const bool hung_up = has_hung_up(&caller_) || has_hung_up(agent);
  if (agent == nullptr)
    lane::tell_from(call_, line_.ticket().queue, caller_lost{line_.who(), hung_up});
  tell(hung_up && agent == nullptr);
  return agent != nullptr && !hung_up;
}

bool queued_resumption::joins_later() {
  if (!caller_is_back_ || joins_++ >= most_joins)
    return false;
  join_timer_.arm(call_.home().now() + join_again_after);
  return true;
}

void queued_resumption::tell(bool resumed) {
  if (const auto owner = std::exchange(owner_, nullptr))
    lane::tell_from(call_, owner, call_resumed{resumed});
}

void queued_resumption::let_go() {
  join_timer_.cancel();
  left_ = nullptr;
  agent_left_ = nullptr;
  owner_ = nullptr;
}

} // namespace jackfield

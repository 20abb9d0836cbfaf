#include "actors/centre/hold.hpp"

#include <utility>

#include <caf/actor_cast.hpp>

#include "actors/media/media_play.hpp"

namespace jackfield {

namespace {

void part(lane::lane_actor& call, const call_side& one) {
  call.request(caf::actor_cast<caf::actor>(one.stream), caf::infinite, media_part{})
    .then([](const media_join_result&) {}, [](const caf::error&) {}); // it has ended, and says so
}

void join(lane::lane_actor& call, const call_side& one, const call_side& other,
          const std::function<void()>& apart) {
  call.request(caf::actor_cast<caf::actor>(one.stream), caf::infinite, media_join{other.stream})
    .then(
      [apart](const media_join_result& r) {
        if (r.what != media_join_result::outcome::done)
          apart();
      },
      [](const caf::error&) {});
}

} // namespace

bool holds(const call_side& one) noexcept {
  return !sdp::sends(one.way);
}

void answer_offer(lane::lane_actor& call, call_side& by, call_side* other,
                  const leg_events::offered& offer,
                  const std::shared_ptr<const audio_settings>& music,
                  const std::function<void()>& apart) {
  if (!music || other == nullptr || !other->up() || !other->stream || !by.stream ||
      !offer.has_offer) {
    pass_offer(call, by, other, offer);
    return;
  }
  const bool held = holds(by) || holds(*other);
  by.way = offer.way;
  const bool now_held = holds(by) || holds(*other);
  if (held && !now_held)
    join(call, by, *other, apart);
  if (now_held && !held) {
    lane::tell(call.home(), other->stream, media_play{music});
    part(call, by);
  }
  command(call, by, leg_commands::answer_offer{offer.number, offer.way});
}

} // namespace jackfield

#include "actors/call/call_resumption.hpp"

#include <utility>

#include "actors/call/recorded_peer.hpp"

namespace jackfield {

namespace {

/// Nothing is wrong with the call itself (RFC 3261 §14.1, §14.2, §21.5.4).
bool may_be_repeated(int status) {
  return status == 491 || status == 500 || status == 503;
}

} // namespace

bool call_resumption::takes(const storage::call_record& call) noexcept {
  return call.answered && call.dialog && !call.bridged;
}

result<void> call_resumption::adopt(call_leg& leg, const storage::call_record& call, means& with) {
  const auto peer = peer_of(call);
  if (!peer)
    return fail("peer", "\"" + call.target + "\" is no way to it");
  waits_for_peer_ = peer->comes_to_us;
  auto taken = waits_for_peer_
                 ? leg.adopt_waiting(*call.dialog, peer->protocol(), with.connections,
                                     with.credentials, unrecorded_requests, call.registered_as)
                 : leg.adopt(*call.dialog, peer->servers, with.connections, with.credentials,
                             unrecorded_requests);
  if (!taken)
    return taken;
  if (waits_for_peer_)
    leg.wake_at(leg.home().now() + patience);
  media_ = std::move(with.media);
  way_ = media_->capabilities().wanted;
  if (call.media && !call.media->agreed.held)
    way_ = call.media->agreed.way;
  return {};
}

result<void> call_resumption::begin(call_leg& leg, const storage::call_record& call, means with) {
  if (!call.dialog || !call.media)
    return fail("the call", "has no audio that was agreed on");
  return adopt(leg, call, with).map([&] { agreed_ = call.media->agreed; });
}

call_resumption::state call_resumption::use_stream(call_leg& leg, open_stream stream) {
  if (!agreed_ || !leg.describe(media_, stream.port, *agreed_))
    return end(state::failed);
  agreed_.reset();
  leg.use_stream(std::move(stream.handle), stream.port, std::move(stream.transport));
  ready_ = true;
  return offer(leg);
}

result<void> call_resumption::begin(call_leg& leg, const storage::call_record& call,
                                    media_plane& plane, own_stream& stream, means with) {
  if (auto adopted = adopt(leg, call, with); !adopted)
    return adopted;
  if (!call.media) { // nothing was ever described
    leg.describe(media_, with.inactive_port);
    end(state::resumed);
    return {};
  }
  const auto& agreed = call.media->agreed;
  if (with.audio) {
    agreed_ = agreed;
    stream.open(leg, plane, std::move(with.audio), agreed.protected_by, true, call.media->port);
    return {};
  }
  return leg.describe(media_, call.media->port, agreed).map([&] {
    ready_ = true;
    offer(leg);
  });
}

call_resumption::state call_resumption::on_media_opened(call_leg& leg, const media_opened& opened,
                                                        const own_stream& stream) {
  if (!opened.local)
    return end(state::failed);
  return use_stream(leg, {stream.handle(), opened.local->port(), opened.transport});
}

call_resumption::state call_resumption::offer(call_leg& leg) {
  if (waits_for_peer_ || !ready_)
    return state_;
  ++offers_;
  return leg.offer(way_) ? state_ : offer_again(leg); // one of the peer's is being refused
}

call_resumption::state call_resumption::offer_again(call_leg& leg) {
  if (offers_ == most_offers)
    return end(state::failed);
  leg.wake_at(leg.home().now() + again_after);
  return state_;
}

call_resumption::state call_resumption::on_settled(call_leg& leg, const leg_settled& settled) {
  if (state_ != state::waiting)
    return state_;
  if (settled.unsettled == nullptr)
    return end(state::resumed);
  return may_be_repeated(settled.status) ? offer_again(leg) : end(state::failed);
}

call_resumption::state call_resumption::on_wake(call_leg& leg) {
  if (state_ != state::waiting)
    return state_;
  return waits_for_peer_ ? end(state::failed) : offer(leg);
}

call_resumption::state call_resumption::on_offer(call_leg& leg) {
  if (state_ != state::waiting || !ready_)
    return state_;
  leg.do_not_wake();
  return end(state::resumed);
}

call_resumption::state call_resumption::on_way_back(call_leg& leg) {
  if (state_ != state::waiting || !std::exchange(waits_for_peer_, false))
    return state_;
  leg.do_not_wake();
  return offer(leg);
}

} // namespace jackfield

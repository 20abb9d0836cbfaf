// What call_leg does for candidates that come and go in INFO (RFC 8840, RFC 6086).
#include "actors/call/call_leg.hpp"

#include <string>
#include <utility>

#include "actors/call/call_leg_parts.hpp"
#include "engine/sip/fields.hpp"
#include "engine/sip/info_package.hpp"
#include "engine/sip/text.hpp"

namespace jackfield {

namespace {

constexpr std::string_view own_lines = "Supported: trickle-ice\r\nRecv-Info: trickle-ice\r\n";
constexpr std::string_view info_lines =
  "Info-Package: trickle-ice\r\nContent-Disposition: Info-Package\r\n";

} // namespace

bool call_leg::trickles() const noexcept {
  if (!negotiation_)
    return false;
  const auto& own = negotiation_->transport();
  return own && own->ice && own->ice->trickles;
}

std::string_view call_leg::trickle_lines() const noexcept {
  return trickles() ? own_lines : std::string_view{};
}

leg_trickle& call_leg::trickle() {
  if (!extra_)
    extra_ = std::make_unique<extra>();
  if (!extra_->trickle)
    extra_->trickle = std::make_unique<leg_trickle>();
  return *extra_->trickle;
}

void call_leg::note_trickle(const sip::message* said) {
  if (said != nullptr && says_it_trickles(*said))
    trickle().peer_takes = true;
}

// -- what comes ------------------------------------------------------------------------

void call_leg::on_request(const sip::ua_event& event) {
  const auto package = event.what == sip::method::info && trickles()
                         ? sip::info_package(*event.source)
                         : std::string_view{};
  if (sip::iequals(package, sdp::ice_fragment_package)) {
    (void)answer_request(event.number, take_candidates(event));
    return;
  }
  if (!package.empty())
    trickle().deferred = 0;
  user_->on_request(*this,
                    {event.number, event.what, event.content_type, event.body, *event.source});
  // RFC 6086 §4.2.2; false if the user has answered.
  if (!package.empty() && !over_ && trickle().deferred != event.number)
    machine_->answer_request(home().now(), event.number, 469, *this, "Recv-Info: trickle-ice\r\n");
}

int call_leg::take_candidates(const sip::ua_event& event) {
  const auto type = sip::parse_media_type(event.content_type);
  if (!type || !type->is(sdp::ice_fragment_type))
    return 415;
  auto told = sdp::parse_ice_fragment(event.body);
  if (!told)
    return 400;
  // Beside an offer that is open it may be about that one.
  auto& kept = trickle();
  kept.keep(std::move(*told));
  const bool agreed = negotiation_->agreed().has_value();
  if ((kept.connected || agreed) && !(agreed && open_offer_ != 0))
    hand_on_candidates();
  return 200;
}

void call_leg::hand_on_candidates() {
  if (!stream_ || !extra_ || !extra_->trickle)
    return;
  for (auto& told : extra_->trickle->take_kept())
    lane::tell(home(), stream_, media_take_candidates{std::move(told)});
}

// -- what goes -------------------------------------------------------------------------

void call_leg::connect_trickle() {
  if (!extra_ || !extra_->trickle)
    return;
  auto& t = *extra_->trickle;
  t.connected = true;
  if (t.peer_takes && trickles())
    lane::tell_from(*this, stream_, media_tell_candidates{});
  hand_on_candidates();
}

void call_leg::on_candidates(const media_candidates& found) {
  if (over_)
    return;
  trickle().tell(found.told);
  send_candidates();
}

// Not in the early dialogs of a call that goes out: which of them lasts is not known.
void call_leg::send_candidates() {
  if (over_ || !extra_ || !extra_->trickle || (!called_ && phase() != sip::leg::phase::established))
    return;
  auto& t = *extra_->trickle;
  const auto* const told = t.next();
  if (told == nullptr)
    return;
  // Before a called leg's ACK there is nowhere to send to; with that it is tried again.
  if (const auto number =
        machine_->send_request(home().now(), sip::method::info, sdp::print_ice_fragment(*told),
                               *this, sdp::ice_fragment_type, info_lines))
    t.on_sent(number);
}

} // namespace jackfield

// What call_leg does within its dialog: offers and requests of either side, ICE begun anew.
#include "actors/call/call_leg.hpp"

#include <memory>
#include <optional>
#include <string>
#include <utility>

#include "actors/call/call_leg_parts.hpp"

namespace jackfield {

namespace {

/// Numbers of offers that the peer asks for, beside those of the negotiation.
constexpr uint32_t asked_for = 0x8000'0000;

} // namespace

// -- within the dialog ----------------------------------------------------------------------

void call_leg::on_peer_offer(const sip::ua_event& event) {
  leg_offer offer{.what = event.what, .has_offer = !event.body.empty()};
  // After a crash of ours there is nothing that its media could go on with: it has to take an offer
  // of ours first (RFC 3261 §14.2). Before that can be described, too.
  if (!negotiation_ || (offer.has_offer && negotiation_->has_lost_ice())) {
    machine_->refuse_offer(home().now(), 491, *this);
    return;
  }
  if (offer.has_offer) {
    // One of ours that waits for its time after a glare is void: the peer's stands first.
    if (offer_request_ != 0 && !std::exchange(offer_outdated_, true))
      roll_back();
    auto taken = negotiation_->take_offer(event.body);
    if (!taken) {
      machine_->refuse_offer(home().now(), 488, *this);
      return;
    }
    offer.number = open_offer_ = *taken;
    offer.way = negotiation_->offered_way();
  } else {
    offer.number = asked_ = asked_for | ++times_asked_;
  }
  user_->on_offer(*this, offer);
}

result<void> call_leg::answer_offer(uint32_t number, sdp::direction wanted) {
  if (auto can = usable("answer an offer"); !can)
    return can;
  const auto now = home().now();
  if (negotiation_->current() == sdp::negotiation::state::remote_offer) {
    if (number != open_offer_ || !stream_ || !negotiation_->offers_ice_restart())
      return answer_peer(number, wanted);
    begin_ice(number, wanted);
    return {};
  }
  if (number != asked_ || asked_ == 0)
    return tl::unexpected{not_now("answer an offer", "one that is open")};
  auto made = negotiation_->offer(wanted, true);
  if (!made)
    return tl::unexpected{std::move(made.error())};
  if (!machine_->answer_offer(now, made->text, *this, sdp_type, trickle_lines())) {
    negotiation_->rollback();
    return tl::unexpected{not_now("answer an offer", "one that is open")};
  }
  open_offer_ = made->number;
  asked_ = 0;
  return {};
}

result<void> call_leg::answer_peer(uint32_t number, sdp::direction wanted) {
  auto made = negotiation_->answer(number, wanted);
  if (!made)
    return tl::unexpected{std::move(made.error())};
  open_offer_ = 0;
  if (!machine_->answer_offer(home().now(), made->text, *this, sdp_type, trickle_lines()))
    return tl::unexpected{not_now("answer an offer", "one that is open")};
  connect(made->audio);
  return {};
}

result<void> call_leg::refuse_offer(uint32_t number, int status) {
  if (auto can = usable("refuse an offer"); !can)
    return can;
  const bool asked = number == asked_ && asked_ != 0;
  const bool theirs =
    number == open_offer_ && negotiation_->current() == sdp::negotiation::state::remote_offer;
  if (!(asked || theirs) || !machine_->refuse_offer(home().now(), status, *this))
    return tl::unexpected{not_now("refuse an offer", "one that is open, and 400-699")};
  if (theirs) {
    negotiation_->rollback();
    open_offer_ = 0;
    hand_on_candidates();
  }
  asked_ = 0;
  return {};
}

void call_leg::on_peer_answer(const sip::ua_event& event) {
  const auto ours = std::exchange(open_offer_, 0);
  if (ours == 0)
    return;
  leg_settled settled{.status = 200};
  const auto agreed = negotiation_->take_answer(ours, event.body);
  if (agreed) {
    connect(*agreed);
  } else {
    negotiation_->rollback();
    settled.unsettled = &agreed.error();
  }
  user_->on_settled(*this, settled);
}

void call_leg::on_withdrawn() {
  const auto number = asked_ != 0 ? std::exchange(asked_, 0) : std::exchange(open_offer_, 0);
  negotiation_->rollback();
  hand_on_candidates();
  if (extra_ && extra_->restart && extra_->restart->number == number)
    extra_->restart.reset();
  user_->on_offer_withdrawn(*this, number);
}

result<uint32_t> call_leg::offer(sdp::direction wanted, sip::method what) {
  if (auto can = usable("offer"); !can)
    return tl::unexpected{std::move(can.error())};
  if (what != sip::method::invite && what != sip::method::update)
    return fail("offer", "goes in INVITE or UPDATE");
  auto made = negotiation_->offer(wanted);
  if (!made)
    return tl::unexpected{std::move(made.error())};
  const auto number =
    machine_->send_request(home().now(), what, made->text, *this, sdp_type, trickle_lines());
  if (number == 0) {
    negotiation_->rollback();
    return tl::unexpected{not_now("offer", "an established dialog without another offer")};
  }
  open_offer_ = made->number;
  offer_request_ = number;
  return number;
}

result<uint32_t> call_leg::request(sip::method what, std::string_view body,
                                   std::string_view content_type, std::string_view headers) {
  if (auto can = usable("request"); !can)
    return tl::unexpected{std::move(can.error())};
  if (what == sip::method::invite)
    return fail("request", "a re-INVITE is an offer");
  const auto number =
    machine_->send_request(home().now(), what, body, *this, content_type, headers);
  if (number == 0)
    return tl::unexpected{
      not_now("request", "an established dialog, few requests on their way, whole header lines")};
  return number;
}

result<void> call_leg::answer_request(uint32_t number, int status, std::string_view headers,
                                      std::string_view body, std::string_view content_type) {
  if (auto can = usable("answer a request"); !can)
    return can;
  if (!machine_->answer_request(home().now(), number, status, *this, headers, body, content_type))
    return tl::unexpected{not_now("answer a request", "one that waits, and 200-699")};
  return {};
}

result<void> call_leg::defer_request(uint32_t number) {
  if (auto can = usable("defer a request"); !can)
    return can;
  if (!machine_->defer_request(home().now(), number, *this))
    return tl::unexpected{not_now("defer a request", "one that is being told of, and room")};
  if (extra_ && extra_->trickle)
    extra_->trickle->deferred = number;
  return {};
}

void call_leg::on_response(const sip::ua_event& event) {
  if (extra_ && extra_->trickle && extra_->trickle->on_response(event.number, event.status)) {
    send_candidates();
    return;
  }
  if (event.number == 0 || event.number != offer_request_) {
    user_->on_response(*this, {event.number, event.status, event.content_type, event.body});
    return;
  }
  leg_settled settled{.request = std::exchange(offer_request_, 0),
                      .status = event.status,
                      .ice_restart = extra_ && extra_->before};
  if (std::exchange(offer_outdated_, false)) { // rolled back when the peer's came
    const error why{"offer", "was overtaken by the peer's"};
    settled.unsettled = &why;
    user_->on_settled(*this, settled);
    return;
  }
  const auto ours = std::exchange(open_offer_, 0);
  std::optional<error> why;
  if (event.status >= 200 && event.status < 300) {
    auto agreed = negotiation_->take_answer(ours, event.body);
    if (agreed)
      connect(*agreed);
    else
      why = std::move(agreed.error());
  } else {
    why = error{"offer", event.status == 0 ? "was not answered"
                                           : "was refused with " + std::to_string(event.status)};
  }
  if (why) {
    roll_back();
    settled.unsettled = &*why;
  } else if (extra_) {
    extra_->before.reset();
  }
  user_->on_settled(*this, settled);
}

// -- ICE anew ------------------------------------------------------------------------------------

result<void> call_leg::restart_ice(sdp::direction wanted) {
  if (auto can = usable("restart ICE"); !can)
    return can;
  if (!stream_ || phase() != sip::leg::phase::established || open_offer_ != 0 || asked_ != 0 ||
      (extra_ && extra_->restart))
    return tl::unexpected{
      not_now("restart ICE", "an established dialog with a stream and without an offer")};
  begin_ice(0, wanted);
  return {};
}

void call_leg::begin_ice(uint32_t number, sdp::direction wanted) {
  if (!extra_)
    extra_ = std::make_unique<extra>();
  extra_->restart = extra::ice_restart{number, wanted};
  lane::tell_from(*this, stream_, media_restart{negotiation_->controls_ice()});
}

void call_leg::on_ice_begun(const media_restarted& begun) {
  if (over_ || !extra_ || !extra_->restart)
    return;
  const auto [number, wanted] = *std::exchange(extra_->restart, std::nullopt);
  const auto settle_with = [&](const error& why) {
    user_->on_settled(*this, {.unsettled = &why, .ice_restart = true});
  };
  if (!begun.local) {
    if (number != 0)
      (void)refuse_offer(number, 500);
    else
      settle_with(begun.local.error());
    return;
  }
  extra::description before{negotiation_->port(), negotiation_->transport()};
  negotiation_->set_port(begun.local->port());
  negotiation_->set_transport(begun.transport);
  if (number != 0) {
    (void)answer_peer(number, wanted);
    return;
  }
  extra_->before = std::move(before);
  if (const auto sent = offer(wanted); !sent) {
    roll_back();
    settle_with(sent.error());
  }
}

void call_leg::roll_back() {
  negotiation_->rollback();
  hand_on_candidates();
  if (!extra_ || !extra_->before)
    return;
  const auto before = std::exchange(extra_->before, std::nullopt);
  negotiation_->set_port(before->port);
  negotiation_->set_transport(before->transport);
}

} // namespace jackfield

#include "actors/call/incoming_call.hpp"

#include <utility>

#include <caf/behavior.hpp>

#include "engine/sdp/session.hpp"

namespace jackfield {

incoming_call::incoming_call(caf::actor_config& config, lane::lane& home, sip_router& router,
                             media_plane& media, std::shared_ptr<const answer_manner> manner,
                             sip_arrival_ptr invite, uint64_t transaction,
                             caf::strong_actor_ptr owner)
    : leg_actor(config, home, router, std::move(owner)), plane_(media), manner_(std::move(manner)),
      invite_(std::move(invite)), transaction_(transaction), plan_timer_(*this, plan_clock),
      media_port_(manner_->inactive_port) {
  // nop
}

caf::behavior incoming_call::make_behavior() {
  begin();
  return behavior_with([this](const media_opened& opened) { on_media_opened(opened); },
                       [this](const media_closed& closed) { on_media_closed(closed); },
                       [this](const hang_up&) {
                         end_call();
                         settle();
                       });
}

void incoming_call::on_exit() {
  plan_timer_.cancel();
  router_.unbind_invite(transaction_);
  leg_actor::on_exit();
  stream_ = nullptr;
  invite_ = nullptr;
}

void incoming_call::begin() {
  const auto invite = std::exchange(invite_, nullptr);
  if (!wire_.open(invite->from(), manner_->connections)) {
    router_.answer(*invite, 503, "Retry-After: 5\r\n");
    finish();
    return;
  }
  router_.bind_invite(transaction_, wire_.id());
  start_machine().start(invite->arrived(), invite->message(), transaction_, {}, *this);
  settle();
}

void incoming_call::on_clock(unsigned /*id*/) {
  if (answered_)
    end_call();
  else
    answer();
}

void incoming_call::on_event(const sip::ua_event& event) {
  switch (event.kind) {
  case sip::event_kind::incoming:
    on_incoming(event);
    break;
  case sip::event_kind::acknowledged:
    on_acknowledged(event);
    break;
  case sip::event_kind::offer:
    on_offer(event);
    break;
  case sip::event_kind::offer_confirmed:
    accept(event); // if it is none, all stays as it was
    break;
  case sip::event_kind::ended:
    over_ = true;
    cause_ = event.cause;
    break;
  default:
    break;
  }
}

void incoming_call::on_incoming(const sip::ua_event& event) {
  const auto now = home().now();
  if (manner_->refuse_with != 0) {
    machine_->reject(now, manner_->refuse_with, *this);
    return;
  }
  if (event.body.empty()) {
    we_offer_ = true;
  } else {
    auto offer = sdp::parse(event.body);
    if (!offer) {
      machine_->reject(now, 488, *this);
      return;
    }
    description_ = std::make_unique<sdp::session>(std::move(*offer));
  }
  if (manner_->audio)
    stream_ = caf::actor_cast<caf::strong_actor_ptr>(
      home().spawn<media_stream>(plane_, manner_->audio, caf::strong_actor_ptr{ctrl()}));
  if (manner_->ring)
    machine_->progress(now, 180, *this);
  if (manner_->answer_after > lane::duration::zero())
    plan_timer_.arm(now + manner_->answer_after);
  else if (!stream_)
    answer();
}

void incoming_call::on_media_opened(const media_opened& opened) {
  if (!machine_ || over_)
    return;
  if (!opened.local) {
    machine_->reject(home().now(), 503, *this, "Retry-After: 5\r\n");
    settle();
    return;
  }
  media_port_ = opened.local->port();
  if (manner_->answer_after == lane::duration::zero()) {
    answer();
    settle();
  }
}

uint64_t incoming_call::session_id() const {
  return wire_.id().nonce % sdp::offer_template::max_session_id;
}

void incoming_call::answer() {
  const auto now = home().now();
  const auto host = plane_.address().address();
  if (we_offer_) {
    const auto offer = sdp::make_offer(host, media_port_, manner_->capabilities, session_id());
    answered_ = machine_->answer(now, sdp::print(offer), *this);
    description_ = std::make_unique<sdp::session>(offer);
  } else {
    auto made = sdp::make_answer(*std::exchange(description_, nullptr), manner_->capabilities, host,
                                 media_port_, session_id());
    if (!made) {
      machine_->reject(now, 488, *this);
      return;
    }
    answered_ = machine_->answer(now, sdp::print(made->answer), *this);
    if (answered_)
      connect_media(made->audio);
  }
  if (answered_ && manner_->length > lane::duration::zero())
    plan_timer_.arm(now + manner_->length);
}

void incoming_call::on_acknowledged(const sip::ua_event& event) {
  if (we_offer_ && !accept(event))
    end_call();
}

bool incoming_call::accept(const sip::ua_event& event) {
  const auto offered = std::exchange(description_, nullptr);
  if (!offered)
    return true; // we had not offered
  auto agreed = sdp::parse(event.body).and_then([&](const sdp::session& answer) {
    return sdp::accept_answer(*offered, answer);
  });
  if (agreed)
    connect_media(*agreed);
  return agreed.has_value();
}

void incoming_call::on_offer(const sip::ua_event& event) {
  const auto now = home().now();
  const auto host = plane_.address().address();
  // A description that may differ says so by its version (RFC 3264 §8).
  ++description_version_;
  if (event.body.empty()) {
    description_ = std::make_unique<sdp::session>(sdp::make_offer(
      host, media_port_, manner_->capabilities, session_id(), description_version_));
    machine_->answer_offer(now, sdp::print(*description_), *this);
    return;
  }
  auto made = sdp::parse(event.body).and_then([&](const sdp::session& offer) {
    return sdp::make_answer(offer, manner_->capabilities, host, media_port_, session_id(),
                            description_version_);
  });
  if (!made) {
    machine_->refuse_offer(now, 488, *this);
    return;
  }
  machine_->answer_offer(now, sdp::print(made->answer), *this);
  connect_media(made->audio);
}

void incoming_call::connect_media(const sdp::negotiated_audio& audio) {
  if (stream_)
    lane::tell(home(), stream_, media_connect{audio, {}});
}

void incoming_call::end_call() {
  if (stream_)
    lane::tell(home(), stream_, media_stop{});
  if (machine_)
    machine_->hang_up(home().now(), *this);
}

void incoming_call::on_over() {
  plan_timer_.cancel();
  if (!stream_) {
    finish();
  } else if (!media_) {
    media_ = std::make_unique<media_outcome>(); // asked once
    lane::tell(home(), stream_, media_stop{});
    lane::tell(home(), stream_, media_close{});
  }
}

void incoming_call::on_media_closed(const media_closed& closed) {
  stream_ = nullptr;
  if (media_)
    *media_ = closed.outcome;
  finish();
}

void incoming_call::finish() {
  if (machine_) {
    machine_->leave(home().now(), router_.linger());
    router_.lingered();
  }
  served_call report;
  report.call = id();
  report.cause = cause_;
  report.answered = answered_;
  report.wire = wire_.counters();
  if (media_)
    report.media = std::move(*media_);
  if (owner_)
    lane::tell(home(), owner_, std::move(report));
  quit();
}

} // namespace jackfield

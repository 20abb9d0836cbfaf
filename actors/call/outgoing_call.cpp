#include "actors/call/outgoing_call.hpp"

#include <utility>

#include <caf/behavior.hpp>

#include "actors/call/failure_of.hpp"
#include "engine/sdp/session.hpp"

namespace jackfield {

namespace {

/// Session ids of our descriptions: any number that is not reused soon.
uint64_t session_id_of(uint64_t number) {
  return number % sdp::offer_template::max_session_id;
}

} // namespace

outgoing_call::outgoing_call(caf::actor_config& config, lane::lane& home, sip_router& router,
                             media_plane& media, std::shared_ptr<const call_manner> manner,
                             std::shared_ptr<const call_target> target, const plan& p,
                             caf::strong_actor_ptr owner)
    : leg_actor(config, home, router, std::move(owner)), plane_(media), manner_(std::move(manner)),
      target_(std::move(target)), length_timer_(*this, length_clock), number_(p.number),
      length_(p.length) {
  times_.due = p.due;
}

caf::behavior outgoing_call::make_behavior() {
  begin();
  return behavior_with([this](const media_opened& opened) { on_media_opened(opened); },
                       [this](const media_closed& closed) { on_media_closed(closed); },
                       [this](const hang_up&) {
                         end_call();
                         settle();
                       });
}

void outgoing_call::on_exit() {
  leg_actor::on_exit();
  length_timer_.cancel();
  stream_ = nullptr;
}

void outgoing_call::begin() {
  if (!manner_->audio) {
    place(plane_.address().with_port(manner_->inactive_port));
    return;
  }
  stream_ = caf::actor_cast<caf::strong_actor_ptr>(
    home().spawn<media_stream>(plane_, manner_->audio, caf::strong_actor_ptr{ctrl()}));
}

void outgoing_call::on_media_opened(const media_opened& opened) {
  if (!opened.local || over_) { // no port, or told to end before it began
    if (!failure_.failed())
      failure_ = report::failure_cause::media_setup;
    times_.started = times_.ended.emplace(home().now());
    lane::tell(home(), stream_, media_close{});
    return;
  }
  place(*opened.local);
}

void outgoing_call::place(const lane::endpoint& media_address) {
  media_port_ = media_address.port();
  if (!wire_.open(manner_->target, manner_->connections)) {
    failure_ = report::failure_cause::connect_failed;
    over_ = true;
    times_.started = times_.ended.emplace(home().now());
    if (stream_)
      lane::tell(home(), stream_, media_close{});
    else
      finish(failure_);
    return;
  }
  auto& machine = start_machine();
  const auto body = manner_->delayed_offer ? std::string{} : offer_text();
  sip::call_options options;
  options.uri = target_->uri;
  options.from = target_->from;
  options.to = target_->to;
  options.route = target_->route;
  options.headers = target_->headers;
  options.body = body;
  options.credentials = target_->credentials;
  options.random = home().random();
  options.ringing_limit = manner_->ringing_limit;
  times_.started = home().now();
  if (!machine.start(times_.started, options, *this)) {
    finish(report::failure_cause::internal);
    return;
  }
  settle();
}

std::string outgoing_call::offer_text() const {
  std::string text(manner_->offer->size(), '\0');
  if (!manner_->offer->render(media_port_, session_id_of(number_), text))
    text.clear();
  return text;
}

void outgoing_call::on_clock(unsigned /*id*/) {
  hanging_up_ = true;
  end_call();
}

void outgoing_call::end_call() {
  if (!machine_) { // the media stream has not opened yet
    over_ = true;
    failure_ = report::failure_cause::stopped;
    return;
  }
  if (stream_)
    lane::tell(home(), stream_, media_stop{});
  if (machine_->current() == sip::invite_client::phase::established && !times_.bye_sent)
    times_.bye_sent = home().now();
  machine_->hang_up(home().now(), *this);
}

void outgoing_call::on_event(const sip::ua_event& event) {
  const auto now = home().now();
  switch (event.kind) {
  case sip::event_kind::provisional:
    if (!times_.first_response)
      times_.first_response = now;
    if (!times_.ringing && (event.status == 180 || event.status == 183))
      times_.ringing = now;
    break;
  case sip::event_kind::retrying:
    if (!times_.first_response)
      times_.first_response = now;
    break;
  case sip::event_kind::answered:
    on_answered(event);
    break;
  case sip::event_kind::offer:
    on_offer(event);
    break;
  case sip::event_kind::offer_confirmed:
    on_offer_confirmed(event);
    break;
  case sip::event_kind::ended:
    on_ended(event);
    break;
  default:
    break;
  }
}

void outgoing_call::on_answered(const sip::ua_event& event) {
  const auto now = home().now();
  if (!times_.first_response)
    times_.first_response = now;
  times_.answered = times_.final_response = now;
  if (!times_.acknowledged)
    times_.acknowledged = now; // sent in this very pass, with our answer where the offer was theirs
  status_ = static_cast<int16_t>(event.status);
  if (owner_)
    lane::tell(home(), owner_, call_answered{number_, times_});
  if (event.needs_answer) {
    const auto offer = sdp::parse(event.body);
    auto answer = offer.and_then([&](const sdp::session& o) {
      return sdp::make_answer(o, manner_->capabilities, plane_.address().address(), media_port_,
                              session_id_of(number_));
    });
    if (!answer) {
      failure_ = report::failure_cause::bad_sdp;
      machine_->acknowledge(now, {}, *this);
      end_call();
      return;
    }
    machine_->acknowledge(now, sdp::print(answer->answer), *this);
    connect_media(answer->audio, target_->digits);
  } else if (stream_) {
    const auto answer = sdp::parse(event.body);
    auto agreed = answer.and_then([&](const sdp::session& a) {
      return sdp::accept_answer(manner_->offer->description(media_port_, session_id_of(number_)),
                                a);
    });
    if (!agreed) {
      failure_ = report::failure_cause::bad_sdp;
      end_call();
      return;
    }
    connect_media(*agreed, target_->digits);
  }
  if (length_ > lane::duration::zero()) {
    length_timer_.arm(now + length_);
  } else {
    hanging_up_ = true;
    end_call();
  }
}

void outgoing_call::connect_media(const sdp::negotiated_audio& audio, const std::string& digits) {
  if (stream_)
    lane::tell(home(), stream_, media_connect{audio, digits});
}

void outgoing_call::on_offer(const sip::ua_event& event) {
  const auto now = home().now();
  const auto host = plane_.address().address();
  const auto session_id = session_id_of(number_);
  // A description that may differ says so by its version (RFC 3264 §8).
  ++description_version_;
  if (event.body.empty()) {
    reoffered_ = std::make_unique<sdp::session>(
      sdp::make_offer(host, media_port_, manner_->capabilities, session_id, description_version_));
    machine_->answer_offer(now, sdp::print(*reoffered_), *this);
    return;
  }
  auto answer = sdp::parse(event.body).and_then([&](const sdp::session& offer) {
    return sdp::make_answer(offer, manner_->capabilities, host, media_port_, session_id,
                            description_version_);
  });
  if (!answer) {
    machine_->refuse_offer(now, 488, *this);
    return;
  }
  machine_->answer_offer(now, sdp::print(answer->answer), *this);
  connect_media(answer->audio);
}

void outgoing_call::on_offer_confirmed(const sip::ua_event& event) {
  const auto offered = std::exchange(reoffered_, nullptr);
  if (!offered)
    return;
  auto agreed = sdp::parse(event.body).and_then([&](const sdp::session& answer) {
    return sdp::accept_answer(*offered, answer);
  });
  if (agreed)
    connect_media(*agreed); // else all stays as it was
}

void outgoing_call::on_ended(const sip::ua_event& event) {
  const auto now = home().now();
  over_ = true;
  cause_ = event.cause;
  times_.ended = now;
  if (!times_.answered) {
    status_ = static_cast<int16_t>(event.status);
    if (event.status >= 300) {
      times_.final_response = now;
      if (!times_.first_response)
        times_.first_response = now;
    }
  }
  if (!failure_.failed())
    failure_ = failure_of(event);
  if (!failure_.failed() && !hanging_up_)
    failure_ = event.cause == sip::end_cause::remote_bye
                 ? report::failure_cause{report::failure_cause::early_hangup}
                 : report::failure_cause{report::failure_cause::stopped};
}

void outgoing_call::on_over() {
  if (!machine_)
    return; // told to end while its media stream was opening
  length_timer_.cancel();
  if (stream_ && !media_) {
    media_ = std::make_unique<media_outcome>(); // asked once
    lane::tell(home(), stream_, media_stop{});
    lane::tell(home(), stream_, media_close{});
    return;
  }
  if (!stream_)
    finish(failure_);
}

void outgoing_call::on_media_closed(const media_closed& closed) {
  stream_ = nullptr;
  if (media_)
    *media_ = closed.outcome;
  finish(failure_);
}

void outgoing_call::finish(report::failure_cause failure) {
  if (machine_) {
    machine_->leave(home().now(), router_.linger());
    router_.lingered();
  }
  call_finished report;
  report.number = number_;
  report.times = times_;
  report.cause = cause_;
  report.failure = failure;
  report.status = status_;
  report.wire = wire_.counters();
  report.target = target_;
  report.leg = wire_.id();
  if (media_)
    report.media = std::move(*media_);
  if (owner_)
    lane::tell(home(), owner_, std::move(report));
  quit();
}

} // namespace jackfield

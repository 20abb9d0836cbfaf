#include "actors/load/load_script.hpp"

#include <algorithm>
#include <utility>

#include "actors/call/failure_detail.hpp"
#include "actors/call/failure_of.hpp"
#include "actors/call/resumption_tally.hpp"
#include "actors/load/kept_figures.hpp"
#include "engine/sip/info_digit.hpp"

namespace jackfield {

namespace {

/// Clients that were cut off together come back spread over this.
constexpr std::chrono::milliseconds return_within{500};
/// A hold that meets an offer of the peer's is tried once more.
constexpr std::chrono::milliseconds again_after{300};

} // namespace

load_script::load_script(media_plane& media, std::shared_ptr<const call_manner> manner,
                         std::shared_ptr<const call_target> target, const plan& p, kept_call kept,
                         caf::strong_actor_ptr owner)
    : plane_(media), manner_(std::move(manner)), target_(std::move(target)),
      owner_(std::move(owner)), kept_(std::move(kept)), number_(p.number), length_(p.length) {
  times_.due = p.due;
}

void load_script::on_start(call_leg& leg) {
  if (kept_.under_way())
    resume(leg);
  else if (manner_->audio)
    stream_.open(leg, plane_, audio(), manner_->capabilities.protections.front(),
                 !manner_->delayed_offer);
  else
    place(leg, plane_.address().with_port(manner_->inactive_port), nullptr);
}

void load_script::resume(call_leg& leg) {
  const auto& call = kept_.record();
  const auto now = leg.home().now();
  const auto wall_now = leg.home().wall_now();
  const auto at = [&](const std::optional<storage::wall_time>& wall) {
    return wall ? std::optional{now - (wall_now - *wall)} : std::nullopt;
  };
  times_.started = at(call.started).value();
  times_.due = at(call.due).value_or(times_.started);
  times_.first_response = at(call.first_response);
  times_.ringing = at(call.ringing);
  times_.answered = times_.final_response = times_.acknowledged = at(call.answered);
  status_ = 200;
  if (owner_)
    lane::tell(leg.home(), owner_, call_answered{number_, times_});
  resuming_ = std::make_unique<call_resumption>();
  const auto begun = resuming_->begin(leg, call, plane_, stream_,
                                      {.connections = manner_->connections,
                                       .credentials = target_->credentials,
                                       .audio = call.media ? audio() : nullptr,
                                       .media = manner_->offer,
                                       .inactive_port = manner_->inactive_port});
  if (begun) {
    on_resumption(leg, resuming_->current());
  } else {
    lose(leg);
    close(leg);
  }
}

void load_script::lose(call_leg& leg) {
  if (!failure_.failed())
    failure_ = report::failure_cause::engine_restart;
  if (std::exchange(resuming_, nullptr) && owner_)
    lane::tell(leg.home(), owner_, call_resumed{false});
}

void load_script::on_resumption(call_leg& leg, call_resumption::state how) {
  switch (how) {
  case call_resumption::state::waiting:
    return;
  case call_resumption::state::failed:
    lose(leg);
    end_call(leg);
    return;
  case call_resumption::state::resumed:
    on_hold_ = resuming_->way() == sdp::direction::sendonly;
    resuming_.reset();
    kept_.update(leg);
    lane::tell(leg.home(), owner_, call_resumed{true});
    // What was to be done while nobody was there is not done any more.
    while (next_step_ < manner_->steps.size() &&
           *times_.answered + manner_->steps[next_step_].after <= leg.home().now())
      ++next_step_;
    wait_for_next(leg);
    return;
  }
}

void load_script::on_media_opened(call_leg& leg, const media_opened& opened) {
  if (resuming_) {
    if (!leg.over())
      on_resumption(leg, resuming_->on_media_opened(leg, opened, stream_));
    return;
  }
  if (!opened.local || failure_.failed()) { // no port, or told to end before it began
    if (!failure_.failed())
      failure_ = opened.local ? report::failure_cause{report::failure_cause::media_setup}
                              : failure_of(opened.local.error());
    if (!opened.local)
      detail_ = opened.local.error().cause;
    times_.started = times_.ended.emplace(leg.home().now());
    close(leg);
    return;
  }
  place(leg, *opened.local, opened.transport);
}

void load_script::place(call_leg& leg, const lane::endpoint& media_address,
                        std::shared_ptr<const sdp::stream_transport> transport) {
  if (const auto opened = leg.open(manner_->servers, manner_->connections); !opened) {
    failure_ = report::failure_cause::connect_failed;
    detail_ = opened.error().cause;
    times_.started = times_.ended.emplace(leg.home().now());
    close(leg);
    return;
  }
  leg.describe(manner_->offer, media_address.port());
  leg.use_stream(stream_.handle(), media_address.port(), std::move(transport));
  sip::call_options options;
  options.uri = target_->uri;
  options.from = target_->from;
  options.to = target_->to;
  options.route = target_->route;
  options.headers = target_->headers;
  options.credentials = target_->credentials;
  options.random = leg.home().random();
  options.ringing_limit = manner_->ringing_limit;
  options.hold_ack = static_cast<bool>(kept_);
  if (!leg.prepare(options, manner_->delayed_offer)) {
    failure_ = report::failure_cause::internal;
    close(leg);
    return;
  }
  if (kept_)
    kept_.begin(leg, target_->from_uri(), target_->uri);
  else
    send(leg);
}

void load_script::on_recorded(call_leg& leg, const recorded& answer) {
  if (leg.phase() == sip::leg::phase::established && !times_.acknowledged) {
    // Not written yet, it is up all the same: who hangs up will be known.
    (void)leg.acknowledge();
    begin_steps(leg);
    return;
  }
  if (leg.phase() != sip::leg::phase::prepared)
    return;
  if (answer.not_yet) {
    failure_ = report::failure_cause::not_recorded;
    leg.hang_up();
  } else {
    send(leg);
  }
}

void load_script::send(call_leg& leg) {
  times_.started = leg.home().now();
  if (!leg.send_invite()) {
    failure_ = report::failure_cause::internal;
    close(leg);
  }
}

void load_script::end_call(call_leg& leg) {
  stream_.stop(leg);
  switch (leg.phase()) {
  case sip::leg::phase::idle: // the media stream has not opened yet
    failure_ = report::failure_cause::stopped;
    return;
  case sip::leg::phase::established:
    if (!times_.bye_sent)
      times_.bye_sent = leg.home().now();
    break;
  default:
    break;
  }
  leg.hang_up();
}

void load_script::on_progress(call_leg& leg, const leg_progress& progress) {
  const auto now = leg.home().now();
  if (!times_.first_response)
    times_.first_response = now;
  if (!times_.ringing && (progress.status == 180 || progress.status == 183))
    times_.ringing = now;
}

void load_script::on_retrying(call_leg& leg, int status) {
  if (status != 0 && !times_.first_response)
    times_.first_response = leg.home().now();
  kept_.update(leg); // another INVITE has left
}

void load_script::on_answered(call_leg& leg, const leg_answer& answer) {
  const auto now = leg.home().now();
  if (!times_.first_response)
    times_.first_response = now;
  times_.answered = times_.final_response = now;
  status_ = static_cast<int16_t>(answer.status);
  if (answer.unusable != nullptr) {
    failure_ = report::failure_cause::bad_sdp;
    detail_ = answer.unusable->to_string();
  }
  if (kept_) {
    const auto wall = [&, wall_now = leg.home().wall_now()](lane::time_point at) {
      return storage::wall_time{wall_now} - (now - at);
    };
    const auto maybe = [&](const std::optional<lane::time_point>& at) {
      return at ? std::optional{wall(*at)} : std::nullopt;
    };
    kept_.note_progress(wall(times_.due), maybe(times_.first_response), maybe(times_.ringing));
  }
  if (kept_ && !failure_.failed())
    kept_.answered(leg);
  else
    begin_steps(leg);
}

void load_script::begin_steps(call_leg& leg) {
  times_.acknowledged = leg.home().now(); // sent in this very pass
  if (owner_)
    lane::tell(leg.home(), owner_, call_answered{number_, times_});
  if (failure_.failed()) {
    end_call(leg);
    return;
  }
  on_wake(leg); // some steps may be due at once
}

// -- while the call is up -------------------------------------------------------------

void load_script::wait_for_next(call_leg& leg) {
  auto next = length_;
  if (next_step_ < manner_->steps.size())
    next = std::min(next, manner_->steps[next_step_].after);
  if (step_again_)
    next = std::min(next, leg.home().now() - *times_.answered + again_after);
  leg.wake_at(*times_.answered + next);
}

void load_script::on_wake(call_leg& leg) {
  if (resuming_) {
    on_resumption(leg, resuming_->on_wake(leg));
    return;
  }
  if (std::exchange(returning_, false))
    come_back(leg);
  const auto up = leg.home().now() - *times_.answered;
  if (up >= length_) {
    if (manner_->callee_hangs_up == callee_hang_up::expected)
      failure_ = report::failure_cause::callee_stayed;
    hanging_up_ = true;
    end_call(leg);
    return;
  }
  if (step_again_)
    take(leg, *std::exchange(step_again_, std::nullopt));
  const auto& steps = manner_->steps;
  while (next_step_ < steps.size() && steps[next_step_].after <= up) {
    const auto& step = steps[next_step_++];
    if (step.what == call_step::kind::dial)
      dial(leg, target_->digits.at(step.part));
    else
      take(leg, step.what);
  }
  wait_for_next(leg);
}

void load_script::take(call_leg& leg, call_step::kind what) {
  const auto usual = manner_->capabilities.wanted;
  if (what == call_step::kind::ice_restart) {
    ++restarts_;
    // What becomes of it, the media's way counts.
    (void)leg.restart_ice(on_hold_ ? sdp::direction::sendonly : usual);
    return;
  }
  const bool hold = what == call_step::kind::hold;
  if (leg.offer(hold ? sdp::direction::sendonly : usual)) {
    offering_ = what;
  } else if (!std::exchange(offered_again_, true)) { // one of the peer's is open
    step_again_ = what;
  } else {
    offered_again_ = false;
    ++count_of(what).failed;
  }
  kept_.update(leg);
}

report::step_counts::count& load_script::count_of(call_step::kind what) noexcept {
  return what == call_step::kind::hold ? steps_.hold : steps_.resume;
}

void load_script::on_offer(call_leg& leg, const leg_offer& offer) {
  leg_user::on_offer(leg, offer);
  kept_.update(leg);
  if (resuming_)
    on_resumption(leg, resuming_->on_offer(leg));
}

void load_script::on_request(call_leg& leg, const leg_request& /*request*/) {
  kept_.update(leg); // it is answered by the leg
}

void load_script::on_way_back(call_leg& leg) {
  kept_.update(leg);
  if (resuming_)
    on_resumption(leg, resuming_->on_way_back(leg));
}

// Nobody can connect to us behind a WebSocket or TLS: we are back as soon as may be, but not all at
// once.
void load_script::on_cut_off(call_leg& leg) {
  const bool only_we_can =
    transport::is_websocket(leg.protocol()) || transport::is_secure(leg.protocol());
  if (resuming_ || returning_ || return_request_ != 0 || hanging_up_ || !times_.acknowledged ||
      !only_we_can)
    return;
  returning_ = true;
  leg.wake_at(leg.home().now() +
              std::chrono::duration_cast<lane::duration>(leg.home().random_unit() * return_within));
}

// With a WebSocket our media are taken along, for it may be the other side that was; an idle TLS
// connection may be closed at any time.
void load_script::come_back(call_leg& leg) {
  if (!transport::is_websocket(leg.protocol())) {
    return_request_ = leg.request(sip::method::options).value_or(0);
    return;
  }
  const auto way = on_hold_ ? sdp::direction::sendonly : manner_->capabilities.wanted;
  const bool webrtc = stream_ && manner_->capabilities.protections.front() == sdp::protection::dtls;
  if (!(webrtc && leg.restart_ice(way)))
    (void)leg.offer(way); // one that is open is made again, which does as well
}

void load_script::on_settled(call_leg& leg, const leg_settled& settled) {
  kept_.update(leg);
  if (resuming_) {
    on_resumption(leg, resuming_->on_settled(leg, settled));
    return;
  }
  if (settled.ice_restart || !offering_)
    return;
  const auto what = std::exchange(offering_, std::nullopt);
  if (settled.status == 491 && !std::exchange(offered_again_, true)) { // the peer's came first
    take(leg, *what);
    wait_for_next(leg);
    return;
  }
  offered_again_ = false;
  auto& count = count_of(*what);
  if (settled.unsettled != nullptr) {
    ++count.failed;
    return;
  }
  ++count.done;
  on_hold_ = *what == call_step::kind::hold;
}

void load_script::dial(call_leg& leg, const std::string& digits) {
  if (digits.empty()) // this user has none
    return;
  if (manner_->dials_by != dtmf_mode::info) {
    using way = media_dial::way;
    (void)leg.dial(digits, manner_->dials_by == dtmf_mode::inband      ? way::audio
                           : manner_->dials_by == dtmf_mode::automatic ? way::either
                                                                       : way::events);
    return;
  }
  info_digits_ += digits;
  if (digit_request_ == 0)
    send_next_digit(leg);
}

void load_script::send_next_digit(call_leg& leg) {
  if (info_digits_.empty())
    return;
  const auto sent = leg.request(sip::method::info, sip::info_digit_body(info_digits_.front()),
                                sip::info_digit_type);
  if (sent) {
    digit_request_ = *sent;
    info_digits_.erase(0, 1);
  } else {
    steps_.info_digit.failed += info_digits_.size();
    info_digits_.clear();
  }
  kept_.update(leg);
}

void load_script::on_response(call_leg& leg, const leg_response& response) {
  if (return_request_ != 0 && response.request == return_request_)
    return_request_ = 0;
  if (digit_request_ == 0 || response.request != digit_request_)
    return;
  digit_request_ = 0;
  const bool taken = response.status >= 200 && response.status < 300;
  ++(taken ? steps_.info_digit.done : steps_.info_digit.failed);
  if (!hanging_up_)
    send_next_digit(leg);
}

void load_script::on_ended(call_leg& leg, const leg_end& end) {
  const auto now = leg.home().now();
  const auto& event = end.event;
  cause_ = end.cause;
  times_.ended = now;
  if (times_.answered && !times_.acknowledged && owner_) // its ACK still waited
    lane::tell(leg.home(), owner_, call_answered{number_, times_});
  if (times_.started == lane::time_point{}) // its INVITE has not left
    times_.started = now;
  if (!times_.answered) {
    status_ = static_cast<int16_t>(event.status);
    if (event.status >= 300) {
      times_.final_response = now;
      if (!times_.first_response)
        times_.first_response = now;
    }
  }
  if (!failure_.failed()) {
    failure_ = failure_of(event, leg.failed_way());
    if (failure_.failed())
      detail_ = failure_detail(event, leg.failed_way());
  }
  if (resuming_ && failure_.failed())
    lose(leg);
  else if (std::exchange(resuming_, nullptr) && owner_) // its peer hung up first: it was not lost
    lane::tell(leg.home(), owner_, call_resumed{true});
  if (!failure_.failed() && !hanging_up_) {
    failure_ = end.cause == sip::end_cause::remote_bye && times_.answered
                 ? judged_end(now - *times_.answered)
                 : report::failure_cause{report::failure_cause::stopped};
    if (failure_.failed())
      detail_ = failure_detail(event, nullptr); // a BYE may say why
  }
  close(leg);
}

report::failure_cause load_script::judged_end(lane::duration up) const noexcept {
  using report::failure_cause;
  switch (manner_->callee_hangs_up) {
  case callee_hang_up::usual:
    return up >= usual_patience ? failure_cause::none : failure_cause::early_hangup;
  case callee_hang_up::fails:
    return failure_cause::early_hangup;
  case callee_hang_up::allowed:
  case callee_hang_up::expected:
    break;
  }
  return failure_cause::none;
}

void load_script::close(call_leg& leg) {
  leg.do_not_wake();
  if (!stream_.close(leg))
    report(leg);
}

void load_script::on_media_closed(call_leg& leg, const media_closed& closed) {
  stream_.on_closed(closed);
  if (leg.over() || leg.phase() == sip::leg::phase::idle) {
    report(leg);
  } else { // it ended by itself, which it does only by an error
    if (!failure_.failed())
      failure_ = closed.failure ? failure_of(*closed.failure)
                                : report::failure_cause{report::failure_cause::internal};
    if (closed.failure && detail_.empty())
      detail_ = closed.failure->cause;
    end_call(leg);
  }
}

void load_script::on_lost(call_leg& leg) {
  if (resuming_)
    lose(leg);
  failure_ = report::failure_cause::internal;
  if (!times_.ended)
    times_.ended = leg.home().now();
  report(leg);
}

void load_script::report(call_leg& leg) {
  call_finished finished;
  finished.number = number_;
  finished.times = times_;
  finished.cause = cause_;
  if (const auto media = stream_.take_outcome())
    finished.media = std::move(*media);
  if (finished.media && !failure_.failed()) {
    if (finished.media->digits_not_taken > 0)
      failure_ = report::failure_cause::dtmf_not_negotiated;
    else if (finished.media->missed)
      failure_ = report::failure_cause::not_heard;
  }
  finished.failure = failure_;
  finished.detail = failure_.failed() ? std::move(detail_) : std::string{};
  finished.status = status_;
  finished.wire = leg.wire();
  finished.target = target_;
  finished.leg = leg.identity();
  if (restarts_ > 0) {
    const auto took = finished.media ? finished.media->took.restarts : 0;
    steps_.ice_restart.done = std::min<uint64_t>(restarts_, took); // others were to come back
    steps_.ice_restart.failed = restarts_ - steps_.ice_restart.done;
  }
  for (const auto& open : {offering_, step_again_})
    if (open)
      ++count_of(*open).failed; // the call ended first
  steps_.info_digit.failed += info_digits_.size() + (digit_request_ != 0 ? 1 : 0);
  finished.steps = steps_;
  if (kept_.under_way()) {
    const auto figures = figures_of(finished);
    kept_.ended(leg, failure_, status_, &figures);
  }
  if (const auto owner = std::exchange(owner_, nullptr))
    lane::tell(leg.home(), owner, std::move(finished));
  leg.finish();
}

} // namespace jackfield

#include "actors/load/answer_script.hpp"

#include <algorithm>
#include <utility>

#include "actors/call/failure_detail.hpp"
#include "actors/call/failure_of.hpp"
#include "actors/call/resumption_tally.hpp"
#include "engine/sip/info_digit.hpp"

namespace jackfield {

answer_script::answer_script(media_plane& media, std::shared_ptr<const answer_manner> manner,
                             kept_call kept, caf::strong_actor_ptr owner, answer_plan plan)
    : plane_(media), manner_(std::move(manner)), owner_(std::move(owner)), plan_(std::move(plan)),
      kept_(std::move(kept)) {
  // nop
}

void answer_script::on_start(call_leg& leg) {
  if (kept_.under_way())
    resume(leg);
  else
    leg.describe(manner_->media, manner_->inactive_port);
}

void answer_script::resume(call_leg& leg) {
  answered_ = true;
  resuming_ = std::make_unique<call_resumption>();
  const auto begun = resuming_->begin(leg, kept_.record(), plane_, stream_,
                                      {.connections = manner_->connections,
                                       .credentials = {},
                                       .audio = kept_.record().media ? audio() : nullptr,
                                       .media = manner_->media,
                                       .inactive_port = manner_->inactive_port});
  if (begun) {
    on_resumption(leg, resuming_->current());
  } else {
    lose(leg);
    report(leg);
  }
}

void answer_script::lose(call_leg& leg) {
  failure_ = report::failure_cause::engine_restart;
  if (std::exchange(resuming_, nullptr) && owner_)
    lane::tell(leg.home(), owner_, call_resumed{false});
}

void answer_script::on_resumption(call_leg& leg, call_resumption::state how) {
  switch (how) {
  case call_resumption::state::waiting:
    return;
  case call_resumption::state::failed:
    lose(leg);
    on_hang_up(leg);
    return;
  case call_resumption::state::resumed:
    resuming_.reset();
    kept_.update(leg);
    lane::tell(leg.home(), owner_, call_resumed{true});
    if (manner_->length > lane::duration::zero()) {
      const auto up = leg.home().wall_now() - kept_.record().answered.value();
      ends_at_ = leg.home().now() + std::max(manner_->length - up, lane::duration::zero());
    }
    wait_for_next(leg);
    return;
  }
}

void answer_script::on_incoming(call_leg& leg, const leg_incoming& call) {
  if (kept_) {
    kept_.begin(leg, call.invite);
    awaits_record_ = true;
  }
  if (manner_->refuse_with != 0) {
    refuse(leg, manner_->refuse_with);
    return;
  }
  if (plan_.what == answer_plan::kind::busy) {
    refuse(leg, 486);
    return;
  }
  if (call.unacceptable != nullptr) { // before it rings anywhere or takes a port
    detail_ = call.unacceptable->to_string();
    refuse(leg, 488);
    return;
  }
  const bool answers = plan_.what == answer_plan::kind::answer;
  if (answers && audio()) {
    stream_.open(leg, plane_, audio(),
                 call.has_offer ? leg.offered_protection()
                                : manner_->media->capabilities().protections.front(),
                 leg.controls_ice());
    awaits_stream_ = true;
  }
  if (manner_->ring)
    (void)leg.ring();
  awaits_time_ = !answers || plan_.after > lane::duration::zero();
  if (awaits_time_)
    leg.wake_at(leg.home().now() + plan_.after);
  answer_if_ready(leg);
}

void answer_script::on_recorded(call_leg& leg, const recorded& answer) {
  if (leg.over() || !std::exchange(awaits_record_, false) || failure_.failed())
    return;
  if (answer.not_yet) {
    failure_ = report::failure_cause::not_recorded;
    refuse(leg, 503, "Retry-After: 5\r\n");
    return;
  }
  answer_if_ready(leg);
}

void answer_script::on_media_opened(call_leg& leg, const media_opened& opened) {
  if (leg.over())
    return;
  if (resuming_) {
    on_resumption(leg, resuming_->on_media_opened(leg, opened, stream_));
    return;
  }
  if (!opened.local) {
    failure_ = failure_of(opened.local.error());
    detail_ = opened.local.error().cause;
    refuse(leg, 503, "Retry-After: 5\r\n");
    return;
  }
  leg.use_stream(stream_.handle(), opened.local->port(), opened.transport);
  awaits_stream_ = false;
  answer_if_ready(leg);
}

void answer_script::on_wake(call_leg& leg) {
  if (resuming_) {
    on_resumption(leg, resuming_->on_wake(leg));
    return;
  }
  if (answered_) {
    const auto now = leg.home().now();
    if (now >= ends_at_) {
      on_hang_up(leg);
      return;
    }
    if (now >= check_at_)
      (void)leg.request(sip::method::options); // the leg ends if nobody knows of the call
    wait_for_next(leg);
    return;
  }
  awaits_time_ = false;
  if (plan_.what == answer_plan::kind::ring)
    refuse(leg, 480);
  else
    answer_if_ready(leg);
}

void answer_script::answer_if_ready(call_leg& leg) {
  if (awaits_record_ || awaits_stream_ || awaits_time_ || failure_.failed())
    return;
  answered_ = leg.accept().has_value();
  if (!answered_)
    return;
  if (manner_->length > lane::duration::zero())
    ends_at_ = leg.home().now() + manner_->length;
  wait_for_next(leg);
}

void answer_script::wait_for_next(call_leg& leg) {
  if (!stream_ && manner_->check_after > lane::duration::zero())
    check_at_ = leg.home().now() + manner_->check_after;
  if (const auto next = std::min(ends_at_, check_at_); next != lane::time_point::max())
    leg.wake_at(next);
}

void answer_script::on_confirmed(call_leg& leg) {
  kept_.confirmed(leg);
  if (plan_.tells_when_up && owner_)
    lane::tell(leg.home(), owner_, call_up{leg.id()});
}

void answer_script::refuse(call_leg& leg, int status, std::string_view headers) {
  if (!failure_.failed())
    failure_ = report::failure_cause::from_status(status);
  status_ = status;
  (void)leg.refuse(status, headers);
}

void answer_script::on_hang_up(call_leg& leg) {
  stream_.stop(leg);
  leg.hang_up();
}

void answer_script::on_offer(call_leg& leg, const leg_offer& offer) {
  leg_user::on_offer(leg, offer);
  kept_.update(leg);
  if (resuming_)
    on_resumption(leg, resuming_->on_offer(leg));
}

void answer_script::on_settled(call_leg& leg, const leg_settled& settled) {
  kept_.update(leg);
  if (resuming_)
    on_resumption(leg, resuming_->on_settled(leg, settled));
}

void answer_script::on_request(call_leg& leg, const leg_request& request) {
  kept_.update(leg);
  if (request.what == sip::method::info && sip::read_info_digit(request.content_type, request.body))
    ++info_digits_; // answered with 200 by the leg
}

void answer_script::on_way_back(call_leg& leg) {
  kept_.update(leg);
  if (resuming_)
    on_resumption(leg, resuming_->on_way_back(leg));
}

void answer_script::on_ended(call_leg& leg, const leg_end& end) {
  if (resuming_ && failure_of(end.event).failed())
    lose(leg);
  else if (std::exchange(resuming_, nullptr) && owner_) // its peer hung up first: it was not lost
    lane::tell(leg.home(), owner_, call_resumed{true});
  ended_ = end.cause;
  if (!failure_.failed()) {
    failure_ = end.cause == sip::end_cause::cancelled
                 ? report::failure_cause{report::failure_cause::cancelled}
                 : failure_of(end.event, leg.failed_way());
    if (failure_.failed())
      detail_ = failure_detail(end.event, leg.failed_way());
  }
  if (!failure_.failed() && !answered_)
    failure_ = report::failure_cause::stopped;
  leg.do_not_wake();
  if (plan_.tells_when_up && owner_)
    lane::tell(leg.home(), owner_, call_down{leg.id()});
  if (!stream_.close(leg))
    report(leg);
}

void answer_script::on_media_silent(call_leg& leg, const media_silent& silent) {
  if (leg.over() || !answered_)
    return;
  if (!silent.heard) {
    (void)leg.request(sip::method::options);
    return;
  }
  if (!failure_.failed())
    failure_ = report::failure_cause::media_timeout;
  on_hang_up(leg);
}

void answer_script::on_media_closed(call_leg& leg, const media_closed& closed) {
  stream_.on_closed(closed);
  if (leg.over()) {
    report(leg);
    return;
  }
  // It ended by itself, which it does only by an error.
  failure_ = closed.failure ? failure_of(*closed.failure)
                            : report::failure_cause{report::failure_cause::internal};
  if (closed.failure)
    detail_ = closed.failure->cause;
  leg.hang_up();
}

void answer_script::on_lost(call_leg& leg) {
  if (resuming_)
    lose(leg);
  failure_ = report::failure_cause::internal;
  report(leg);
}

answer_plan::kind answer_script::declined() const noexcept {
  using kind = answer_plan::kind;
  if (answered_)
    return kind::answer;
  if (plan_.what == kind::busy)
    return failure_ == report::failure_cause::from_status(486) ? kind::busy : kind::answer;
  const bool given_up = failure_ == report::failure_cause{report::failure_cause::cancelled};
  if (plan_.what == kind::ring)
    return given_up || failure_ == report::failure_cause::from_status(480) ? kind::ring
                                                                           : kind::answer;
  return given_up && plan_.may_be_given_up ? kind::ring : kind::answer;
}

void answer_script::report(call_leg& leg) {
  auto media = stream_.take_outcome();
  if (media && media->missed && answered_ && !failure_.failed())
    failure_ = report::failure_cause::not_heard;
  kept_.ended(leg, failure_, answered_ ? 200 : status_);
  served_call served;
  served.call = leg.id();
  served.failure = failure_;
  served.answered = answered_;
  served.declined = declined();
  served.info_digits = info_digits_;
  served.detail = failure_.failed() ? std::move(detail_) : std::string{};
  served.ended = ended_;
  if (media)
    served.media = std::move(*media);
  if (const auto owner = std::exchange(owner_, nullptr))
    lane::tell(leg.home(), owner, std::move(served));
  leg.finish();
}

} // namespace jackfield

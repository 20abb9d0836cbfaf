#include "actors/call/leg_reporter.hpp"

#include <algorithm>
#include <utility>

#include <caf/sec.hpp>

#include "actors/call/failure_of.hpp"

namespace jackfield {

namespace {

leg_result not_done(const error& why) {
  return {.what = leg_result::outcome::not_now, .why = why.to_string()};
}

template <class T>
leg_result result_of(const result<T>& r) {
  return r ? leg_result{} : not_done(r.error());
}

leg_result response_result(int status, std::string_view body, std::string_view content_type) {
  leg_result out;
  out.what = status == 0    ? leg_result::outcome::unanswered
             : status < 300 ? leg_result::outcome::done
                            : leg_result::outcome::refused;
  out.status = status;
  out.body = body;
  out.content_type = content_type;
  return out;
}

/// Header fields that tell what a request is about.
constexpr sip::header told_headers[] = {sip::header::event, sip::header::refer_to};

} // namespace

leg_result leg_result_of(const caf::error& e) {
  leg_result out;
  out.what = leg_result::outcome::over;
  out.why = e == caf::sec::request_receiver_down ? "the leg is over" : "the leg cannot be reached";
  return out;
}

// -- commands ----------------------------------------------------------------------

/// Carries out one command. What is not answered here is by a later event.
class leg_reporter::executor {
public:
  executor(leg_reporter& reporter, call_leg& leg, caf::response_promise promise)
      : reporter_(reporter), leg_(leg), promise_(std::move(promise)) {}

  void operator()(leg_commands::send&) {
    begin([this] { return leg_.send_invite(); });
  }
  void operator()(leg_commands::ring& c) { reply(result_of(leg_.ring(c.status))); }
  void operator()(leg_commands::send_early_media& c) {
    reply(result_of(leg_.send_early_media(c.status)));
  }
  void operator()(leg_commands::accept&) {
    begin([this] { return leg_.accept(); });
  }
  void operator()(leg_commands::refuse& c) {
    const auto refused = leg_.refuse(c.status, c.headers);
    if (refused)
      reporter_.status_ = c.status;
    reply(result_of(refused));
  }
  void operator()(leg_commands::redirect& c) { reply(result_of(leg_.redirect(c.uris))); }
  void operator()(leg_commands::hang_up& c) {
    reporter_.waiting_.push_back({0, std::move(promise_)});
    reporter_.lost_ |= c.cut_off;
    leg_.hang_up(c.headers);
  }
  void operator()(leg_commands::offer& c) {
    reply_later(leg_.offer(c.wanted, c.in_update ? sip::method::update : sip::method::invite));
  }
  void operator()(leg_commands::answer_offer& c) {
    reply(result_of(leg_.answer_offer(c.number, c.wanted)));
  }
  void operator()(leg_commands::refuse_offer& c) {
    reply(result_of(leg_.refuse_offer(c.number, c.status)));
  }
  void operator()(leg_commands::request& c) {
    reply_later(leg_.request(c.what, c.body, c.content_type, c.headers));
  }
  void operator()(leg_commands::answer_request& c) {
    reply(result_of(leg_.answer_request(c.number, c.status, c.headers, c.body, c.content_type)));
  }
  void operator()(leg_commands::dial& c) { reply(result_of(leg_.dial(c.digits))); }
  void operator()(leg_commands::use_stream& c) {
    if (reporter_.resuming_)
      reporter_.on_resumption(leg_, reporter_.resuming_->use_stream(
                                      leg_, {std::move(c.stream), c.port, std::move(c.transport)}));
    else
      leg_.use_stream(std::move(c.stream), c.port, std::move(c.transport));
    reply({});
  }
  void operator()(leg_commands::keep&) { reply({}); } // as after each command
  void operator()(leg_commands::narrow& c) {
    const auto narrowed = leg_.narrow(c.media);
    if (narrowed)
      reporter_.kept_.describe_by(std::move(c.media));
    reply(result_of(narrowed));
  }

private:
  /// Now, or once the call is in the store.
  template <class Begin>
  void begin(Begin how) {
    if (!reporter_.awaits_record_)
      reply(result_of(how()));
    else if (std::exchange(reporter_.wants_begin_, true))
      reply(not_done(error{"leg", "is to begin already"}));
    else
      reporter_.beginning_ = std::move(promise_);
  }
  void reply(leg_result r) { promise_.deliver(std::move(r)); }
  void reply_later(const result<uint32_t>& request) {
    if (request)
      reporter_.waiting_.push_back({*request, std::move(promise_)});
    else
      reply(not_done(request.error()));
  }

  leg_reporter& reporter_;
  call_leg& leg_;
  caf::response_promise promise_;
};

void leg_reporter::on_command(call_leg& leg, leg_command& command) {
  auto promise = leg.make_response_promise();
  if (leg.over()) {
    promise.deliver(leg_result{.what = leg_result::outcome::over, .why = "the leg is over"});
    return;
  }
  std::visit(executor{*this, leg, std::move(promise)}, command.what);
  if (kept_.under_way() && kept_.record().answered)
    kept_.update(leg);
}

bool leg_reporter::answer(uint32_t request, leg_result result) {
  const auto found = std::find_if(waiting_.begin(), waiting_.end(),
                                  [&](const waiting& w) { return w.request == request; });
  if (found == waiting_.end())
    return false;
  auto promise = std::move(found->promise);
  waiting_.erase(found);
  promise.deliver(std::move(result));
  return true;
}

// -- events ---------------------------------------------------------------------------

template <class Event>
void leg_reporter::tell(call_leg& leg, Event event) {
  if (settings_.owner)
    lane::tell_from(leg, settings_.owner, std::move(event));
}

void leg_reporter::on_start(call_leg& leg) {
  leg.set_down_handler([this, &leg](const caf::down_msg&) {
    settings_.owner = nullptr; // nobody is left whom the call is for
    // By a message, after which the leg sees to its timers: a BYE may be lost, and is said again.
    lane::tell(leg.home(), caf::strong_actor_ptr{leg.ctrl()}, hang_up{});
  });
  leg.monitor(settings_.owner);
  kept_.describe_by(settings_.media);
  if (kept_.under_way()) {
    resume(leg);
    return;
  }
  if (!calling_) {
    leg.describe(settings_.media, settings_.port);
    leg.use_stream(settings_.stream, settings_.port, settings_.transport);
    return;
  }
  const auto& c = *calling_;
  auto opened = c.over.valid() ? leg.open_over(c.over, c.connections, c.registered_as)
                               : leg.open(c.servers, c.connections);
  auto begun = opened.and_then([&] {
    leg.describe(settings_.media, settings_.port);
    leg.use_stream(settings_.stream, settings_.port, settings_.transport);
    sip::call_options options;
    options.uri = c.whom->uri;
    options.from = c.whom->from;
    options.to = c.whom->to;
    options.route = c.whom->route;
    options.headers = c.whom->headers;
    options.max_forwards = c.max_forwards;
    options.credentials = c.whom->credentials;
    options.random = leg.home().random();
    options.ringing_limit = c.ringing_limit;
    options.hold_ack = static_cast<bool>(kept_);
    return leg.prepare(options, c.delayed_offer);
  });
  if (begun && kept_) {
    kept_.begin(leg, c.whom->from_uri(), c.whom->uri,
                c.over.valid() ? std::string_view{c.registered_as} : std::string_view{});
    awaits_record_ = true;
    wants_begin_ = !c.wait;
  } else if (begun && !c.wait) {
    begun = leg.send_invite();
  }
  if (!begun)
    end(leg, {.cause = sip::end_cause::transport_failed}, report::failure_cause::connect_failed);
}

void leg_reporter::resume(call_leg& leg) {
  status_ = 200;
  resuming_ = std::make_unique<call_resumption>();
  const auto begun = resuming_->begin(
    leg, kept_.record(),
    {.connections = connections_, .credentials = {}, .audio = nullptr, .media = settings_.media});
  if (begun)
    tell(leg, leg_events::prepared{leg.identity(), settings_.tag});
  else
    end(leg, {.cause = sip::end_cause::transport_failed}, report::failure_cause::engine_restart);
}

void leg_reporter::on_resumption(call_leg& leg, call_resumption::state how) {
  switch (how) {
  case call_resumption::state::waiting:
    return;
  case call_resumption::state::failed:
    resuming_.reset();
    lost_ = true;
    tell(leg, leg_events::not_resumed{settings_.tag}); // its end takes as long again
    leg.hang_up();
    return;
  case call_resumption::state::resumed:
    resuming_.reset();
    kept_.update(leg);
    tell(leg, leg_events::confirmed{});
    return;
  }
}

void leg_reporter::on_wake(call_leg& leg) {
  if (resuming_)
    on_resumption(leg, resuming_->on_wake(leg));
}

void leg_reporter::on_way_back(call_leg& leg) {
  if (resuming_)
    on_resumption(leg, resuming_->on_way_back(leg));
}

void leg_reporter::on_recorded(call_leg& leg, const recorded& answer) {
  if (leg.over())
    return;
  if (answered_) { // not written yet, it is up all the same: who hangs up will be known
    (void)leg.acknowledge();
    tell(leg, *std::exchange(answered_, std::nullopt));
    return;
  }
  if (!std::exchange(awaits_record_, false))
    return;
  if (answer.not_yet) { // its end answers who waits for its beginning
    if (calling_)
      leg.hang_up();
    else if (leg.refuse(503, "Retry-After: 5\r\n"))
      status_ = 503;
    return;
  }
  if (!std::exchange(wants_begin_, false))
    return;
  const auto begun = calling_ ? leg.send_invite() : leg.accept();
  if (auto reply = std::exchange(beginning_, std::nullopt))
    reply->deliver(result_of(begun));
  else if (!begun)
    leg.hang_up();
}

void leg_reporter::on_prepared(call_leg& leg) {
  tell(leg, leg_events::prepared{leg.identity(), settings_.tag});
}

void leg_reporter::on_incoming(call_leg& leg, const leg_incoming& call) {
  leg_events::incoming event;
  event.leg = leg.identity();
  event.uri = call.invite.request_uri();
  event.from = call.invite.first(sip::header::from);
  event.to = call.invite.first(sip::header::to);
  event.max_forwards = call.invite.max_forwards();
  event.has_offer = call.has_offer;
  event.controls_ice = leg.controls_ice();
  if (call.unacceptable != nullptr)
    event.unacceptable = call.unacceptable->to_string();
  event.protection = leg.offered_protection();
  event.codecs = leg.offered_codecs();
  if (kept_) {
    kept_.begin(leg, call.invite);
    awaits_record_ = true;
  }
  tell(leg, std::move(event));
}

void leg_reporter::on_confirmed(call_leg& leg) {
  status_ = 200;
  kept_.confirmed(leg);
  tell(leg, leg_events::confirmed{});
}

void leg_reporter::on_progress(call_leg& leg, const leg_progress& progress) {
  if (progress.status > 100)
    tell(leg, leg_events::ringing{progress.status, progress.fork});
}

void leg_reporter::on_early_media(call_leg& leg, const leg_early_media& media) {
  leg.hear_early(media.audio);
  tell(leg, leg_events::ringing{183, media.fork, media.audio});
}

void leg_reporter::on_retrying(call_leg& leg, int /*status*/) {
  kept_.update(leg); // another INVITE has left
}

void leg_reporter::on_answered(call_leg& leg, const leg_answer& answer) {
  status_ = answer.status;
  if (answer.unusable != nullptr)
    return;
  leg_events::answered event{answer.status,
                             answer.audio != nullptr ? std::optional{*answer.audio} : std::nullopt};
  if (kept_) {
    answered_ = std::move(event);
    kept_.answered(leg);
  } else {
    tell(leg, std::move(event));
  }
}

void leg_reporter::on_offer(call_leg& leg, const leg_offer& offer) {
  tell(leg, leg_events::offered{offer.number, offer.has_offer, offer.way});
  if (resuming_) // the owner answers it
    on_resumption(leg, resuming_->on_offer(leg));
}

void leg_reporter::on_offer_withdrawn(call_leg& leg, uint32_t number) {
  tell(leg, leg_events::offer_withdrawn{number});
}

void leg_reporter::on_settled(call_leg& leg, const leg_settled& settled) {
  kept_.update(leg);
  if (resuming_) {
    on_resumption(leg, resuming_->on_settled(leg, settled));
    return;
  }
  if (settled.request == 0)
    return;
  auto result = response_result(settled.status, {}, {});
  if (settled.unsettled != nullptr) {
    if (result.what == leg_result::outcome::done)
      result.what = leg_result::outcome::refused; // its answer is none
    result.why = settled.unsettled->to_string();
  }
  answer(settled.request, std::move(result));
}

void leg_reporter::on_request(call_leg& leg, const leg_request& request) {
  kept_.update(leg);
  const auto& wanted = settings_.wanted;
  if (std::find(wanted.begin(), wanted.end(), request.what) == wanted.end() ||
      !leg.defer_request(request.number))
    return;
  leg_events::requested event;
  event.number = request.number;
  event.what = request.what;
  for (const auto h : told_headers)
    if (request.message.has(h))
      event.headers +=
        std::string{sip::to_string(h)} + ": " + std::string{request.message.first(h)} + "\r\n";
  event.content_type = request.content_type;
  event.body = request.body;
  tell(leg, std::move(event));
}

void leg_reporter::on_response(call_leg& /*leg*/, const leg_response& response) {
  answer(response.request, response_result(response.status, response.body, response.content_type));
}

void leg_reporter::on_ended(call_leg& leg, const leg_end& end_of) {
  if (status_ == 0)
    status_ = end_of.event.status;
  const auto why = end_of.cause == sip::end_cause::cancelled ? report::failure_cause::cancelled
                                                             : failure_of(end_of.event);
  end(leg, {.cause = end_of.cause, .status = end_of.event.status},
      !why.failed() && status_ >= 300 ? report::failure_cause::from_status(status_) : why);
}

void leg_reporter::on_lost(call_leg& leg) {
  end(leg, {.lost = true}, report::failure_cause::internal);
}

void leg_reporter::end(call_leg& leg, leg_events::ended event, report::failure_cause why) {
  event.tag = settings_.tag;
  if (lost_ || (std::exchange(resuming_, nullptr) && why.failed()))
    why = report::failure_cause::engine_restart;
  kept_.ended(leg, why, status_);
  if (auto reply = std::exchange(beginning_, std::nullopt))
    reply->deliver(leg_result{.what = leg_result::outcome::over,
                              .status = event.status,
                              .why = "it ended before it was kept"});
  for (auto& w : std::exchange(waiting_, {}))
    w.promise.deliver(w.request == 0 ? leg_result{.status = event.status}
                                     : leg_result{.what = leg_result::outcome::over,
                                                  .status = event.status,
                                                  .why = "the leg ended before"});
  event.wire = leg.wire();
  tell(leg, event);
  settings_.owner = nullptr;
  leg.finish();
}

} // namespace jackfield

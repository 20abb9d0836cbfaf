#include "actors/load/answering_service.hpp"

#include <algorithm>
#include <utility>
#include <vector>

#include <caf/behavior.hpp>

#include "actors/call/leg_messages.hpp"
#include "actors/load/media_metrics.hpp"
#include "actors/load/planned_arrivals.hpp"
#include "engine/sip/fields.hpp"
#include "engine/sip/method_set.hpp"
#include "engine/sip/response_text.hpp"

namespace jackfield {

namespace {

/// What is handled out of dialog where nobody may register.
constexpr sip::method_set as_user{sip::method::invite, sip::method::ack, sip::method::bye,
                                  sip::method::cancel, sip::method::options};

/// Whoever calls an address that is registered for the very phone that calls does not mean itself.
bool is_of_caller(const registered_contact& contact, const sip_arrival& invite) {
  if (contact.flow.valid())
    return contact.flow == invite.from();
  const auto theirs = sip::parse_name_addr(contact.value);
  const auto own = sip::parse_name_addr(invite.message().first(sip::header::contact));
  return theirs && own && theirs->uri == own->uri;
}

/// A user who has a call is given so long to see its end before another is told that it is busy: a
/// PBX sends a BYE and the next INVITE at once, and they come together.
constexpr std::chrono::milliseconds end_within{100};
/// The timers' names; 0 is that of the users.
constexpr unsigned held_timer = 1;

} // namespace

answering_service::answering_service(caf::actor_config& config, lane::lane& home,
                                     lane_context& context,
                                     std::shared_ptr<const answer_manner> manner,
                                     std::shared_ptr<const registrar_settings> registrations,
                                     unsigned source, std::shared_ptr<registrar_shards> shards,
                                     std::shared_ptr<const trace_settings> trace)
    : lane::lane_actor(config, home), context_(context), manner_(std::move(manner)),
      shards_(std::move(shards)), registrar_(context, std::move(registrations), shards_, this),
      held_timer_(*this, held_timer), trace_settings_(std::move(trace)), source_(source) {
  // nop
}

caf::behavior answering_service::make_behavior() {
  context_.router.set_service(this);
  if (trace_settings_)
    trace_ = std::make_unique<call_trace>(context_.router, trace_settings_);
  return {
    [this](const bindings_left& left) { registrar_.take_up(*left.all); },
    [this](const recorded& written) { registrar_.on_recorded(written); },
    [this](resume_calls& left) { go_on(left); },
    [this](const call_resumed& call) { resuming_.take(*this, call); },
    [this](const call_up& call) {
      if (users_)
        users_->on_call_up(call.call);
    },
    [this](const call_down& call) { on_user_free(call.call); },
    [this](const served_call& served) { on_served(served); },
    [this](const bridged_call_over& over) { on_bridged(over); },
    [this](const contacts_found& found) { on_found(found); },
    [this](metrics_request) {
      take_snapshot();
      send(caf::actor_cast<caf::actor>(current_sender()),
           metrics_snapshot{source_, std::make_shared<report::run_metrics>(metrics_)});
    },
    [this](register_users& all) {
      calls_of_user_.resize(all.directory->all().size());
      users_ = std::make_unique<answering_users>(*this, context_, std::move(all));
    },
    [this](const registration_report& report) {
      users_->on_report(report);
      if (stopping_ && nothing_left())
        finish();
    },
    [this](const lane::timer_fired& timer) {
      if (timer.id == held_timer)
        on_timer();
      else if (users_)
        users_->on_timer();
    },
    [this](service_drain) { stop(false); },
    [this](service_stop) { stop(true); },
    [this](recorder_idle) { leave(); },
  };
}

void answering_service::on_exit() {
  context_.router.set_service(nullptr);
  held_timer_.cancel();
  trace_ = nullptr;
  resuming_.let_go();
  users_ = nullptr;
  for (const auto& [id, call] : calls_) // an error ended us: nobody would end them
    lane::tell(home(), call, hang_up{});
  calls_.clear();
  for (const auto& [ticket, waiting] : look_ups_) {
    context_.router.answer(*waiting.invite, 480);
    context_.router.unbind_invite(waiting.transaction);
  }
  look_ups_.clear();
  for (const auto& waiting : held_) {
    context_.router.answer(*waiting.invite, 480);
    context_.router.unbind_invite(waiting.transaction);
  }
  held_.clear();
}

void answering_service::stop(bool hang_up_calls) {
  stop_asked_by_ = current_sender();
  stopping_ = true;
  context_.router.set_service(nullptr);
  if (users_)
    users_->leave(hang_up_calls);
  for (auto& waiting : held_)
    waiting.until = home().now();
  on_timer();
  if (hang_up_calls) {
    // In the order in which they came: a simulated run is to be the same each time.
    std::vector<caf::strong_actor_ptr> calls;
    calls.reserve(calls_.size());
    for (const auto& [id, call] : calls_)
      calls.push_back(call);
    std::sort(calls.begin(), calls.end(),
              [](const auto& a, const auto& b) { return a->id() < b->id(); });
    for (const auto& call : calls)
      lane::tell(home(), call, hang_up{});
  }
  if (nothing_left())
    finish();
}

bool answering_service::nothing_left() const noexcept {
  return calls_.empty() && look_ups_.empty() && (!users_ || users_->gone());
}

void answering_service::finish() {
  if (context_.keeps != nullptr) // what is kept of the calls is written first
    context_.keeps->when_idle(caf::strong_actor_ptr{ctrl()});
  else
    leave();
}

void answering_service::leave() {
  take_snapshot();
  if (trace_)
    trace_->finish();
  if (stop_asked_by_)
    send(caf::actor_cast<caf::actor>(stop_asked_by_),
         service_stopped{source_, std::make_shared<report::run_metrics>(metrics_)});
  stop_asked_by_ = nullptr;
  quit();
}

void answering_service::on_invite(const sip_arrival_ptr& invite, uint64_t transaction) {
  metrics_.calls.offer();
  metrics_.calls.start();
  if (context_.keeps != nullptr && !context_.keeps->takes_work()) {
    context_.router.answer(*invite, 503, "Retry-After: 5\r\n");
    context_.router.unbind_invite(transaction);
    count({}, false, report::failure_cause::not_recorded, {});
    return;
  }
  if (const auto user = users_ ? users_->called_by(invite->message()) : std::nullopt) {
    answer_as(*user, invite, transaction);
    return;
  }
  if (!serves_others()) {
    context_.router.answer(*invite, 404);
    context_.router.unbind_invite(transaction);
    count({}, false, report::failure_cause::from_status(404), {});
    return;
  }
  if (!manner_->connect) {
    answer(invite, transaction);
    return;
  }
  // Nobody may cancel before we have said something (RFC 3261 §9.1), and copies are kept away.
  const auto ticket = ++tickets_;
  look_ups_.emplace(ticket, looking_up{invite, transaction});
  registrar_.look_up(invite->message().request_uri(), caf::strong_actor_ptr{ctrl()}, ticket);
}

void answering_service::on_found(const contacts_found& found) {
  const auto waiting = look_ups_.extract(found.ticket);
  if (!waiting)
    return;
  const auto& invite = waiting.mapped().invite;
  const auto transaction = waiting.mapped().transaction;
  if (stopping_) {
    context_.router.answer(*invite, 480);
    context_.router.unbind_invite(transaction);
    count({}, false, report::failure_cause::stopped, {});
    return;
  }
  const auto callee =
    std::find_if(found.contacts.begin(), found.contacts.end(),
                 [&](const registered_contact& one) { return !is_of_caller(one, *invite); });
  if (callee == found.contacts.end())
    answer(invite, transaction);
  else
    connect(invite, transaction, *callee);
}

answer_plan answering_service::plan_of(uint64_t number) const {
  const auto drawn = [&](draw what) {
    return unit_of(manner_->seed, number, static_cast<uint64_t>(what));
  };
  answer_plan plan;
  const auto share = drawn(draw::share);
  if (share < manner_->busy_share) {
    plan.what = answer_plan::kind::busy;
  } else if (share < manner_->busy_share + manner_->answer_share) {
    plan.after = manner_->answer_after.at(drawn(draw::delay));
  } else {
    plan.what = answer_plan::kind::ring;
    plan.after = manner_->ring_limit;
  }
  return plan;
}

answer_plan answering_service::plan_of_user(size_t place) {
  // A user's n-th call meets the same, whichever lane the user is on.
  const auto number = calls_of_user_[place]++;
  auto plan = users_->plan_of(place, number)
                .value_or(plan_of((static_cast<uint64_t>(place + 1) << 32U) + number));
  plan.audio = users_->user(place)->audio;
  plan.may_be_given_up = true;
  return plan;
}

void answering_service::answer(const sip_arrival_ptr& invite, uint64_t transaction) {
  answer(invite, transaction, plan_of((calls_of_nobody_++ << 8U) + source_));
}

void answering_service::answer_as(size_t user, const sip_arrival_ptr& invite,
                                  uint64_t transaction) {
  if (!users_->may_have(user)) {
    hold(user, invite, transaction);
    return;
  }
  auto plan = plan_of_user(user);
  plan.tells_when_up = users_->has_listener();
  users_->on_call(user, answer(invite, transaction, std::move(plan)), invite->message());
}

// Nobody may cancel before we have said something (RFC 3261 §9.1), and copies are kept away.
void answering_service::hold(size_t user, const sip_arrival_ptr& invite, uint64_t transaction) {
  held_.push_back({invite, transaction, user, home().now() + end_within});
  if (!held_timer_.armed())
    held_timer_.arm(held_.front().until);
}

void answering_service::on_user_free(caf::actor_id call) {
  const auto user = users_ ? users_->on_call_over(call) : std::nullopt;
  if (!user)
    return;
  const auto next = std::ranges::find(held_, *user, &held_call::user);
  if (next == held_.end())
    return;
  const auto waiting = std::move(*next);
  held_.erase(next);
  answer_as(*user, waiting.invite, waiting.transaction);
}

void answering_service::on_timer() {
  while (!held_.empty() && held_.front().until <= home().now()) {
    const auto waiting = std::move(held_.front());
    held_.pop_front();
    answer_plan busy;
    busy.what = answer_plan::kind::busy;
    answer(waiting.invite, waiting.transaction, std::move(busy));
  }
  if (!held_.empty())
    held_timer_.arm(held_.front().until);
}

caf::actor_id answering_service::answer(const sip_arrival_ptr& invite, uint64_t transaction,
                                        answer_plan plan) {
  auto script = std::make_unique<answer_script>(
    context_.media, manner_,
    kept_call{context_.keeps, context_.keeps != nullptr ? context_.keeps->take_number() : 0},
    caf::strong_actor_ptr{ctrl()}, std::move(plan));
  auto call = caf::actor_cast<caf::strong_actor_ptr>(home().spawn<call_leg>(
    context_.router, std::move(script), invite, transaction, manner_->connections));
  const auto id = call->id();
  keep(std::move(call), invite->message().call_id());
  return id;
}

void answering_service::go_on(resume_calls& left) {
  resuming_.begin(*this, left.calls.size(), std::move(left.watcher));
  for (auto& call : std::exchange(left.calls, {})) {
    metrics_.calls.offer();
    metrics_.calls.start();
    const auto call_id = call.record.call_id;
    auto script = std::make_unique<answer_script>(context_.media, manner_,
                                                  kept_call{context_.keeps, std::move(call)},
                                                  caf::strong_actor_ptr{ctrl()});
    keep(caf::actor_cast<caf::strong_actor_ptr>(
           home().spawn<call_leg>(context_.router, std::move(script))),
         call_id);
  }
}

void answering_service::connect(const sip_arrival_ptr& invite, uint64_t transaction,
                                registered_contact callee) {
  keep(caf::actor_cast<caf::strong_actor_ptr>(
         home().spawn<bridged_call>(context_, manner_->connect, invite, transaction,
                                    std::move(callee), shards_, caf::strong_actor_ptr{ctrl()})),
       invite->message().call_id());
}

void answering_service::keep(caf::strong_actor_ptr call, std::string_view call_id) {
  if (trace_)
    trace_->adopt(call_id, call->id());
  calls_.emplace(call->id(), std::move(call));
}

void answering_service::on_request(const sip_arrival_ptr& request) {
  switch (request->message().request_method()) {
  case sip::method::register_:
    if (serves_others())
      registrar_.on_register(request);
    else // it is registered elsewhere itself
      context_.router.answer(*request, 405, "Allow: " + as_user.to_string() + "\r\n");
    break;
  case sip::method::options:
    context_.router.answer(*request, 200, sip::capability_lines);
    break;
  default:
    context_.router.answer(*request, 405,
                           "Allow: " + sip::allowed_out_of_dialog.to_string() + "\r\n");
  }
}

void answering_service::on_served(const served_call& served) {
  if (served.media)
    count(*served.media);
  metrics_.media.dtmf_received += served.info_digits;
  if (served.answered && served.ended == sip::end_cause::remote_bye)
    ++metrics_.calls.ended_by_caller;
  else if (served.answered && served.ended == sip::end_cause::local_bye)
    ++metrics_.calls.ended_by_callee;
  count(served.call, served.answered, served.failure, served.declined, served.detail);
}

void answering_service::on_bridged(const bridged_call_over& over) {
  for (const auto& stream : over.media)
    count(stream);
  count(over.call, over.answered, over.failure);
}

void answering_service::count(const media_outcome& media) {
  add_received(metrics_.media.received, media);
  add_refused(metrics_.media.ignored, media);
  metrics_.media.early_packets += media.refused.early;
  metrics_.media.stopped_calls += media.stopped_for > lane::duration::zero() ? 1 : 0;
  add_phases(metrics_.times, media);
  metrics_.media.transcoded += media.transcoded ? 1 : 0;
  metrics_.media.dtmf_sent += media.digits_sent;
  metrics_.media.dtmf_received += media.digits_received.size();
  add_found(metrics_.media.found, media);
}

void answering_service::count(caf::actor_id call, bool answered, report::failure_cause failure,
                              answer_plan::kind declined, std::string_view detail) {
  calls_.erase(call);
  on_user_free(call);
  if (answered)
    metrics_.calls.answer();
  const bool failed = declined == answer_plan::kind::answer && failure.failed();
  if (declined == answer_plan::kind::busy)
    metrics_.calls.refuse_as_busy();
  else if (declined == answer_plan::kind::ring)
    metrics_.calls.leave_unanswered();
  else if (failed)
    metrics_.calls.fail(failure, detail);
  else
    metrics_.calls.complete();
  if (trace_)
    trace_->on_leg_over(call, failed ? failure.name() : "");
  if (stopping_ && nothing_left())
    finish();
}

void answering_service::take_snapshot() {
  take_health(metrics_, home(), context_.media);
  metrics_.health.socket_drops += context_.router.peers().drops();
  const auto& router = context_.router.counters();
  for (; refused_ < router.overload_refusals; ++refused_) { // they were calls, all the same
    metrics_.calls.offer();
    metrics_.calls.start();
    metrics_.calls.fail(report::failure_cause::refused_locally);
  }
  metrics_.malformed = router.malformed;
  metrics_.unexpected = router.unexpected;
  metrics_.retransmissions_received = router.retransmissions_received;
  metrics_.statuses = router.sent;
  metrics_.served = router.served;
  metrics_.requests_sent = router.requests_sent;
  metrics_.retransmissions = router.retransmissions;
  metrics_.registrations = registrar_.counted(home().now());
  if (users_)
    metrics_.users = users_->counts();
}

} // namespace jackfield

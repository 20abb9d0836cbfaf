#include "actors/load/load_generator.hpp"

#include <algorithm>
#include <utility>
#include <vector>

#include <caf/behavior.hpp>

#include "actors/call/leg_messages.hpp"

namespace jackfield {

namespace {

/// JSON lines are handed over in batches of this many bytes, or with the next snapshot.
constexpr size_t line_batch_bytes = 1U << 16U;

/// When an arrival that could not be placed is looked at again.
constexpr std::chrono::milliseconds retry_interval{2};
/// An arrival that is older is missed though there was no sign of trouble: a process that was
/// stopped has none.
constexpr lane::duration longest_wait = std::chrono::seconds{1};
/// What was due during a pause is not placed all at once: so many times as fast as it was due.
constexpr int catch_up = 4;

} // namespace

load_generator::load_generator(caf::actor_config& config, lane::lane& home, lane_context& context,
                               std::shared_ptr<const load_plan> plan,
                               std::shared_ptr<const call_manner> manner, const share& s,
                               caf::strong_actor_ptr run,
                               std::shared_ptr<const run_history> history)
    : lane::lane_actor(config, home), context_(context), plan_(std::move(plan)),
      manner_(std::move(manner)), share_(s), run_(std::move(run)), arrivals_(*plan_),
      history_(std::move(history)), timer_(*this, 0) {
  progress_.run = context_.keeps != nullptr ? context_.keeps->run() : 0;
  progress_.lane = share_.index;
  if (!history_)
    return;
  const auto& mark = history_->lanes.at(share_.index);
  progress_.missed_by_limit = mark.missed_by_limit;
  progress_.missed_by_generator = mark.missed_by_generator;
}

caf::behavior load_generator::make_behavior() {
  if (plan_->trace)
    trace_ = std::make_unique<call_trace>(context_.router, plan_->trace);
  return {
    [this](resume_calls& left) { go_on(left); },
    [this](const call_resumed& call) { resuming_.take(*this, call); },
    [this](const load_start& how) { start(how); },
    [this](const lane::timer_fired&) { on_arrivals(); },
    [this](const call_answered& call) { metrics_.on_answered(call); },
    [this](const call_finished& call) { on_call_finished(call); },
    [this](const registration_report& report) { on_registration(report); },
    [this](const request_finished& request) { on_request(request); },
    [this](metrics_request) {
      metrics_.take_lane(context_);
      flush_lines();
      keep_progress();
      send(
        caf::actor_cast<caf::actor>(current_sender()),
        metrics_snapshot{share_.index, std::make_shared<report::run_metrics>(metrics_.measured)});
    },
    [this](load_drain) { stop_arrivals(); },
    [this](load_abort) { abort(); },
    [this](load_give_up) { give_up(); },
    [this](recorder_idle) { finish(); },
  };
}

void load_generator::on_exit() {
  timer_.cancel();
  trace_ = nullptr;
  resuming_.let_go();
  for (const auto& [number, call] : live_) // an error ended us: nobody would end them
    lane::tell(home(), call, hang_up{});
  live_.clear();
  run_ = nullptr;
}

void load_generator::start(const load_start& how) {
  start_ = how.at;
  wall_start_ = how.wall;
  started_ = true;
  if (trace_)
    trace_->set_origin({start_, wall_start_});
  find_next();
  on_arrivals();
}

void load_generator::find_next() {
  // Every generator walks all arrivals, so that all agree when the n-th is due.
  do
    next_ = arrivals_.next();
  while (next_ && (next_->number % share_.count != share_.index ||
                   (history_ && history_->was_offered(next_->number))));
}

void load_generator::on_arrivals() {
  const auto now = home().now();
  while (next_ && start_ + next_->at + postponed_ <= now) {
    const auto due = start_ + next_->at + postponed_;
    const bool too_old = !full_since_ && now - due >= std::max(plan_->start_within, longest_wait);
    const bool keeps_up = !too_old && !home().overloaded() &&
                          (context_.keeps == nullptr || context_.keeps->takes_work());
    if (!keeps_up && now - due < plan_->start_within) {
      timer_.arm(now + retry_interval);
      return;
    }
    if (keeps_up && now < not_before_) {
      timer_.arm(not_before_);
      return;
    }
    const bool fits = !keeps_up || take_room();
    if (!fits && plan_->waits_when_full) {
      if (!full_since_)
        full_since_ = due;
      timer_.arm(now + retry_interval);
      return;
    }
    auto placed = due;
    if (full_since_) { // what it has waited for room, all behind it have
      postponed_ += now - *full_since_;
      placed = now;
      full_since_.reset();
    }
    metrics_.measured.calls.offer();
    if (!keeps_up) {
      ++metrics_.measured.calls.missed_by_generator;
      ++progress_.missed_by_generator;
    } else if (!fits) {
      ++metrics_.measured.calls.missed_by_limit;
      ++progress_.missed_by_limit;
    } else {
      begin(next_->number, placed);
    }
    const auto at = next_->at;
    find_next();
    if (next_)
      not_before_ =
        std::max(not_before_, now - lane::timer_wheel::tick) + (next_->at - at) / catch_up;
  }
  if (next_)
    timer_.arm(start_ + next_->at + postponed_);
  else
    finish_if_done();
}

double load_generator::drawn(uint64_t number, draw what) const noexcept {
  return unit_of(plan_->seed, number, static_cast<uint64_t>(what));
}

lane::duration load_generator::length_of(uint64_t number) const noexcept {
  return plan_->length.at(drawn(number, draw::length));
}

std::shared_ptr<const call_target> load_generator::target_of(uint64_t number) const {
  const auto& targets = plan_->targets;
  return targets[plan_->random_target ? static_cast<size_t>(drawn(number, draw::target) *
                                                            static_cast<double>(targets.size()))
                                      : number % targets.size()];
}

void load_generator::go_on(resume_calls& left) {
  resuming_.begin(*this, left.calls.size(), std::move(left.watcher));
  if (share_.room)
    share_.room->occupy(left.calls.size());
  for (auto& call : std::exchange(left.calls, {})) {
    const auto number = call.key.number;
    metrics_.measured.calls.offer();
    metrics_.measured.calls.start();
    auto script = std::make_unique<load_script>(
      context_.media, manner_, target_of(number),
      load_script::plan{number, home().now(), length_of(number)},
      kept_call{context_.keeps, std::move(call)}, caf::strong_actor_ptr{ctrl()});
    live_.emplace(number, caf::actor_cast<caf::strong_actor_ptr>(
                            home().spawn<call_leg>(context_.router, std::move(script))));
  }
}

void load_generator::keep_progress() {
  if (context_.keeps == nullptr || !started_ || plan_->flow != load_flow::call)
    return;
  progress_.next = next_ ? next_->number : arrivals_.count();
  storage::change c;
  c.events.push_back(storage::pack(storage::event_record{home().wall_now(), progress_}));
  context_.keeps->write(std::move(c));
}

void load_generator::begin(uint64_t number, lane::time_point due) {
  const auto target = target_of(number);
  metrics_.measured.health.start_lateness.record(home().now() - due);
  const caf::strong_actor_ptr self{ctrl()};
  caf::actor actor;
  switch (plan_->flow) {
  case load_flow::call:
    metrics_.measured.calls.start();
    actor = home().spawn<call_leg>(
      context_.router,
      std::make_unique<load_script>(context_.media, manner_, target,
                                    load_script::plan{number, due, length_of(number)},
                                    kept_call{context_.keeps, number}, self));
    break;
  case load_flow::register_: {
    ++metrics_.measured.registrations.attempted;
    registration::plan p;
    p.number = number;
    p.due = due;
    p.expires = plan_->expires;
    p.leave = true;
    p.refreshes = plan_->refreshes;
    p.stay = plan_->stay;
    p.retries = plan_->register_retries;
    metrics_.measured.calls.start();
    actor = home().spawn<registration>(context_.router, manner_, target, p,
                                       kept_registration{context_.keeps, number}, self);
    break;
  }
  case load_flow::options:
    metrics_.measured.calls.start();
    actor =
      home().spawn<out_of_dialog_request>(context_.router, manner_, target, number, due, self);
    break;
  }
  live_.emplace(number, caf::actor_cast<caf::strong_actor_ptr>(actor));
}

void load_generator::on_call_finished(const call_finished& call) {
  if (!live_.contains(call.number)) // given up
    return;
  metrics_.on_finished(call);
  if (plan_->call_lines)
    append_call_line(lines_, call, start_, wall_start_);
  ended(call.number, call.failure);
}

void load_generator::on_registration(const registration_report& report) {
  if (!live_.contains(report.number))
    return;
  metrics_.on_registration(report);
  constexpr report::failure_cause stopped{report::failure_cause::stopped};
  if (report.what != registration_report::kind::over)
    return;
  if (plan_->call_lines)
    append_line(lines_, report, start_);
  ended(report.number, report.missed.failed()                             ? report.missed
                       : report.failure.failed() || report.had_registered ? report.failure
                                                                          : stopped);
}

void load_generator::on_request(const request_finished& request) {
  if (!live_.contains(request.number))
    return;
  metrics_.on_request(request);
  if (plan_->call_lines)
    append_line(lines_, request, start_);
  ended(request.number, request.failure);
}

void load_generator::flush_lines() {
  if (!lines_.empty())
    send(caf::actor_cast<caf::actor>(run_), call_lines_batch{std::exchange(lines_, {})});
}

void load_generator::ended(uint64_t number, report::failure_cause failure) {
  if (lines_.size() >= line_batch_bytes)
    flush_lines();
  const auto call = live_.find(number);
  if (call == live_.end())
    return;
  if (trace_)
    trace_->on_leg_over(call->second->id(), failure.failed() ? failure.name() : std::string{});
  live_.erase(call);
  if (share_.room)
    share_.room->give_back();
  if (full_since_)
    on_arrivals();
  else
    finish_if_done();
}

void load_generator::stop_arrivals() {
  next_.reset();
  timer_.cancel();
  // Registered users would stay for long: draining means that they leave.
  if (plan_->flow == load_flow::register_)
    abort();
  else
    finish_if_done();
}

void load_generator::abort() {
  next_.reset();
  timer_.cancel();
  // In the order in which they were placed: a simulated run is to be the same each time.
  std::vector<uint64_t> numbers;
  numbers.reserve(live_.size());
  for (const auto& [number, call] : live_)
    numbers.push_back(number);
  std::sort(numbers.begin(), numbers.end());
  for (const auto number : numbers)
    lane::tell(home(), live_.at(number), hang_up{});
  finish_if_done();
}

void load_generator::give_up() {
  next_.reset();
  timer_.cancel();
  for (const auto& [number, call] : live_) {
    metrics_.measured.calls.fail(report::failure_cause::stopped);
    if (trace_)
      trace_->on_leg_over(call->id(), "stopped");
  }
  live_.clear();
  finish_if_done();
}

void load_generator::finish_if_done() {
  if (done_ || next_ || !live_.empty() || !started_)
    return;
  done_ = true;
  if (context_.keeps != nullptr) // what is kept of the calls is written first
    context_.keeps->when_idle(caf::strong_actor_ptr{ctrl()});
  else
    finish();
}

void load_generator::finish() {
  flush_lines();
  if (trace_)
    trace_->finish();
  send(caf::actor_cast<caf::actor>(run_), generator_done{share_.index});
}

} // namespace jackfield

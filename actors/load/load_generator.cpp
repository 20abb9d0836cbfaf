#include "actors/load/load_generator.hpp"

#include <algorithm>
#include <cmath>
#include <utility>
#include <vector>

#include <caf/behavior.hpp>

#include "actors/call/leg_messages.hpp"

namespace jackfield {

namespace {

/// JSON lines are handed over in batches of this many bytes, or with the next snapshot.
constexpr size_t line_batch_bytes = 1U << 16U;

/// splitmix64 (Steele, Lea and Flood, 2014): the plan's own sequence, the same on every machine.
double next_unit(uint64_t& state) {
  state += 0x9e3779b97f4a7c15U;
  auto z = state;
  z = (z ^ (z >> 30U)) * 0xbf58476d1ce4e5b9U;
  z = (z ^ (z >> 27U)) * 0x94d049bb133111ebU;
  return static_cast<double>((z ^ (z >> 31U)) >> 11U) * 0x1.0p-53;
}

} // namespace

load_generator::load_generator(caf::actor_config& config, lane::lane& home, lane_context& context,
                               std::shared_ptr<const load_plan> plan,
                               std::shared_ptr<const call_manner> manner, const share& s,
                               caf::strong_actor_ptr run)
    : lane::lane_actor(config, home), context_(context), plan_(std::move(plan)),
      manner_(std::move(manner)), share_(s), run_(std::move(run)), arrivals_(plan_->arrivals),
      random_state_(plan_->seed), timer_(*this, 0) {
  // nop
}

caf::behavior load_generator::make_behavior() {
  if (plan_->trace)
    trace_ = std::make_unique<call_trace>(context_.router, plan_->trace);
  return {
    [this](const load_start& how) { start(how); },
    [this](const lane::timer_fired&) { on_arrivals(); },
    [this](const call_answered& call) { metrics_.on_answered(call); },
    [this](const call_finished& call) { on_call_finished(call); },
    [this](const registration_report& report) { on_registration(report); },
    [this](const request_finished& request) { on_request(request); },
    [this](metrics_request) {
      metrics_.take_lane(context_);
      flush_lines();
      send(
        caf::actor_cast<caf::actor>(current_sender()),
        metrics_snapshot{share_.index, std::make_shared<report::run_metrics>(metrics_.measured)});
    },
    [this](load_drain) { stop_arrivals(); },
    [this](load_abort) { abort(); },
    [this](recorder_idle) { finish(); },
  };
}

void load_generator::on_exit() {
  timer_.cancel();
  trace_ = nullptr;
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
  do {
    next_number_ = arrivals_.count();
    next_ = arrivals_.next(plan_->arrivals.poisson ? next_unit(random_state_) : 0);
  } while (next_ && next_number_ % share_.count != share_.index);
}

void load_generator::on_arrivals() {
  const auto now = home().now();
  while (next_ && start_ + *next_ <= now) {
    const auto due = start_ + *next_;
    metrics_.measured.calls.offer();
    if (live_.size() >= share_.limit)
      ++metrics_.measured.calls.missed_by_limit;
    else if (home().overloaded() || (context_.keeps != nullptr && !context_.keeps->takes_work()))
      ++metrics_.measured.calls.missed_by_generator;
    else
      begin(next_number_, due);
    find_next();
  }
  if (next_)
    timer_.arm(start_ + *next_);
  else
    finish_if_done();
}

double load_generator::drawn(uint64_t number, draw what) const noexcept {
  // By the call's number, not in the order of calls: two runs with one seed offer the same, on
  // however many lanes.
  uint64_t state = plan_->seed + number * 0x9e3779b97f4a7c15U + static_cast<uint64_t>(what);
  next_unit(state);
  return next_unit(state);
}

lane::duration load_generator::length_of(uint64_t number) const noexcept {
  const auto& length = plan_->length;
  const auto mean = static_cast<double>(length.mean.count());
  switch (length.drawn) {
  case call_length::shape::exponential:
    return lane::duration{static_cast<int64_t>(-mean * std::log1p(-drawn(number, draw::length)))};
  case call_length::shape::uniform:
    return length.mean + lane::duration{static_cast<int64_t>(
                           static_cast<double>((length.most - length.mean).count()) *
                           drawn(number, draw::length))};
  case call_length::shape::fixed:
    break;
  }
  return length.mean;
}

void load_generator::begin(uint64_t number, lane::time_point due) {
  const auto& targets = plan_->targets;
  const auto& target =
    targets[plan_->random_target ? static_cast<size_t>(drawn(number, draw::target) *
                                                       static_cast<double>(targets.size()))
                                 : number % targets.size()];
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
    metrics_.measured.calls.start();
    actor = home().spawn<registration>(context_.router, manner_, target, p, self);
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
  metrics_.on_finished(call);
  if (plan_->call_lines) {
    append_call_line(lines_, call, start_, wall_start_);
    if (lines_.size() >= line_batch_bytes)
      flush_lines();
  }
  ended(call.number, call.failure);
}

void load_generator::on_registration(const registration_report& report) {
  metrics_.on_registration(report);
  if (report.what == registration_report::kind::over)
    ended(report.number, report.failure.failed() || report.had_registered
                           ? report.failure
                           : report::failure_cause{report::failure_cause::stopped});
}

void load_generator::on_request(const request_finished& request) {
  metrics_.on_request(request);
  ended(request.number, request.failure);
}

void load_generator::flush_lines() {
  if (!lines_.empty())
    send(caf::actor_cast<caf::actor>(run_), call_lines_batch{std::exchange(lines_, {})});
}

void load_generator::ended(uint64_t number, report::failure_cause failure) {
  const auto call = live_.find(number);
  if (call == live_.end())
    return;
  if (trace_)
    trace_->on_leg_over(call->second->id(), failure.failed() ? failure.name() : std::string{});
  live_.erase(call);
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

#include "actors/load/load_run.hpp"

#include <algorithm>
#include <utility>

#include <caf/behavior.hpp>

namespace jackfield {

namespace {

constexpr std::chrono::seconds progress_interval{1};
/// From the order to begin to the first arrival: every lane has heard of it by then.
constexpr std::chrono::milliseconds head_start{100};
/// From the end of the last call to that of the run, where it is answered here: a refused call is
/// counted there once its ACK has come.
constexpr std::chrono::milliseconds last_words{100};

template <class Parts>
lane::duration wait_for_last_words(const Parts& all) {
  return std::any_of(all.begin(), all.end(), [](const auto& p) { return p.answers; })
           ? lane::duration{last_words}
           : lane::duration{};
}

} // namespace

load_run::load_run(caf::actor_config& config, lane::lane& home, caf::actor observer)
    : lane::lane_actor(config, home), observer_(std::move(observer)), timer_(*this, 0) {
  // nop
}

caf::behavior load_run::make_behavior() {
  set_down_handler([this](const caf::down_msg& down) { on_lost(down.source); });
  return {
    [this](const start_run& how) { start(how); },
    [this](const lane::timer_fired&) { ask(); },
    [this](const metrics_snapshot& snapshot) { on_snapshot(snapshot); },
    [this](const call_lines_batch& batch) { send(observer_, batch); },
    [this](const generator_done& g) { on_done(g.source); },
    [this](load_drain) { tell_generators(load_drain{}); },
    [this](load_abort) { tell_generators(load_abort{}); },
    [this](load_give_up) { tell_generators(load_give_up{}); },
  };
}

void load_run::on_exit() {
  timer_.cancel();
  parts_.clear();
  observer_ = nullptr;
}

template <class Order>
void load_run::tell_generators(Order order) {
  draining_ = true;
  for (const auto& p : parts_)
    if (!p.answers && p.who)
      send(p.who, order);
}

void load_run::start(const start_run& how) {
  history_ = how.history;
  for (const auto& g : how.parts.generators)
    parts_.push_back({.who = g});
  for (const auto& a : how.parts.answerers)
    parts_.push_back({.who = a, .answers = true});
  running_ = how.parts.generators.size();
  const auto before = history_ ? history_->elapsed : lane::duration{};
  start_ = home().now() + head_start - before;
  const auto wall = home().wall_now() + head_start - before;
  for (const auto& each : parts_) {
    monitor(each.who);
    if (!each.answers)
      send(each.who, load_start{start_, wall});
  }
  timer_.arm(start_ + before + progress_interval);
}

void load_run::ask() {
  if (missing_ > 0) // a lane is so late that it has not answered yet: its lag will tell
    return;
  for (auto& p : parts_)
    if (p.who) {
      p.asked = true;
      ++missing_;
      send(p.who, metrics_request{});
    }
  if (missing_ == 0)
    report();
}

void load_run::on_snapshot(const metrics_snapshot& snapshot) {
  auto& p = parts_.at(snapshot.source);
  p.measured = snapshot.metrics;
  if (std::exchange(p.asked, false) && --missing_ == 0)
    report();
}

void load_run::on_done(unsigned source) {
  auto& p = parts_.at(source);
  if (std::exchange(p.done, true))
    return;
  last_end_ = std::max(last_end_, home().now());
  if (--running_ > 0)
    return;
  timer_.cancel();
  if (missing_ == 0) {
    final_ = true;
    timer_.arm(home().now() + wait_for_last_words(parts_));
  }
}

void load_run::on_lost(const caf::actor_addr& who) {
  const auto found = std::find_if(parts_.begin(), parts_.end(),
                                  [&](const part& p) { return p.who && p.who.address() == who; });
  if (found == parts_.end())
    return;
  found->who = nullptr;
  ++lost_;
  const bool awaited = std::exchange(found->asked, false) && --missing_ == 0;
  if (!found->answers)
    on_done(static_cast<unsigned>(found - parts_.begin()));
  if (awaited && !final_)
    report();
}

void load_run::report() {
  auto merged = std::make_shared<report::run_metrics>();
  bool heard_there = false;
  for (const auto& p : parts_) {
    if (!p.measured)
      continue;
    if (!p.answers) {
      merged->merge(*p.measured);
      continue;
    }
    // What the answering side heard is what became of the packets we sent: more than RTCP tells.
    if (!std::exchange(heard_there, true))
      merged->media.sent = {};
    merged->media.sent.merge(p.measured->media.received);
    merged->media.ignored.merge(p.measured->media.ignored);
    merged->media.dtmf_received += p.measured->media.dtmf_received;
    merged->media.send_lateness.merge(p.measured->media.send_lateness);
    for (const auto own :
         {report::failure_cause::media_setup, report::failure_cause::refused_locally})
      if (const auto found = p.measured->calls.failures.find(own);
          found != p.measured->calls.failures.end())
        merged->health.own_refusals += found->second;
  }
  if (history_) { // it knows how many were up at once over all lanes
    const auto peak = std::max(merged->calls.peak, history_->metrics.calls.peak);
    merged->merge(history_->metrics);
    merged->calls.peak = peak;
  }
  merged->health.parts_lost = lost_;
  if (final_) {
    send(observer_, run_finished{last_end_ - start_, std::move(merged)});
    quit();
    return;
  }
  send(observer_, run_progress{home().now() - start_, std::move(merged), draining_});
  if (running_ == 0) { // the last generator ended while this was gathered
    final_ = true;
    timer_.arm(home().now() + wait_for_last_words(parts_));
    return;
  }
  timer_.arm(std::max(home().now(), timer_.deadline() + progress_interval));
}

} // namespace jackfield

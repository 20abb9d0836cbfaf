#include "actors/load/load_run.hpp"

#include <algorithm>
#include <utility>

#include <caf/behavior.hpp>

namespace jackfield {

namespace {

constexpr std::chrono::seconds progress_interval{1};
/// From the order to begin to the first arrival: every lane has heard of it by then.
constexpr std::chrono::milliseconds head_start{100};

} // namespace

load_run::load_run(caf::actor_config& config, lane::lane& home, caf::actor observer)
    : lane::lane_actor(config, home), observer_(std::move(observer)), timer_(*this, 0) {
  // nop
}

caf::behavior load_run::make_behavior() {
  return {
    [this](const start_run& how) { start(how.parts); },
    [this](const lane::timer_fired&) { ask(); },
    [this](const metrics_snapshot& snapshot) { on_snapshot(snapshot); },
    [this](const call_lines_batch& batch) { send(observer_, batch); },
    [this](const generator_done&) { on_done(); },
    [this](load_drain) {
      draining_ = true;
      for (const auto& g : parts_.generators)
        send(g, load_drain{});
    },
    [this](load_abort) {
      draining_ = true;
      for (const auto& g : parts_.generators)
        send(g, load_abort{});
    },
  };
}

void load_run::on_exit() {
  timer_.cancel();
  parts_ = {};
  observer_ = nullptr;
}

void load_run::start(const parts& p) {
  parts_ = p;
  running_ = p.generators.size();
  snapshots_.resize(p.generators.size() + p.answerers.size());
  start_ = home().now() + head_start;
  const auto wall = home().wall_now() + head_start;
  for (const auto& g : parts_.generators)
    send(g, load_start{start_, wall});
  timer_.arm(start_ + progress_interval);
}

void load_run::ask() {
  if (missing_ > 0) // a lane is so late that it has not answered yet: its lag will tell
    return;
  missing_ = snapshots_.size();
  for (const auto& g : parts_.generators)
    send(g, metrics_request{});
  for (const auto& a : parts_.answerers)
    send(a, metrics_request{});
}

void load_run::on_snapshot(const metrics_snapshot& snapshot) {
  snapshots_.at(snapshot.source) = snapshot.metrics;
  if (--missing_ == 0)
    report_if_complete();
}

void load_run::on_done() {
  last_end_ = std::max(last_end_, home().now());
  if (--running_ > 0)
    return;
  timer_.cancel();
  if (missing_ == 0) {
    final_ = true;
    ask();
  }
}

void load_run::report_if_complete() {
  auto merged = std::make_shared<report::run_metrics>();
  for (size_t i = 0; i < parts_.generators.size(); ++i)
    merged->merge(*snapshots_[i]);
  for (size_t i = parts_.generators.size(); i < snapshots_.size(); ++i) {
    // What the answering side heard is what became of the packets we sent: more than RTCP tells.
    const auto& there = *snapshots_[i];
    if (i == parts_.generators.size())
      merged->media.sent = {};
    merged->media.sent.merge(there.media.received);
    merged->media.dtmf_received += there.media.dtmf_received;
    merged->media.send_lateness.merge(there.media.send_lateness);
  }
  if (final_) {
    send(observer_, run_finished{last_end_ - start_, std::move(merged)});
    quit();
    return;
  }
  send(observer_, run_progress{home().now() - start_, std::move(merged), draining_});
  if (running_ == 0) { // the last generator ended while this was gathered
    final_ = true;
    ask();
    return;
  }
  timer_.arm(std::max(home().now(), timer_.deadline() + progress_interval));
}

} // namespace jackfield

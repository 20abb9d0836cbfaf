#include "actors/load/run_history.hpp"

#include <algorithm>
#include <optional>
#include <utility>
#include <variant>

#include "actors/load/kept_figures.hpp"
#include "actors/load/load_metrics.hpp"
#include "actors/load/planned_arrivals.hpp"

namespace jackfield {

namespace {

/// Calls at once, by when they began and ended.
class concurrency {
public:
  void add(storage::wall_time started, std::optional<storage::wall_time> ended) {
    changes_.emplace_back(started, 1);
    if (ended)
      changes_.emplace_back(*ended, -1);
  }
  [[nodiscard]] uint64_t peak() {
    std::sort(changes_.begin(), changes_.end()); // an end goes before a begin of the same time
    int64_t now = 0, most = 0;
    for (const auto& [at, change] : changes_)
      most = std::max(most, now += change);
    return static_cast<uint64_t>(most);
  }

private:
  std::vector<std::pair<storage::wall_time, int>> changes_;
};

/// Reads the events of one run.
class reader {
public:
  reader(run_history& to, unsigned lanes) : history_(to) { history_.lanes.resize(lanes); }

  void take(const storage::event_record& event) {
    if (const auto* call = std::get_if<storage::call_ended>(&event.what);
        call != nullptr && call->call.run == history_.run) {
      take(*call);
    } else if (const auto* progress = std::get_if<storage::run_progress>(&event.what);
               progress != nullptr && progress->run == history_.run &&
               progress->lane < history_.lanes.size()) {
      history_.lanes[progress->lane] = {progress->next, progress->missed_by_limit,
                                        progress->missed_by_generator};
    } else if (const auto* began = std::get_if<storage::run_started>(&event.what);
               began == nullptr || began->run != history_.run) {
      return;
    } else {
      began_ = event.at;
    }
    heard_ = std::max(heard_, event.at);
  }

  void take(const storage::call_ended& ended) {
    const auto call = finished_of(ended);
    begin(ended.call.number);
    up_.add(ended.started, ended.ended);
    if (call.media)
      metrics_.measured.media.packets_sent += call.media->packets_sent;
    if (call.times.answered)
      metrics_.on_answered({call.number, call.times});
    metrics_.on_finished(call);
  }

  void take(const storage::interrupted_call& call, bool goes_on) {
    up_.add(call.record.started, std::nullopt);
    if (goes_on) {
      history_.made.push_back(call.key.number);
      return;
    }
    begin(call.key.number);
    storage::call_ended end;
    end.call = call.key;
    end.started = call.record.started;
    end.answered = call.record.answered;
    end.ended = heard_;
    end.cause =
      end.answered ? storage::call_ended::engine_restart : storage::call_ended::indeterminate;
    end.status = end.answered ? 200 : 0;
    const auto finished = finished_of(end);
    if (finished.times.answered)
      metrics_.measured.calls.answer();
    metrics_.on_finished(finished);
  }

  void finish(const load_plan& plan) {
    std::sort(history_.made.begin(), history_.made.end());
    auto& calls = metrics_.measured.calls;
    for (const auto& lane : history_.lanes) {
      calls.missed_by_limit += lane.missed_by_limit;
      calls.missed_by_generator += lane.missed_by_generator;
      calls.offered += lane.missed_by_limit + lane.missed_by_generator;
    }
    calls.peak = std::max(calls.peak, up_.peak());
    history_.metrics = std::move(metrics_.measured);
    history_.elapsed = std::max(heard_ - began_, lane::duration{});
    planned_arrivals arrivals{plan};
    while (const auto next = arrivals.next())
      if (!history_.was_offered(next->number)) {
        history_.elapsed = next->at;
        break;
      }
  }

private:
  void begin(uint64_t number) {
    history_.made.push_back(number);
    metrics_.measured.calls.offer();
    metrics_.measured.calls.start();
  }

  run_history& history_;
  load_metrics metrics_;
  concurrency up_;
  storage::wall_time began_{};
  storage::wall_time heard_{};
};

} // namespace

bool run_history::was_offered(uint64_t number) const noexcept {
  return number < lanes[number % lanes.size()].next ||
         std::binary_search(made.begin(), made.end(), number);
}

storage::outcome<std::shared_ptr<const run_history>>
read_history(const storage::store& s, uint64_t run, const load_plan& plan, unsigned lanes,
             std::span<const storage::interrupted_call> left,
             const std::function<bool(const storage::interrupted_call&)>& goes_on) {
  auto history = std::make_shared<run_history>();
  history->run = run;
  reader read{*history, lanes};
  std::optional<error> bad;
  auto scanned = s.scan(storage::keyspace::events, {}, {},
                        [&](std::string_view /*key*/, std::string_view value) {
                          auto event = storage::unpack_event(value);
                          if (event)
                            read.take(*event);
                          else
                            bad = std::move(event.error());
                          return !bad;
                        });
  if (!scanned)
    return tl::unexpected{std::move(scanned.error())};
  if (bad)
    return tl::unexpected{
      storage::fault{storage::fault_kind::corrupt, {"an event", std::move(bad->cause)}}};
  for (const auto& call : left)
    if (call.key.run == run)
      read.take(call, goes_on(call));
  read.finish(plan);
  return history;
}

} // namespace jackfield

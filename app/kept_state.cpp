#include "app/kept_state.hpp"

#include <algorithm>
#include <chrono>
#include <cstdio>
#include <set>

#include "engine/sip/leg_id.hpp"

namespace jackfield::app {

namespace {

std::string plural(uint64_t n, const char* one, const char* many) {
  return std::to_string(n) + " " + (n == 1 ? one : many);
}

unsigned lane_of(const storage::interrupted_call& call) {
  const auto leg = sip::leg_id::parse(call.record.leg);
  return leg ? leg->lane : UINT8_MAX;
}

} // namespace

int tell_fault(const storage::fault& what) {
  std::fprintf(stderr, "%s\n", what.why.to_string().c_str());
  return static_cast<int>(what.kind);
}

storage::outcome<std::unique_ptr<kept_state>> kept_state::open(const keep_options& options) {
  if (options.directory.empty())
    return nullptr;
  auto opened = storage::rocks_store::open(options.directory);
  if (!opened)
    return tl::unexpected{std::move(opened.error())};
  if (!(*opened)->note().empty())
    std::fprintf(stderr, "%s: %s\n", options.directory.c_str(), (*opened)->note().c_str());
  std::unique_ptr<kept_state> state{new kept_state{options, std::move(*opened)}};
  if (auto taken = state->take_stock(); !taken)
    return tl::unexpected{std::move(taken.error())};
  return state;
}

storage::outcome<void> kept_state::take_stock() {
  auto left = storage::interrupted_calls(*store_);
  if (!left)
    return tl::unexpected{std::move(left.error())};
  // Nobody is to be told where the peer was this process, too.
  std::set<uint64_t> embedded;
  for (const auto& call : *left) {
    if (embedded.contains(call.key.run))
      continue;
    auto run = storage::read_run(*store_, call.key.run);
    if (!run)
      return tl::unexpected{std::move(run.error())};
    if (run->embedded)
      embedded.insert(call.key.run);
  }
  const auto closes = [&](const storage::interrupted_call& call) {
    return !options_.hang_up || embedded.contains(call.key.run);
  };
  const auto closed = storage::close_interrupted(*store_, closes);
  if (!closed)
    return tl::unexpected{closed.error()};
  std::erase_if(*left, closes);
  left_ = std::move(*left);
  if (closed->runs > 0)
    std::fprintf(stderr, "%s: %s cut off before\n", options_.directory.c_str(),
                 plural(closed->runs, "run was", "runs were").c_str());
  if (closed->answered + closed->indeterminate > 0)
    std::fprintf(
      stderr, "%s: closed %s up (engine_restart) and %s outcome (indeterminate)\n",
      options_.directory.c_str(),
      plural(closed->answered, "call that was", "calls that were").c_str(),
      plural(closed->indeterminate, "attempt without an", "attempts without an").c_str());
  return {};
}

std::vector<uint16_t> kept_state::former_ports() const {
  std::vector<uint16_t> ports;
  for (const auto& call : left_) {
    const auto local = lane::endpoint::parse_with_port(call.record.local);
    const auto lane = lane_of(call);
    if (!local || lane == UINT8_MAX || !call.record.target.starts_with("udp "))
      continue;
    ports.resize(std::max<size_t>(ports.size(), lane + 1));
    ports[lane] = local->port();
  }
  return ports;
}

storage::outcome<void> kept_state::begin(node& engine, storage::run_record run,
                                         const caf::actor& watcher) {
  run.started = std::chrono::system_clock::now();
  auto number = storage::begin_run(*store_, run);
  if (!number)
    return tl::unexpected{std::move(number.error())};
  auto log = storage::commit_log::begin(*store_);
  if (!log)
    return tl::unexpected{std::move(log.error())};
  run_ = *number;
  engine.keep_calls(std::move(*log), run_, options_.calls, watcher);
  return {};
}

unsigned kept_state::recover(node& engine,
                             const std::shared_ptr<const transport::open_settings>& connections,
                             const caf::actor& watcher) {
  std::vector<std::vector<storage::interrupted_call>> by_lane(engine.lanes());
  for (auto& call : std::exchange(left_, {}))
    by_lane[std::min<size_t>(lane_of(call), engine.lanes() - 1)].push_back(std::move(call));
  unsigned recovering = 0;
  for (unsigned i = 0; i < engine.lanes(); ++i) {
    if (by_lane[i].empty())
      continue;
    auto& context = engine.context(i);
    engine.keep(context.home.spawn<call_recovery>(context, connections, std::move(by_lane[i]),
                                                  caf::actor_cast<caf::strong_actor_ptr>(watcher)));
    ++recovering;
  }
  return recovering;
}

void kept_state::tell_recovered(const parting_counts& counts) const {
  const auto of = [&](parting how) { return counts.at(static_cast<size_t>(how)); };
  std::fprintf(stderr,
               "%s: of what a crash had left, %s hung up, %s taken back, %s known to the peer no "
               "more, %s without an answer\n",
               options_.directory.c_str(),
               plural(of(parting::hung_up), "call was", "calls were").c_str(),
               plural(of(parting::taken_back), "attempt was", "attempts were").c_str(),
               plural(of(parting::gone), "was", "were").c_str(),
               plural(of(parting::unreachable), "was", "were").c_str());
}

storage::outcome<void> kept_state::end(std::string_view ended_by) {
  return storage::end_run(*store_, run_, std::chrono::system_clock::now(), ended_by);
}

} // namespace jackfield::app

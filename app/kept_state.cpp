#include "app/kept_state.hpp"

#include <algorithm>
#include <chrono>
#include <cstdio>
#include <deque>
#include <set>
#include <unordered_map>

#include "actors/call/call_resumption.hpp"
#include "actors/node/registrar.hpp"
#include "engine/sip/leg_id.hpp"
#include "storage/kept_bindings.hpp"

namespace jackfield::app {

namespace {

std::string plural(uint64_t n, const char* one, const char* many) {
  return std::to_string(n) + " " + (n == 1 ? one : many);
}

unsigned lane_of(const storage::interrupted_call& call) {
  const auto leg = sip::leg_id::parse(call.record.leg);
  return leg ? leg->lane : UINT8_MAX;
}

/// Of the runs of what is left, those that called an engine of their own process: nobody is to be
/// told where the peer was this process, too.
template <class Left>
storage::outcome<std::set<uint64_t>> embedded_runs(const storage::store& s, const Left& left) {
  std::set<uint64_t> seen, embedded;
  for (const auto& one : left) {
    if (!seen.insert(one.key.run).second)
      continue;
    auto run = storage::read_run(s, one.key.run);
    if (!run)
      return tl::unexpected{std::move(run.error())};
    if (run->embedded)
      embedded.insert(one.key.run);
  }
  return embedded;
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
  if (options_.go_on) {
    auto open = storage::last_open_run(*store_, "load");
    if (!open)
      return tl::unexpected{std::move(open.error())};
    cut_off_ = std::move(*open);
  }
  auto left = storage::interrupted_calls(*store_);
  if (!left)
    return tl::unexpected{std::move(left.error())};
  const auto embedded = embedded_runs(*store_, *left);
  if (!embedded)
    return tl::unexpected{embedded.error()};
  const auto closes = [&](const storage::interrupted_call& call) {
    return options_.recover == keep_options::recovery::forget || embedded->contains(call.key.run);
  };
  const auto closed = storage::close_interrupted(*store_, closes, cut_off_ ? cut_off_->number : 0);
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
  return take_registrations();
}

storage::outcome<void> kept_state::take_registrations() {
  auto left = storage::interrupted_registrations(*store_);
  if (!left)
    return tl::unexpected{std::move(left.error())};
  const auto embedded = embedded_runs(*store_, *left);
  if (!embedded)
    return tl::unexpected{embedded.error()};
  const bool forgets = options_.recover == keep_options::recovery::forget;
  const storage::wall_time now = std::chrono::system_clock::now();
  std::vector<storage::call_key> over;
  uint64_t forgotten = 0;
  for (auto& one : *left) {
    if (!forgets && !embedded->contains(one.key.run) && one.record.until > now) {
      registered_.push_back(std::move(one));
      continue;
    }
    ++(one.record.until <= now ? expired_ : forgotten);
    over.push_back(one.key);
  }
  if (forgotten > 0)
    std::fprintf(stderr, "%s: forgot %s\n", options_.directory.c_str(),
                 plural(forgotten, "registration", "registrations").c_str());
  return storage::erase_registrations(*store_, over);
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
  auto number = cut_off_ ? storage::resume_run(*store_, cut_off_->number, run.started)
                         : storage::begin_run(*store_, run);
  if (!number)
    return tl::unexpected{std::move(number.error())};
  auto log = storage::commit_log::begin(*store_);
  if (!log)
    return tl::unexpected{std::move(log.error())};
  run_ = *number;
  engine.keep_calls(std::move(*log), run_, options_.calls, watcher);
  return {};
}

storage::outcome<void> kept_state::restore_bindings(const std::vector<caf::actor>& services) const {
  auto kept = storage::read_bindings(*store_);
  if (!kept) {
    auto why = std::move(kept.error());
    why.why.place = options_.directory + ": " + why.why.place;
    return tl::unexpected{std::move(why)};
  }
  if (kept->empty())
    return {};
  const storage::wall_time now = std::chrono::system_clock::now();
  const auto registered = std::count_if(kept->begin(), kept->end(), [now](const auto& one) {
    const auto& contacts = one.record.contacts;
    return std::any_of(contacts.begin(), contacts.end(),
                       [now](const auto& c) { return !c.removed && c.expires > now; });
  });
  const bindings_left all{
    std::make_shared<const std::vector<storage::kept_bindings>>(std::move(*kept))};
  for (const auto& service : services)
    caf::anon_send(service, all);
  if (registered > 0)
    std::fprintf(stderr, "%s: %s registered as before\n", options_.directory.c_str(),
                 plural(static_cast<uint64_t>(registered), "user is", "users are").c_str());
  return {};
}

std::vector<std::vector<storage::interrupted_call>>
kept_state::take(unsigned lanes,
                 const std::function<bool(const storage::interrupted_call&)>& which) {
  std::vector<std::vector<storage::interrupted_call>> by_lane(lanes);
  const auto first = std::stable_partition(left_.begin(), left_.end(), std::not_fn(which));
  for (auto call = first; call != left_.end(); ++call)
    by_lane[std::min<size_t>(lane_of(*call), lanes - 1)].push_back(std::move(*call));
  left_.erase(first, left_.end());
  return by_lane;
}

bool kept_state::goes_on(const storage::interrupted_call& call) const {
  return options_.recover == keep_options::recovery::resume &&
         call_resumption::takes(call.record) &&
         (cut_off_ ? !call.record.incoming && call.key.run == cut_off_->number
                   : call.record.incoming);
}

storage::outcome<std::shared_ptr<const run_history>> kept_state::history(const load_plan& plan,
                                                                         unsigned lanes) const {
  return read_history(*store_, cut_off_->number, plan, lanes, left_,
                      [this](const storage::interrupted_call& call) { return goes_on(call); });
}

std::vector<std::vector<storage::interrupted_call>> kept_state::resumable(unsigned lanes) {
  return take(lanes, [this](const storage::interrupted_call& call) { return goes_on(call); });
}

unsigned kept_state::recover(node& engine,
                             const std::shared_ptr<const transport::open_settings>& connections,
                             const caf::actor& watcher) {
  auto by_lane = take(engine.lanes(), [](const storage::interrupted_call&) { return true; });
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

unsigned kept_state::remove_bindings(
  node& engine, const std::shared_ptr<const transport::open_settings>& connections,
  std::span<const std::shared_ptr<const call_target>> users, const caf::actor& watcher) {
  std::unordered_map<std::string_view, std::shared_ptr<const call_target>> by_address;
  for (const auto& user : users)
    by_address.emplace(user->from_uri(), user);
  std::vector<std::deque<left_registration>> by_lane(engine.lanes());
  size_t lane = 0;
  for (auto& one : std::exchange(registered_, {})) {
    const auto known = by_address.find(one.record.aor);
    auto user = known != by_address.end() ? known->second
                : users.size() == 1       ? users.front() // who vouches for all
                                          : nullptr;
    by_lane[lane++ % by_lane.size()].push_back({std::move(one), std::move(user)});
  }
  unsigned removing = 0;
  for (unsigned i = 0; i < engine.lanes(); ++i) {
    if (by_lane[i].empty())
      continue;
    auto& context = engine.context(i);
    engine.keep(
      context.home.spawn<registration_recovery>(context, connections, std::move(by_lane[i]),
                                                caf::actor_cast<caf::strong_actor_ptr>(watcher)));
    ++removing;
  }
  if (removing == 0 && expired_ > 0)
    tell_removed({});
  return removing;
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

void kept_state::tell_resumed(const calls_resumed& counts) const {
  std::fprintf(stderr, "%s: of what a crash had left, %s on, the slowest after %.2f s; %s lost\n",
               options_.directory.c_str(), plural(counts.resumed, "call goes", "calls go").c_str(),
               std::chrono::duration<double>(counts.slowest).count(),
               plural(counts.lost, "was", "were").c_str());
}

void kept_state::tell_removed(const unbinding_counts& counts) const {
  const auto of = [&](unbinding how) { return counts.at(static_cast<size_t>(how)); };
  std::fprintf(
    stderr,
    "%s: of what a crash had left, %s removed, %s had expired, %s refused, %s could not be removed "
    "(the next start tries again)\n",
    options_.directory.c_str(),
    plural(of(unbinding::removed), "registration was", "registrations were").c_str(),
    std::to_string(expired_).c_str(), plural(of(unbinding::refused), "was", "were").c_str(),
    std::to_string(of(unbinding::kept)).c_str());
}

void kept_state::tell_bindings_left() const {
  if (!registered_.empty())
    std::fprintf(stderr, "%s: %s left at the registrar, which the next jackfield load removes\n",
                 options_.directory.c_str(),
                 plural(registered_.size(), "registration is", "registrations are").c_str());
}

storage::outcome<void> kept_state::end(std::string_view ended_by) {
  return storage::end_run(*store_, run_, std::chrono::system_clock::now(), ended_by);
}

} // namespace jackfield::app

#include "actors/centre/centre_keeping.hpp"

#include <algorithm>
#include <iterator>
#include <string_view>
#include <utility>

#include <caf/behavior.hpp>

namespace jackfield {

// -- records ---------------------------------------------------------------------------

void paced_record::put(std::string record) {
  if (recorder_ == nullptr)
    return;
  latest_ = std::move(record);
  changed_ = true;
  if (self_.home().now() >= next_)
    write();
  else if (!timer_.armed())
    timer_.arm(next_);
}

void paced_record::write() {
  if (!std::exchange(changed_, false))
    return;
  next_ = self_.home().now() + pace;
  storage::change c;
  c.writes.put(storage::keyspace::meta, key_, latest_);
  recorder_->write(std::move(c));
}

void paced_record::finish() {
  timer_.cancel();
  if (recorder_ != nullptr)
    write();
  recorder_ = nullptr;
}

// -- agents ----------------------------------------------------------------------------

namespace {

std::optional<storage::wall_time> wall_unless_never(policy::time_point at,
                                                    const two_clocks& clocks) {
  return at == policy::never ? std::nullopt : std::optional{clocks.wall_of(at)};
}

policy::time_point lane_or_never(const std::optional<storage::wall_time>& at,
                                 const two_clocks& clocks) {
  return at ? clocks.lane_of(*at) : policy::never;
}

} // namespace

storage::agent_record record_of(const policy::agent_snapshot& agent, bool registered,
                                const two_clocks& clocks) {
  storage::agent_record kept;
  kept.logged_in = agent.logged_in;
  kept.registered = registered;
  kept.paused = agent.paused;
  kept.pause_pending = agent.pause_pending;
  kept.log_out_pending = agent.log_out_pending;
  kept.pause_reason = agent.pause_reason;
  if (agent.call) {
    kept.call_since = clocks.wall_of(agent.call_since);
    kept.call_wrap_up = agent.call_wrap_up;
  }
  kept.direct_call = !agent.direct_calls.empty();
  kept.wrap_up_until = wall_unless_never(agent.wrap_up_until, clocks);
  kept.rest_until = wall_unless_never(agent.rest_until, clocks);
  kept.available_since = clocks.wall_of(agent.available_since);
  kept.answered_calls = agent.answered_calls;
  kept.talk_time = agent.talk_time;
  kept.unanswered = agent.unanswered;
  return kept;
}

namespace {

/// What lies between an agent's having a call and that call's having the agent, by their records.
constexpr std::chrono::milliseconds connected_within{500};

} // namespace

policy::agent_snapshot snapshot_of(const storage::agent_record& kept,
                                   const policy::agent_rules& rules, storage::wall_time heard,
                                   const two_clocks& clocks,
                                   const std::optional<agent_talk>& talk) {
  policy::agent_snapshot agent;
  agent.logged_in = kept.logged_in;
  agent.paused = kept.paused;
  agent.pause_pending = kept.pause_pending;
  agent.log_out_pending = kept.log_out_pending;
  agent.pause_reason = kept.pause_reason;
  agent.wrap_up_until = lane_or_never(kept.wrap_up_until, clocks);
  agent.rest_until = lane_or_never(kept.rest_until, clocks);
  agent.available_since = clocks.lane_of(kept.available_since);
  agent.answered_calls = kept.answered_calls;
  agent.talk_time = kept.talk_time;
  agent.unanswered = kept.unanswered;
  if (talk) {
    agent.logged_in = true;
    agent.call = policy::call_id{};
    agent.call_since = clocks.lane_of(talk->since);
    agent.call_wrap_up = kept.call_since ? kept.call_wrap_up : rules.wrap_up;
    agent.wrap_up_until = policy::never;
    // It may have begun after the record was written, which then knows of none, or of the one
    // before: that is over.
    const bool newer = kept.call_since && talk->since > *kept.call_since + connected_within;
    if (newer)
      agent.talk_time += talk->since - *kept.call_since;
    if (newer || !kept.call_since)
      ++agent.answered_calls;
    return agent;
  }
  if (kept.call_since)
    agent.talk_time += std::max(heard - *kept.call_since, lane::duration::zero());
  const auto wrap_up = kept.call_since    ? kept.call_wrap_up
                       : kept.direct_call ? rules.wrap_up_direct
                                          : lane::duration::zero();
  if (wrap_up > lane::duration::zero() && kept.logged_in && !kept.log_out_pending)
    agent.wrap_up_until = policy::later(clocks.lane, wrap_up);
  return agent;
}

// -- queues ----------------------------------------------------------------------------

storage::queue_record record_of(const policy::queue_snapshot& queue) {
  const auto& f = queue.figures;
  storage::queue_record kept;
  kept.offered = f.offered;
  kept.refused = f.refused;
  kept.answered = f.answered;
  kept.abandoned = f.abandoned;
  kept.overflowed = f.overflowed;
  kept.withdrawn = f.withdrawn;
  kept.answered_within = f.answered_within;
  kept.abandoned_within = f.abandoned_within;
  kept.answered_wait = f.answered_wait;
  kept.abandoned_wait = f.abandoned_wait;
  kept.longest_wait = f.longest_wait;
  kept.between = queue.estimate.between;
  kept.intervals = queue.estimate.intervals;
  for (const auto& each : queue.turns)
    kept.turns.push_back({each.tier, each.position, each.order});
  return kept;
}

policy::queue_snapshot snapshot_of(const storage::queue_record& kept, uint64_t returning) {
  policy::queue_snapshot queue;
  auto& f = queue.figures;
  const auto waited = kept.waiting();
  // The last to come in may have done so after the record was written.
  f.offered = kept.offered + (returning > waited ? returning - waited : 0);
  f.refused = kept.refused;
  f.answered = kept.answered;
  f.abandoned = kept.abandoned;
  f.overflowed = kept.overflowed;
  f.withdrawn = kept.withdrawn + (waited > returning ? waited - returning : 0);
  f.answered_within = kept.answered_within;
  f.abandoned_within = kept.abandoned_within;
  f.answered_wait = kept.answered_wait;
  f.abandoned_wait = kept.abandoned_wait;
  f.longest_wait = kept.longest_wait;
  queue.estimate.between = kept.between;
  queue.estimate.intervals = kept.intervals;
  for (const auto& each : kept.turns)
    queue.turns.push_back({each.tier, each.position, each.order});
  return queue;
}

bool is_called_back(const storage::kept_centre& kept, const storage::call_record& call) noexcept {
  return call.incoming &&
         std::ranges::find(kept.callbacks, call.call_id, &storage::callback_record::call_id) !=
           kept.callbacks.end();
}

bool waits_on(const storage::call_record& call) noexcept {
  return call.incoming && call.answered && call.dialog && call.media && call.queueing &&
         call.queueing->since && !call.queueing->taken && call.queueing->left.empty();
}

namespace {

/// An agent has it, and its leg can go on.
bool talks_on(const storage::call_record& call) noexcept {
  return call.incoming && call.answered && call.dialog && call.media && call.queueing &&
         call.queueing->since && call.queueing->taken && !call.queueing->agent_leg.empty();
}

/// An agent's leg, maybe, that can.
bool is_other_leg(const storage::call_record& call) noexcept {
  return !call.incoming && call.bridged && call.answered && call.dialog && call.media;
}

} // namespace

std::set<storage::call_key>
find_returning(const std::vector<storage::interrupted_call>& left,
               const std::function<bool(const std::string& queue)>& known, centre_memory& memory) {
  std::set<storage::call_key> all;
  std::unordered_map<std::string_view, storage::call_key> legs;
  for (const auto& each : left)
    if (is_other_leg(each.record))
      legs.emplace(each.record.leg, each.key);
  struct talk {
    const storage::interrupted_call* caller;
    storage::call_key agent;
  };
  std::unordered_map<std::string_view, talk> talks; // an agent has one
  for (const auto& each : left) {
    const auto& queueing = each.record.queueing;
    if (waits_on(each.record) && known(queueing->queue) &&
        !is_called_back(memory.kept, each.record)) {
      ++memory.returning[queueing->queue];
      all.insert(each.key);
    }
    const auto leg = talks_on(each.record) ? legs.find(queueing->agent_leg) : legs.end();
    if (leg == legs.end())
      continue;
    auto& its = talks[queueing->agent];
    if (its.caller == nullptr || *its.caller->record.queueing->taken < *queueing->taken)
      its = {&each, leg->second};
  }
  for (const auto& [agent, its] : talks) {
    const auto& queueing = *its.caller->record.queueing;
    memory.talking.insert_or_assign(queueing.agent, agent_talk{*queueing.taken, queueing.queue});
    all.insert(its.caller->key);
    all.insert(its.agent);
  }
  return all;
}

void bring_together(std::vector<std::vector<storage::interrupted_call>>& by_lane) {
  std::unordered_map<std::string, size_t> lanes; // of callers, by their agents' legs
  for (size_t lane = 0; lane < by_lane.size(); ++lane)
    for (const auto& each : by_lane[lane])
      if (each.record.queueing && !each.record.queueing->agent_leg.empty())
        lanes.emplace(each.record.queueing->agent_leg, lane);
  for (size_t lane = 0; lane < by_lane.size(); ++lane) {
    std::vector<storage::interrupted_call> stay;
    for (auto& each : std::exchange(by_lane[lane], {})) {
      const auto to = each.record.queueing ? lanes.end() : lanes.find(each.record.leg);
      if (to == lanes.end() || to->second == lane)
        stay.push_back(std::move(each));
      else
        by_lane[to->second].push_back(std::move(each));
    }
    std::ranges::move(stay, std::back_inserter(by_lane[lane]));
  }
}

std::vector<returning_call> paired(std::vector<storage::interrupted_call> legs) {
  std::unordered_map<std::string, storage::interrupted_call> agents;
  std::vector<returning_call> all;
  for (auto& each : legs)
    if (!each.record.queueing)
      agents.emplace(each.record.leg, std::move(each));
  for (auto& each : legs) {
    if (!each.record.queueing)
      continue;
    auto& made = all.emplace_back();
    const auto leg = agents.find(each.record.queueing->agent_leg);
    if (each.record.queueing->taken && leg != agents.end())
      made.agent = std::move(leg->second);
    made.caller = std::move(each);
  }
  return all;
}

// -- the end -----------------------------------------------------------------------------

caf::behavior last_record::make_behavior() {
  return {
    [this](keep_all) {
      asker_ = caf::actor_cast<caf::strong_actor_ptr>(current_sender());
      keeps_.when_idle(caf::strong_actor_ptr{ctrl()});
    },
    [this](recorder_idle) {
      lane::tell_from(*this, std::exchange(asker_, nullptr), all_kept{});
      quit();
    },
  };
}

} // namespace jackfield

#include "actors/centre/agent.hpp"

#include <algorithm>
#include <type_traits>
#include <utility>

#include <caf/actor_cast.hpp>
#include <caf/behavior.hpp>

#include "engine/policy/names.hpp"

namespace jackfield {

namespace {

// Of its timers.
constexpr unsigned desk_clock = 0;
constexpr unsigned record_clock = 1;

} // namespace

agent::agent(caf::actor_config& config, lane::lane& home, agent_profile profile,
             caf::strong_actor_ptr watcher, agent_keeping keeping)
    : lane::lane_actor(config, home), profile_(std::move(profile)), watcher_(std::move(watcher)),
      desk_(profile_.number, profile_.rules), timer_(*this, desk_clock),
      keeping_(std::move(keeping)),
      record_(*this, record_clock, keeping_.where, storage::agent_key(profile_.name)) {
  // nop
}

caf::behavior agent::make_behavior() {
  set_down_handler([this](const caf::down_msg& down) { on_down(down); });
  since_ = home().wall_now();
  if (keeping_.before)
    come_back();
  return {
    [this](agent_queues& queues) {
      queues_ = std::move(queues.all);
      policy::agent_actions actions;
      for (const auto& each : queues_) {
        monitor(caf::actor_cast<caf::actor>(each.actor));
        desk_.add_queue(home().now(), each.queue, each.priority, actions);
      }
      carry_out(actions);
    },
    [this](queue_to_agent& said) { on_queue(said); },
    [this](const membership_told& told) { on_membership(told); },
    [this](const agent_changed& changed) {
      profile_.rules = changed.rules;
      profile_.ready_at_once = changed.ready_at_once;
      desk_.set_rules(changed.rules);
    },
    [this](agent_leaves) {
      leaves_ = true;
      on_wish({agent_wish::kind::log_out});
    },
    [this](const ask_agent_status& asked) {
      policy::agent_actions actions;
      desk_.on_status_asked(asked.queue, actions);
      carry_out(actions);
    },
    [this](const agent_phones& phones) { on_phones(phones); },
    [this](ask_agent_phones) {
      return agent_phones{address_, !address_.empty()};
    },
    [this](const agent_wish& wish) { on_wish(wish); },
    [this](ask_agent_state) { return state(); },
    [this](const direct_call& beside) {
      policy::agent_actions actions;
      if (beside.up)
        desk_.on_direct_call(home().now(), beside.call, actions);
      else
        desk_.on_direct_call_ended(home().now(), beside.call, actions);
      carry_out(actions);
    },
    [this](const ring_over& over) { on_ring_over(over); },
    [this](const talk_over& over) { on_talk_over(over); },
    [this](talk_goes_on) {
      const auto call = call_of(offer_before_restart);
      if (call == calls_.end() || call->actor)
        return;
      call->actor = current_sender();
      monitor(caf::actor_cast<caf::actor>(call->actor));
    },
    [this](const lane::timer_fired& fired) {
      if (fired.id == record_clock) {
        record_.on_time();
        return;
      }
      policy::agent_actions actions;
      desk_.on_time(home().now(), actions);
      carry_out(actions);
    },
  };
}

void agent::on_exit() {
  timer_.cancel();
  record_.finish();
  queues_.clear();
  calls_.clear();
  watcher_ = nullptr;
}

void agent::come_back() {
  policy::agent_actions actions;
  const auto was = std::exchange(keeping_.before, std::nullopt);
  const auto talk = std::exchange(keeping_.talk, std::nullopt);
  if (talk)
    calls_.push_back({offer_before_restart, policy::call_id{}, nullptr});
  desk_.restore(home().now(),
                snapshot_of(*was, profile_.rules, keeping_.heard, two_clocks::of(home()), talk),
                actions);
  if (was->registered)
    returns_until_ = home().now() + return_limit;
  carry_out(actions);
}

void agent::keep() {
  if (!record_)
    return;
  auto now = desk_.snapshot();
  now.version = 0; // says nothing to another process
  // One that may return still is there, to another crash.
  const bool registered = registered_ || returns_until_ > home().now();
  if (kept_ && kept_->first == now && kept_->second == registered)
    return;
  record_.put(storage::pack(record_of(now, registered, two_clocks::of(home()))));
  kept_.emplace(std::move(now), registered);
}

void agent::on_queue(queue_to_agent& said) {
  policy::agent_actions actions;
  const auto now = home().now();
  std::visit(
    [&](const auto& what) {
      using message = std::decay_t<decltype(what)>;
      if constexpr (std::is_same_v<message, policy::bid>) {
        desk_.on_bid(now, what, actions);
      } else if constexpr (std::is_same_v<message, policy::no_bid>) {
        desk_.on_no_bid(now, what, actions);
      } else if constexpr (std::is_same_v<message, policy::offer>) {
        calls_.push_back({{what.queue, what.id}, what.call, std::move(said.call)});
        desk_.on_offer(now, what, actions);
        // One that is not reserved any more rings for nobody.
        if (desk_.reservation() != what.id)
          forget(call_of({what.queue, what.id}));
      } else if constexpr (std::is_same_v<message, policy::withdrawal>) {
        desk_.on_withdrawal(now, what, actions);
      } else {
        desk_.on_assigned(now, what, actions);
      }
    },
    said.what);
  carry_out(actions);
}

void agent::on_membership(const membership_told& told) {
  policy::agent_actions actions;
  const auto known = [&] {
    return std::ranges::find(queues_, told.queue, &agent_queues::part::queue);
  };
  if (told.priority) {
    if (known() == queues_.end()) {
      queues_.push_back({told.queue, current_sender(), *told.priority});
      monitor(caf::actor_cast<caf::actor>(current_sender()));
    }
    desk_.add_queue(home().now(), told.queue, *told.priority, actions);
    carry_out(actions);
    return;
  }
  desk_.remove_queue(home().now(), told.queue, actions);
  carry_out(actions); // it hears of what is given back
  if (const auto queue = known(); queue != queues_.end()) {
    demonitor(caf::actor_cast<caf::actor_addr>(queue->actor));
    queues_.erase(queue);
  }
}

void agent::on_phones(const agent_phones& phones) {
  policy::agent_actions actions;
  const auto now = home().now();
  if (phones.present)
    address_ = phones.address_of_record;
  else if (phones.address_of_record != address_)
    return; // of an address that it has left
  registered_ = phones.present;
  // Who had logged out before a restart is not logged in by it.
  const bool returns = std::exchange(returns_until_, lane::time_point{}) > now;
  if (phones.present && returns)
    desk_.regain(now, actions);
  else if (phones.present && profile_.ready_at_once && !leaves_)
    desk_.log_in(now, actions);
  else
    desk_.set_reachable(now, phones.present, actions);
  carry_out(actions);
}

void agent::on_wish(const agent_wish& wish) {
  policy::agent_actions actions;
  const auto now = home().now();
  switch (wish.what) {
  case agent_wish::kind::log_in:
    if (registered_ && !leaves_)
      desk_.log_in(now, actions);
    break;
  case agent_wish::kind::log_out:
    desk_.log_out(now, actions);
    break;
  case agent_wish::kind::pause:
    desk_.pause(now, wish.reason, actions);
    break;
  case agent_wish::kind::unpause:
    desk_.unpause(now, actions);
    break;
  case agent_wish::kind::end_wrap_up:
    desk_.end_wrap_up(now, actions);
    break;
  }
  carry_out(actions);
}

agent_state_told agent::state() const {
  const auto known = desk_.snapshot();
  agent_state_told told;
  told.name = profile_.name;
  told.state = desk_.state();
  told.since = since_;
  if (const auto until = desk_.state_until(); until != policy::never)
    told.until =
      home().wall_now() +
      std::chrono::duration_cast<std::chrono::system_clock::duration>(until - home().now());
  told.pause_reason = desk_.pause_reason();
  told.pause_pending = known.pause_pending;
  told.log_out_pending = known.log_out_pending;
  told.registered = registered_;
  told.answered_calls = known.answered_calls;
  told.talk_time = known.talk_time;
  return told;
}

// A queue or a call whose actor went without a word: an error within.
void agent::on_down(const caf::down_msg& down) {
  policy::agent_actions actions;
  const auto now = home().now();
  const auto queue = std::ranges::find_if(
    queues_, [&](const agent_queues::part& each) { return down.source == each.actor; });
  if (queue != queues_.end()) {
    desk_.remove_queue(now, queue->queue, actions);
    queues_.erase(queue);
  }
  const auto call = std::ranges::find_if(
    calls_, [&](const ringing_call& each) { return down.source == each.actor; });
  if (call != calls_.end()) {
    const auto gone = *call;
    calls_.erase(call);
    desk_.on_ring_result(now, gone.key.queue, gone.key.bid, policy::ring_result::caller_gone,
                         actions);
    desk_.on_call_ended(now, gone.call, actions);
  }
  carry_out(actions);
}

void agent::on_ring_over(const ring_over& over) {
  policy::agent_actions actions;
  const auto call = call_of(over.offer);
  desk_.on_ring_result(home().now(), over.offer.queue, over.offer.bid, over.how, actions);
  if (over.how != policy::ring_result::answered)
    forget(call);
  carry_out(actions);
}

void agent::on_talk_over(const talk_over& over) {
  policy::agent_actions actions;
  const auto call = call_of(over.offer);
  if (call == calls_.end())
    return;
  const auto number = call->call;
  forget(call);
  desk_.on_call_ended(home().now(), number, actions);
  carry_out(actions);
}

std::vector<agent::ringing_call>::iterator agent::call_of(const offer_key& key) {
  return std::ranges::find(calls_, key, &ringing_call::key);
}

void agent::forget(std::vector<ringing_call>::iterator call) {
  if (call == calls_.end())
    return;
  if (call->actor)
    demonitor(caf::actor_cast<caf::actor_addr>(call->actor));
  calls_.erase(call);
}

void agent::tell_queue(policy::queue_id queue, const agent_to_queue& what) {
  const auto found = std::ranges::find(queues_, queue, &agent_queues::part::queue);
  if (found != queues_.end())
    lane::tell_from(*this, found->actor, agent_to_queue{what});
}

void agent::carry_out(policy::agent_actions& actions) {
  for (auto& action : actions) {
    std::visit(
      [&](auto& what) {
        using kind = std::decay_t<decltype(what)>;
        if constexpr (std::is_same_v<kind, policy::status_to_queue>) {
          tell_queue(what.queue, {agent_to_queue::status{what.what, what.round}});
        } else if constexpr (std::is_same_v<kind, policy::to_queue<policy::bid_answer>> ||
                             std::is_same_v<kind, policy::to_queue<policy::offer_outcome>>) {
          tell_queue(what.queue, {std::move(what.what)});
        } else if constexpr (std::is_same_v<kind, policy::state_changed>) {
          tell_state(what);
        } else {
          const offer_key key{what.queue, what.id};
          const auto call = call_of(key);
          if (call == calls_.end())
            return;
          if constexpr (std::is_same_v<kind, policy::start_ringing>) {
            monitor(caf::actor_cast<caf::actor>(call->actor));
            lane::tell_from(
              *this, call->actor,
              ring_agent{key, {profile_.name, address_, caf::strong_actor_ptr{ctrl()}}});
          } else if constexpr (std::is_same_v<kind, policy::stop_ringing>) {
            lane::tell_from(*this, call->actor, stop_ringing{key});
          } else {
            lane::tell_from(*this, call->actor, connect_agent{key});
          }
        }
      },
      action);
  }
  const auto due = desk_.next_deadline();
  if (due == policy::never)
    timer_.cancel();
  else if (!timer_.armed() || timer_.deadline() != due)
    timer_.arm(due);
  keep();
  if (leaves_ && calls_.empty() && desk_.state() == policy::agent_state::logged_out)
    quit();
}

void agent::tell_state(const policy::state_changed& change) {
  if (change.from != change.to) // not just another reason
    since_ = home().wall_now();
  if (!watcher_)
    return;
  centre_event event;
  event.what = centre_event::kind::agent_state;
  event.at = home().wall_now();
  event.agent = profile_.name;
  event.from = to_string(change.from);
  event.detail = to_string(change.to);
  event.reason = change.reason;
  lane::tell_from(*this, watcher_, std::move(event));
}

} // namespace jackfield

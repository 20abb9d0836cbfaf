#include "tests/actors/centre_world.hpp"

#include <caf/actor_cast.hpp>
#include <caf/behavior.hpp>
#include <caf/send.hpp>
#include <gtest/gtest.h>

namespace jackfield {

/// To the watcher: tell that service to stop.
struct stop_this {
  caf::actor service;
  bool hang_up = false;
};

} // namespace jackfield

CAF_ALLOW_UNSAFE_MESSAGE_TYPE(jackfield::stop_this)

namespace jackfield {

class centre_world::watcher final : public lane::lane_actor {
public:
  watcher(caf::actor_config& config, lane::lane& home, centre_world& world)
      : lane::lane_actor(config, home), world_(world) {}

  caf::behavior make_behavior() override {
    return {
      [this](const centre_event& e) { world_.events_.push_back(e); },
      [this](const centre_stopped& s) { world_.stopped_.push_back(s); },
      [this](const calls_resumed& r) {
        auto& all = world_.resumed_;
        all ? all->merge(r) : void(all = r);
      },
      [this](const calls_recovered& r) {
        auto& all = world_.recovered_;
        all = all.value_or(parting_counts{});
        for (size_t i = 0; i < r.counts.size(); ++i)
          all->at(i) += r.counts.at(i);
      },
      [this](const stop_this& s) {
        if (s.hang_up)
          send(s.service, centre_stop{});
        else
          send(s.service, centre_drain{});
      },
    };
  }

private:
  centre_world& world_;
};

centre_world::centre_world(uint64_t seed, const lane::sim_link& link)
    : sim_world(seed, link), watcher_(lane().spawn<watcher>(*this)) {
  let_stay(1);
}

// As a node that goes: they hold one another. What is told of that is told to nobody.
centre_world::~centre_world() {
  caf::anon_send_exit(watcher_, caf::exit_reason::kill);
  end_centre();
  watcher_ = nullptr;
  lane().run_until(lane().now());
}

void centre_world::end_centre() {
  for (const auto* all :
       {&centre_.services, &centre_.queues, &centre_.agents, &centre_.trunks, &leaving_})
    for (const auto& each : *all)
      caf::anon_send_exit(each, caf::exit_reason::kill);
  centre_ = {};
  leaving_.clear();
}

void centre_world::crash_centre(sim_site& site) {
  const auto parts =
    centre_.services.size() + centre_.queues.size() + centre_.agents.size() + centre_.trunks.size();
  kill(site);
  site.context.router.legs().end_all();
  end_centre();
  let_go(parts);
  lane().run_until(lane().now());
  crash(site);
}

void centre_world::go_on(const std::vector<sim_site*>& lanes, const storage::store& left) {
  const auto told = caf::actor_cast<caf::strong_actor_ptr>(watcher_);
  const auto bindings = std::make_shared<const std::vector<storage::kept_bindings>>(
    storage::read_bindings(left).value());
  for (const auto& service : centre_.services)
    lane::tell(lane(), caf::actor_cast<caf::strong_actor_ptr>(service), bindings_left{bindings});
  auto up = storage::interrupted_calls(left).value();
  centre_memory memory;
  memory.kept = storage::read_centre(left).value();
  if (!memory.kept.callbacks.empty())
    lane::tell(lane(), caf::actor_cast<caf::strong_actor_ptr>(centre_.services.front()),
               callbacks_left{memory.kept.callbacks});
  const auto returning = find_returning(
    up, [](const std::string&) { return true; }, memory);
  std::vector<std::vector<storage::interrupted_call>> go_on(lanes.size()), others(lanes.size());
  for (auto& call : up) {
    const auto leg = sip::leg_id::parse(call.record.leg).value();
    (returning.contains(call.key) ? go_on : others).at(leg.lane).push_back(std::move(call));
  }
  bring_together(go_on);
  resumed_.reset();
  recovered_.reset();
  for (size_t i = 0; i < lanes.size(); ++i)
    if (!others[i].empty())
      lane().spawn<call_recovery>(lanes[i]->context, lanes[i]->connections, std::move(others[i]),
                                  told);
  if (hand_over(std::move(go_on), centre_.services, told) == 0)
    resumed_.emplace();
}

void centre_world::serve_at(const std::vector<lane_context*>& lanes, const centre_plan& plan,
                            const std::shared_ptr<const bridge_manner>& manner,
                            registrar_settings who, const centre_memory* before) {
  who.secret = "a secret of the simulated registrar";
  centre_ = start_centre(lanes, plan, manner, who, caf::actor_cast<caf::strong_actor_ptr>(watcher_),
                         before);
  let_stay(centre_.services.size() + centre_.queues.size() + centre_.agents.size() +
           centre_.trunks.size());
  lane().run_until(lane().now());
}

void centre_world::serve_again(const std::vector<sim_site*>& lanes, storage::store& left,
                               const centre_plan& plan,
                               const std::shared_ptr<const bridge_manner>& manner) {
  centre_memory before;
  before.heard = storage::last_heard(left).value();
  before.kept = storage::read_centre(left).value();
  (void)find_returning(
    storage::interrupted_calls(left).value(), [](const std::string&) { return true; }, before);
  EXPECT_TRUE(storage::close_interrupted(left, [](const auto&) { return false; }));
  keep_calls(lanes, left, storage::begin_run(left, {}).value());
  std::vector<lane_context*> contexts;
  contexts.reserve(lanes.size());
  for (auto* each : lanes)
    contexts.push_back(&each->context);
  serve_at(contexts, plan, manner, {}, &before);
  go_on(lanes, left);
}

centre_plan centre_world::change(sim_site& site, const centre_plan& before,
                                 const centre_plan& plan) {
  auto made = change_centre({&site.context}, before, plan, centre_, {},
                            caf::actor_cast<caf::strong_actor_ptr>(watcher_));
  centre_ = std::move(made.now);
  leaving_.insert(leaving_.end(), made.leaving.begin(), made.leaving.end());
  lane().run_until(lane().now());
  return std::move(made.plan);
}

caf::strong_actor_ptr centre_world::register_phone(sim_site& phone, const sim_site& centre,
                                                   const std::string& agent) {
  auto who = std::make_shared<call_target>();
  who->uri = "sip:" + centre.address.host();
  who->from = "<sip:" + agent + "@" + centre.address.host() + ">";
  auto manner = manner_between(phone, transport::target{phone.protocol, centre.address});
  return register_user(phone, std::make_shared<const call_manner>(std::move(manner)), who, {});
}

void centre_world::stop_centre(bool hang_up) {
  lane::tell(lane(), caf::actor_cast<caf::strong_actor_ptr>(watcher_),
             stop_this{centre_.services.front(), hang_up});
}

} // namespace jackfield

#include "tests/live/stand_in.hpp"

#include <algorithm>
#include <utility>

#include <caf/allowed_unsafe_message_type.hpp>
#include <caf/behavior.hpp>
#include <caf/send.hpp>
#include <gtest/gtest.h>

#include "engine/lane/pool_scheduler.hpp"

namespace jackfield {

namespace {

struct due {
  std::function<void()> what;
};

} // namespace

} // namespace jackfield

CAF_ALLOW_UNSAFE_MESSAGE_TYPE(jackfield::due)

namespace jackfield {

stand_in::stand_in(caf::actor_config& config, caf::actor day, script s, told& t)
    : caf::event_based_actor(config), day_(std::move(day)), script_(std::move(s)), told_(t) {
  // nop
}

caf::behavior stand_in::make_behavior() {
  return {
    [this](const place_caller& wanted) {
      told_.placed.push_back(wanted.ticket);
      script_.on_placed(*this, wanted.ticket);
    },
    [this](const hang_up_caller& wanted) {
      told_.hung_up.push_back(wanted.ticket);
      if (script_.on_hung_up)
        script_.on_hung_up(*this, wanted.ticket);
      else
        gone(wanted.ticket);
    },
    [](const due& timer) { timer.what(); },
  };
}

caf::actor_id stand_in::ring(size_t user, const std::string& shown) {
  send(day_, user_rung{user, ++calls_, {shown}});
  return calls_;
}

caf::actor_id stand_in::connect(size_t user, uint64_t ticket) {
  const auto call = ring(user, ticket);
  talks(user, call);
  answered(ticket);
  return call;
}

void stand_in::after(time t, std::function<void()> what) {
  delayed_send(this, t, due{std::move(what)});
}

// -- a day -----------------------------------------------------------------------------

played_day::played_day(size_t agents) {
  using namespace std::chrono_literals;
  auto& queue = plan.queues.emplace_back();
  queue.name = "queue";
  queue.talk = simulation::distribution::constant(5ms);
  simulation::agent_plan agent;
  agent.queues.push_back({});
  plan.agents.assign(agents, agent);
  for (size_t i = 0; i < agents; ++i)
    plan.agents[i].name = "agent " + std::to_string(i);
  config_.load<lane::pool_scheduler>();
  config_.set("scheduler.max-threads", size_t{1});
  system_ = std::make_unique<caf::actor_system>(config_);
}

void played_day::come(const std::vector<stand_in::time>& at) {
  plan.queues.front().arrivals.times =
    std::make_shared<const std::vector<simulation::duration>>(at.begin(), at.end());
}

void played_day::play() {
  ASSERT_TRUE(plan.check());
  caf::scoped_actor self{*system_};
  const auto pbx = system_->spawn<stand_in>(caf::actor_cast<caf::actor>(self), script, told);
  self->monitor(pbx);
  auto played = play_live(plan, options, self, {pbx}, {cut, tell});
  self->send_exit(pbx, caf::exit_reason::user_shutdown);
  self->wait_for(pbx); // its thread told `told`
  ASSERT_TRUE(played) << played.error().to_string();
  result = std::move(*played);
}

size_t played_day::ended(simulation::call_end how) const {
  return static_cast<size_t>(std::ranges::count(result.calls, how, &simulation::call_outcome::how));
}

void played_day::expect_sums() const {
  const auto expect = [](const simulation::service_counts& c) {
    EXPECT_EQ(c.offered, c.answered + c.abandoned + c.overflowed + c.waiting);
    EXPECT_LE(c.had_to_wait, c.offered);
  };
  expect(counts());
  expect(result.figures.queues.front().counts);
  EXPECT_EQ(counts().offered + counts().refused, result.calls.size())
    << "an attempt that is over is in one of them";
}

} // namespace jackfield

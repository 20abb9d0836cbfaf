// Many queues with many agents who serve several of them. AST#1736, PR#1741: calls are counted
// twice at 2,000 queues and 100 - 200 calls. AST PR#1973, #2029: floods of states with thousands of
// members.

#include <map>
#include <string>
#include <vector>

#include <fmt/format.h>
#include <gtest/gtest.h>

#include "tests/actors/centre_story.hpp"

namespace jackfield {
namespace {

using namespace std::chrono_literals;
using kind = centre_event::kind;

/// So many queues and agents, each of whom serves four queues; all phones are at one site.
class large_centre {
public:
  explicit large_centre(size_t size) : story_(1) {
    for (size_t i = 0; i < size; ++i)
      story_.add_queue(fmt::format("queue{}", i));
    for (size_t i = 0; i < size; ++i)
      story_.add_agent(fmt::format("agent{}", i),
                       {i, (i + 1) % size, (i + 7) % size, (i + 31) % size}, {}, {.wrap_up = 1s});
    story_.begin();
    auto& world = story_.world();
    auto& site = world.add_site("10.0.0.3");
    auto answers = answer_manner_of(site);
    answers.answer_after = 500ms;
    world.answer(site, answers);
    const auto manner = std::make_shared<const call_manner>(
      manner_between(site, transport::target{site.protocol, story_.site().address}));
    for (size_t i = 0; i < size; ++i) {
      auto who = std::make_shared<call_target>();
      who->uri = "sip:10.0.0.2";
      who->from = fmt::format("<sip:agent{}@10.0.0.2>", i);
      users_.push_back(world.register_user(site, manner, who, {}));
    }
    story_.pass(30s);
  }
  [[nodiscard]] centre_story& story() { return story_; }

private:
  centre_story story_;
  std::vector<caf::strong_actor_ptr> users_;
};

TEST(scale, ast_1736_a_call_counts_once_among_two_thousand_queues) {
  constexpr size_t size = 2000;
  large_centre centre{size};
  auto& story = centre.story();
  for (size_t i = 0; i < 600; ++i)
    story.at(41s + i * 50ms,
             [&story, i] { story.call(4s, fmt::format("queue{}", i * 13 % size)); });
  story.pass(3min);
  const auto connected = story.events(kind::connected).size();
  EXPECT_GE(connected, 590U) << "a caller's INVITE may be lost, and he gone before";
  story.expect_sound();
  std::map<std::string, uint64_t> taken;
  for (const auto& e : story.events(kind::connected))
    ++taken[e.agent];
  uint64_t answered = 0;
  for (size_t i = 0; i < size; ++i) {
    const auto told = story.ask(i);
    EXPECT_EQ(told.answered_calls, taken[told.name]) << told.name;
    EXPECT_EQ(told.state, policy::agent_state::ready) << told.name;
    answered += told.answered_calls;
  }
  EXPECT_EQ(answered, connected);
}

// Whatever the number of queues and agents, a call comes to the same few events.
TEST(scale, ast_2029_a_call_is_the_business_of_few) {
  constexpr size_t calls = 100;
  const auto events_of = [](size_t size) {
    large_centre centre{size};
    auto& story = centre.story();
    const auto before = story.world().events().size();
    EXPECT_EQ(before, size) << "each was ready once";
    for (size_t i = 0; i < calls; ++i)
      story.at(41s + i * 200ms,
               [&story, i, size] { story.call(3s, fmt::format("queue{}", i * 13 % size)); });
    story.pass(3min);
    story.expect_sound();
    return story.world().events().size() - before;
  };
  const auto few = events_of(100);
  EXPECT_EQ(events_of(1600), few);
  // Entered, offered, connected, completed; the agent's reserved, offered, answered, in call,
  // wrapping up and ready.
  EXPECT_EQ(few, calls * 10);
}

} // namespace
} // namespace jackfield

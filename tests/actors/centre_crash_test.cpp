// Parts of a contact centre that die without a word, as by an error within: what is left goes on,
// nobody is stuck, and no call is left to nobody. FS#1641: what distributes is dead, and nothing is
// until a reload.

#include <string>
#include <vector>

#include <caf/actor_cast.hpp>
#include <caf/behavior.hpp>
#include <gtest/gtest.h>

#include "tests/actors/centre_story.hpp"

namespace jackfield {
namespace {

using namespace std::chrono_literals;
using kind = centre_event::kind;

class crashes : public testing::TestWithParam<uint64_t> {
protected:
  crashes() : story_(GetParam()) {
    story_.add_queue("support", {.ring_time = 30s});
    story_.add_queue("sales", {.ring_time = 30s});
  }
  void begin(lane::duration answer_after = 2s) {
    for (const auto* const name : {"alice", "carol"})
      story_.add_agent(name, {0, 1}, {{.answer_after = answer_after}}, {.wrap_up = 1s});
    story_.begin();
    story_.watch_calls();
  }
  centre_story story_;
};

INSTANTIATE_TEST_SUITE_P(seeds, crashes, testing::Range<uint64_t>(1, 7));

// Its callers are told, not kept in silence; its agents serve the other queue.
TEST_P(crashes, fs_1641_a_queue_that_died_keeps_nobody_waiting) {
  begin();
  story_.call(10min); // talks
  story_.pass(6s);
  ASSERT_EQ(story_.events(kind::connected).size(), 1U);
  story_.call(10min); // rings
  story_.call(10min); // waits
  story_.pass(1500ms);
  EXPECT_EQ(story_.events(kind::offered).size(), 2U);
  story_.kill(story_.world().centre().queues.at(0));
  story_.pass(40s);
  EXPECT_EQ(story_.world().heard().calls.size(), 2U) << "who talks goes on";
  story_.call(10s); // comes to no queue
  story_.pass(40s);
  EXPECT_EQ(story_.world().heard().calls.size(), 3U);
  story_.call(30s, "sales");
  story_.pass(90s);
  EXPECT_EQ(story_.events(kind::completed).size(), 1U);
  EXPECT_EQ(story_.events(kind::completed).back().queue, "sales");
}

TEST_P(crashes, fs_2529_an_agent_that_died_in_mid_offer_leaves_no_phone_ringing) {
  begin(60s);
  story_.call(10min);
  story_.pass(4s);
  const auto first = story_.events(kind::offered).at(0).agent == "alice" ? 0U : 1U;
  EXPECT_EQ(story_.up(first), 1U);
  story_.kill(story_.world().centre().agents.at(first));
  story_.pass(4s);
  EXPECT_EQ(story_.up(first), 0U) << "nobody would connect who answers";
  const auto offered = story_.events(kind::offered);
  ASSERT_EQ(offered.size(), 2U);
  EXPECT_NE(offered[0].agent, offered[1].agent);
}

TEST_P(crashes, an_agent_that_died_in_mid_call_takes_nobody_along) {
  begin();
  story_.call(40s);
  story_.pass(8s);
  ASSERT_EQ(story_.events(kind::connected).size(), 1U);
  const auto first = story_.events(kind::connected).at(0).agent == "alice" ? 0U : 1U;
  story_.kill(story_.world().centre().agents.at(first));
  story_.pass(20s);
  EXPECT_TRUE(story_.world().heard().calls.empty()) << "they talk on";
  story_.pass(2min);
  EXPECT_EQ(story_.events(kind::completed).size(), 1U);
  story_.expect_all_serve({1U - first});
  story_.expect_no_leg();
}

// In each of its states: it waits, an agent's phone rings, they talk.
TEST_P(crashes, fs_1973_a_call_that_died_frees_its_agent_and_its_place) {
  begin();
  for (const lane::duration lived : {500ms, 2000ms, 6000ms}) {
    const auto before = story_.calls().size();
    const auto offered = story_.events(kind::offered).size();
    story_.call(10min);
    story_.pass(2s); // an INVITE may be lost
    ASSERT_EQ(story_.calls().size(), before + 1) << lived / 1ms;
    story_.pass(lived);
    story_.kill(caf::actor_cast<caf::actor>(story_.calls().back()));
    story_.pass(1min);
    EXPECT_GT(story_.events(kind::offered).size(), offered);
    EXPECT_EQ(story_.queues().front().waiting, 0U);
    EXPECT_EQ(story_.queues().front().available, 2U);
    EXPECT_EQ(story_.world().heard().calls.size(), before + 1) << "its caller is hung up";
    EXPECT_EQ(story_.up(0) + story_.up(1), 0U);
  }
  story_.expect_all_serve({0, 1});
  story_.expect_sound();
  story_.expect_no_leg();
}

TEST_P(crashes, while_many_call_leave_no_agent_stuck) {
  begin(1s);
  for (int i = 0; i < 120; ++i)
    story_.at(20s + i * 1s, [this, i] { story_.call(2s + i % 7 * 1s); });
  for (int i = 0; i < 20; ++i)
    story_.at(22s + i * 5s + i * 37ms, [this, i] {
      const auto& all = story_.calls();
      if (!all.empty())
        story_.kill(caf::actor_cast<caf::actor>(all[all.size() - 1 - i % 2]));
    });
  story_.pass(5min);
  story_.expect_all_serve({0, 1});
  story_.expect_sound();
  story_.expect_no_leg();
}

} // namespace
} // namespace jackfield

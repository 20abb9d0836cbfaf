// What befalls who waits in a queue: places that are kept, skills that widen, what is announced.

#include <chrono>
#include <memory>
#include <string>
#include <vector>

#include <gtest/gtest.h>

#include "actors/centre/wait_announcer.hpp"
#include "tests/actors/centre_story.hpp"

namespace jackfield {
namespace {

using namespace std::chrono_literals;
using kind = centre_event::kind;

class waiting : public testing::TestWithParam<uint64_t> {
protected:
  waiting() : story_(GetParam()) { story_.add_queue("support"); }
  policy::queue_rules& rules() { return story_.plan().queues[0].rules; }
  /// Who was connected, in order.
  [[nodiscard]] std::vector<std::string> taken() const {
    std::vector<std::string> all;
    for (const auto& e : story_.events(kind::connected))
      all.push_back(e.from);
    return all;
  }
  centre_story story_;
};

INSTANTIATE_TEST_SUITE_P(seeds, waiting, testing::Range<uint64_t>(1, 5));

TEST_P(waiting, who_calls_again_in_time_has_its_place) {
  rules().resume_place = 1min;
  const auto alice = story_.add_agent("alice", {0}, {{.answer_after = 500ms}});
  story_.begin();
  story_.wish(alice, agent_wish::kind::pause);
  story_.call(10s, "support", "bob");
  story_.call(10s, "support", "anonymous");
  story_.pass(5s);
  story_.call(5min, "support", "carol");
  story_.pass(15s); // bob and the other one have hung up
  EXPECT_EQ(story_.events(kind::abandoned).size(), 2U);
  story_.call(5min, "support", "anonymous");
  story_.pass(2s);
  story_.call(1min, "support", "bob");
  story_.pass(5s);
  EXPECT_EQ(story_.events(kind::entered).back().position, 1U) << "before carol";
  story_.wish(alice, agent_wish::kind::unpause);
  story_.pass(15min);
  EXPECT_EQ(taken(), (std::vector<std::string>{"sip:bob@10.0.0.1", "sip:carol@10.0.0.1",
                                               "sip:anonymous@10.0.0.1"}));
  EXPECT_LT(story_.events(kind::connected).front().waited, 15s) << "since it called again";
  story_.expect_sound();
}

TEST_P(waiting, who_calls_too_late_is_last) {
  rules().resume_place = 10s;
  const auto alice = story_.add_agent("alice", {0}, {{.answer_after = 500ms}});
  story_.begin();
  story_.wish(alice, agent_wish::kind::pause);
  story_.call(5s, "support", "bob");
  story_.pass(3s);
  story_.call(5min, "support", "carol");
  story_.pass(30s);
  story_.call(1min, "support", "bob");
  story_.pass(5s);
  EXPECT_EQ(story_.events(kind::entered).back().position, 2U);
  story_.pass(6min);
  story_.expect_sound();
}

TEST_P(waiting, an_agent_who_is_good_enough_by_now_is_rung) {
  constexpr policy::skill_id german{7};
  rules().wants = {{german, 60}};
  rules().skill_steps = {{20s, german, 20, false}};
  story_.add_agent("alice", {0}, {{.answer_after = 500ms}});
  story_.add_agent("carol", {0}, {{.answer_after = 500ms}});
  story_.plan().queues[0].members[0].part.skills = {{german, 40}};
  story_.begin();
  story_.call(60s);
  story_.pass(15s);
  EXPECT_TRUE(story_.events(kind::offered).empty());
  story_.pass(15s);
  ASSERT_EQ(story_.events(kind::connected).size(), 1U);
  EXPECT_EQ(story_.events(kind::connected).front().agent, "alice") << "carol has no German";
  EXPECT_GE(story_.events(kind::connected).front().waited, 20s);
  rules().skill_steps = {};
  rules().wants = {};
  story_.reload();
  story_.call(10s);
  story_.pass(10s);
  ASSERT_EQ(story_.events(kind::connected).size(), 2U) << "nothing is needed any more";
  EXPECT_EQ(story_.events(kind::connected).back().agent, "carol");
  story_.pass(2min);
  story_.expect_sound();
}

announced_clip clip_of(uint16_t hertz, lane::duration length) {
  auto sound = std::make_shared<audio_settings>();
  sound->source = audio::source_spec::tone(hertz);
  return {std::move(sound), length};
}

/// Clips that tell by their frequency which they are.
std::shared_ptr<wait_announcement> clips() {
  auto made = std::make_shared<wait_announcement>();
  made->you_are_number = clip_of(1000, 400ms);
  made->you_will_wait = clip_of(1100, 400ms);
  made->minutes = clip_of(1200, 400ms);
  for (uint16_t i = 0; i < 10; ++i)
    made->digits[i] = clip_of(static_cast<uint16_t>(2000 + 100 * i), 300ms);
  return made;
}

TEST(wait_announcement, says_the_position_and_the_minutes_digit_by_digit) {
  auto how = clips();
  const auto heard = [&](uint32_t position, std::optional<lane::duration> wait) {
    std::vector<int> hertz;
    for (const auto& each : said_of(*how, position, wait))
      hertz.push_back(each.what->source.frequency_hz);
    return hertz;
  };
  EXPECT_TRUE(heard(1, 1min).empty());
  how->position = true;
  EXPECT_EQ(heard(10, 1min), (std::vector{1000, 2100, 2000}));
  how->wait = true;
  EXPECT_EQ(heard(2, 61s), (std::vector{1000, 2200, 1100, 2200, 1200})) << "rounded up";
  EXPECT_EQ(heard(2, 0s), (std::vector{1000, 2200, 1100, 2100, 1200})) << "a minute at the least";
  EXPECT_EQ(heard(2, {}), (std::vector{1000, 2200})) << "nobody knows how long";
  how->position = false;
  EXPECT_EQ(heard(2, 12min), (std::vector{1100, 2100, 2200, 1200}));
}

// Over a path that loses nothing: each tone is to be heard whole.
TEST(wait_announcement, is_heard_between_the_music_until_an_agent_is_there) {
  centre_story story{1, {.delay = 5ms}};
  story.add_queue("support");
  auto& queue = story.plan().queues[0];
  queue.rules.announce_first = 3s;
  queue.rules.announce_every = 10s;
  auto how = clips();
  how->position = true;
  queue.announces = how;
  const auto alice = story.add_agent("alice", {0}, {{.answer_after = 500ms, .audio = true}});
  story.begin();
  story.wish(alice, agent_wish::kind::pause);
  story.callers_speak();
  story.callers_listen();
  story.call(30s, "support", "bob");
  story.pass(20s);
  story.wish(alice, agent_wish::kind::unpause);
  story.pass(30s);
  ASSERT_EQ(story.world().heard().calls.size(), 1U);
  const auto& media = story.world().heard().calls.front().media;
  ASSERT_TRUE(media && media->heard);
  std::vector<int> tones;
  for (const auto& piece : media->heard->pieces)
    if (piece.what == audio::found_sound::kind::tone &&
        (tones.empty() || tones.back() != piece.hz[0]))
      tones.push_back(piece.hz[0]);
  const auto near = [](int hertz, int wanted) { return std::abs(hertz - wanted) <= 20; };
  const std::vector wanted{880, 1000, 2100, 880, 1000, 2100, 880};
  ASSERT_EQ(tones.size(), wanted.size()) << testing::PrintToString(tones);
  for (size_t i = 0; i < wanted.size(); ++i)
    EXPECT_TRUE(near(tones[i], wanted[i])) << i << ": " << tones[i];
}

} // namespace
} // namespace jackfield

#include "actors/centre/talk_recorder.hpp"

#include <algorithm>
#include <array>
#include <cstdlib>
#include <filesystem>
#include <iterator>
#include <optional>
#include <string>

#include <gtest/gtest.h>
#include <sys/stat.h>

#include "actors/media/media_codecs.hpp"
#include "actors/media/media_protection.hpp"
#include "engine/audio/tone_detector.hpp"
#include "tests/actors/centre_world.hpp"
#include "tests/actors/stream_ends.hpp"
#include "tests/recorded_file.hpp"

namespace jackfield {
namespace {

using namespace std::chrono_literals;
using kind = centre_event::kind;

std::shared_ptr<audio_settings> tone(uint16_t hz) {
  auto out = std::make_shared<audio_settings>();
  out->source = audio::source_spec::tone(hz);
  return out;
}

lane::sim_link lossy() {
  lane::sim_link link;
  link.delay = 20ms;
  link.jitter = 10ms;
  link.loss = 0.05;
  return link;
}

/// A caller who says 440 Hz in G.711, a queue whose calls are recorded, and Alice who says 1,000 Hz
/// in Opus.
class call_recording_test : public testing::Test {
public:
  ~call_recording_test() override { std::filesystem::remove_all(folder_); }

protected:
  explicit call_recording_test(const lane::sim_link& link = {})
      : world_(7, link), caller_(world_.add_site("10.0.0.1")), centre_(world_.add_site("10.0.0.2")),
        phone_(world_.add_site("10.0.0.3")) {
    std::string name = (std::filesystem::temp_directory_path() / "jackfield-XXXXXX").string();
    EXPECT_NE(::mkdtemp(name.data()), nullptr);
    folder_ = name;
    plan_.agents.push_back({"alice", {}, true});
    plan_.queues.push_back({"support", {"100"}, {}, tone(700), {}});
    plan_.queues.front().members.push_back({0, {}, 0});
    plan_.queues.front().record = true;
    plan_.recordings =
      std::make_shared<const recording_settings>(recording_settings{folder_.string(), true});
  }

  void begin() {
    sdp::media_capabilities can;
    can.rtcp_mux = true;
    static constexpr std::array codecs{audio::codec::opus, audio::codec::pcmu};
    describe_codecs(can, codecs);
    accept_any_protection(can);
    auto listens = std::make_shared<audio_settings>();
    listens->mode = audio_mode::listen;
    auto manner = std::make_shared<bridge_manner>();
    manner->media =
      std::make_shared<sdp::offer_template>(centre_.context.media.address().address(), can);
    manner->audio = std::move(listens);
    world_.serve(centre_, plan_, manner);
    auto answers = answer_manner_of(phone_);
    add_audio(answers);
    answers.audio = tone(1000);
    auto opus_alone = answers.media->capabilities();
    describe_codecs(opus_alone, std::array{audio::codec::opus});
    answers.media = std::make_shared<sdp::offer_template>(answers.media->host(), opus_alone);
    answers.answer_after = 1s;
    world_.answer(phone_, answers);
    user_ = world_.register_phone(phone_, centre_, "alice");
    world_.pass(5s);
    ASSERT_EQ(world_.heard().registrations.size(), 1U);
  }
  void call(lane::duration length) {
    auto manner = manner_between(caller_, centre_.target());
    add_audio(manner, caller_);
    manner.audio = tone(440);
    auto target = std::make_shared<call_target>();
    target->uri = "sip:100@10.0.0.2";
    target->from = "<sip:bob@10.0.0.1>";
    world_.call(caller_, std::make_shared<const call_manner>(manner), target, length);
  }
  [[nodiscard]] std::vector<centre_event> events(kind what) const {
    std::vector<centre_event> some;
    std::ranges::copy_if(world_.events(), std::back_inserter(some),
                         [&](const centre_event& e) { return e.what == what; });
    return some;
  }
  /// The only one.
  [[nodiscard]] std::string file() const {
    const auto told = events(kind::recorded);
    EXPECT_EQ(told.size(), 1U);
    return told.empty() ? "" : told.front().detail;
  }
  static double share(const std::vector<int16_t>& all, uint32_t rate, double hz, size_t from_ms) {
    const auto first = std::min(all.size(), from_ms * rate / 1000);
    return audio::tone_share(std::span{all}.subspan(first), hz, rate);
  }
  void expect_nothing_left() {
    lane::tell(world_.lane(), std::exchange(user_, nullptr), hang_up{});
    world_.expect_nothing_left();
  }

  std::filesystem::path folder_;
  centre_world world_;
  sim_site& caller_;
  sim_site& centre_;
  sim_site& phone_;
  centre_plan plan_;
  caf::strong_actor_ptr user_;
};

class lossy_call_recording_test : public call_recording_test {
protected:
  lossy_call_recording_test() : call_recording_test(lossy()) {}
};

TEST_F(call_recording_test, has_the_caller_left_and_the_agent_right_for_as_long_as_they_talked) {
  begin();
  call(10s);
  world_.pass(20s);
  const auto over = events(kind::completed);
  ASSERT_EQ(over.size(), 1U);
  const auto path = file();
  const auto heard = recording::read_file(path);
  EXPECT_NEAR(heard.seconds(), std::chrono::duration<double>(over.front().talked).count(), 0.02);
  EXPECT_GT(heard.seconds(), 7);
  const auto& [left, right] = heard.channels;
  EXPECT_GT(share(left, heard.rate, 440, 100), 0.95);
  EXPECT_GT(share(right, heard.rate, 1000, 200), 0.95);
  EXPECT_LT(share(left, heard.rate, 1000, 0), 0.001);
  EXPECT_LT(share(right, heard.rate, 440, 0), 0.001);
  struct stat about {};
  ASSERT_EQ(::stat(path.c_str(), &about), 0);
  EXPECT_EQ(about.st_mode & 0777U, 0600U);
  EXPECT_EQ(std::ranges::distance(std::filesystem::directory_iterator{folder_}), 1)
    << "nothing but the file is left";
  expect_nothing_left();
}

TEST_F(lossy_call_recording_test, is_as_long_as_the_talk_where_packets_are_lost) {
  begin();
  call(20s);
  world_.pass(40s);
  const auto over = events(kind::completed);
  ASSERT_EQ(over.size(), 1U);
  const auto heard = recording::read_file(file());
  EXPECT_NEAR(heard.seconds(), std::chrono::duration<double>(over.front().talked).count(), 0.02);
  EXPECT_GT(heard.seconds(), 10);
  EXPECT_GT(share(heard.channels[0], heard.rate, 440, 100), 0.8);
  EXPECT_GT(share(heard.channels[1], heard.rate, 1000, 200), 0.8);
  EXPECT_LT(share(heard.channels[0], heard.rate, 1000, 0), 0.001);
  EXPECT_LT(share(heard.channels[1], heard.rate, 440, 0), 0.001);
  expect_nothing_left();
}

TEST_F(call_recording_test, is_not_made_where_nobody_asked_for_it) {
  plan_.queues.front().record = false;
  begin();
  call(5s);
  world_.pass(10s);
  EXPECT_EQ(events(kind::completed).size(), 1U);
  EXPECT_TRUE(events(kind::recorded).empty());
  EXPECT_TRUE(std::filesystem::is_empty(folder_));
  expect_nothing_left();
}

TEST_F(call_recording_test, is_not_made_of_who_nobody_talked_to) {
  begin();
  call(500ms);
  world_.pass(10s);
  EXPECT_EQ(events(kind::abandoned).size(), 1U);
  EXPECT_TRUE(std::filesystem::is_empty(folder_));
  expect_nothing_left();
}

TEST_F(call_recording_test, that_cannot_be_written_harms_no_call) {
  std::filesystem::remove_all(folder_);
  begin();
  call(5s);
  world_.pass(10s);
  EXPECT_EQ(events(kind::completed).size(), 1U);
  EXPECT_FALSE(world_.heard().calls.at(0).failure.failed());
  const auto told = events(kind::not_recorded);
  ASSERT_EQ(told.size(), 1U);
  EXPECT_NE(told.front().detail.find("cannot be made: No such file or directory"),
            std::string::npos)
    << told.front().detail;
  expect_nothing_left();
}

/// A call's actor that has what one stream hears recorded, and ends with the recording.
class recorded_caller final : public lane::lane_actor {
public:
  recorded_caller(caf::actor_config& config, lane::lane& home, const caf::strong_actor_ptr& stream,
                  std::shared_ptr<const recording_settings> where,
                  std::optional<recording_over>& over)
      : lane::lane_actor(config, home), recorder_(*this, std::move(where), {}), over_(over) {
    recorder_.hear(stream, recording::leg::caller);
  }
  caf::behavior make_behavior() override {
    return {[this](const hang_up&) {
      recorder_.finish([this](const recording_over& over) {
        over_ = over;
        quit();
      });
    }};
  }

private:
  talk_recorder recorder_;
  std::optional<recording_over>& over_;
};

TEST_F(call_recording_test, leaves_out_and_counts_what_comes_faster_than_it_can_be_written) {
  rtp_peer peer{world_.lane(), "10.1.0.9", 1000};
  stream_end stream{world_.lane(), centre_.context.media};
  world_.pass(1ms);
  stream.tell(media_connect{agreed(peer.address())});
  std::optional<recording_over> over;
  auto call = caf::actor_cast<caf::strong_actor_ptr>(
    world_.lane().spawn<recorded_caller>(stream.stream, plan_.recordings, over));
  world_.pass(1ms);
  // More than a megabyte, between two looks at it.
  constexpr size_t packets = talk_recorder::most_waiting / 160;
  for (size_t i = 0; i < packets; ++i) {
    peer.speak(stream.address(), 0);
    if (i % 50 == 0)
      world_.pass(1ms);
  }
  world_.pass(1s);
  lane::tell(world_.lane(), call, hang_up{});
  world_.pass(1s);
  ASSERT_TRUE(over);
  EXPECT_FALSE(over->failure);
  EXPECT_GT(over->left_out, packets / 10);
  EXPECT_LT(over->left_out, packets);
  EXPECT_NEAR(recording::read_file(over->path).seconds(),
              std::chrono::duration<double>(over->length).count(), 0.001);
  stream.tell(media_close{});
  call = nullptr;
  world_.pass(1ms);
}

TEST_F(call_recording_test, leaves_a_part_that_can_be_read_where_its_process_ends) {
  begin();
  call(60s);
  world_.pass(20s);
  std::string part;
  for (const auto& each : std::filesystem::directory_iterator{folder_})
    part = each.path().string();
  ASSERT_TRUE(part.ends_with(".opus.part")) << part;
  // As a crash would: nothing of it is told any more.
  const auto heard = recording::read_file(part);
  EXPECT_GT(heard.seconds(), 15) << "all but the last seconds";
  EXPECT_GT(share(heard.channels[0], heard.rate, 440, 100), 0.95);
  world_.pass(60s);
  expect_nothing_left();
}

} // namespace
} // namespace jackfield

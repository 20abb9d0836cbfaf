#include <algorithm>
#include <set>

#include <caf/send.hpp>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "engine/audio/g711.hpp"
#include "tests/actors/sim_world.hpp"
#include "tests/actors/stream_ends.hpp"

namespace jackfield {
namespace {

using namespace std::chrono_literals;
using testing::ElementsAre;
using testing::IsEmpty;
using outcome = media_join_result::outcome;
using cause = media_parted::cause;

constexpr lane::duration delay = 15ms; // of each way; no multiple of a frame

lane::sim_link path() {
  lane::sim_link link;
  link.delay = delay;
  return link;
}

/// Anna and Carl, each with a stream of ours, which are joined.
class media_join_test : public testing::Test {
protected:
  media_join_test()
      : world_(11, path()), site_(world_.add_site("10.0.0.2")), anna_(lane(), "10.1.0.1", 1000),
        carl_(lane(), "10.1.0.3", 65'500), to_anna_(lane(), site_.context.media),
        to_carl_(lane(), site_.context.media) {
    world_.pass(1ms);
    to_anna_.tell(media_connect{agreed(anna_.address())});
    to_carl_.tell(media_connect{agreed(carl_.address())});
    talk(25);
  }

  lane::sim_lane& lane() { return world_.lane(); }
  void join(stream_end& one, const stream_end& other) {
    one.tell(media_join{other.stream});
    world_.pass(0ms);
  }
  void joined() {
    join(to_anna_, to_carl_);
    ASSERT_THAT(to_anna_.heard().results, ElementsAre(outcome::done));
    world_.pass(20ms); // the last of the tone arrives
    anna_.be_silent(160);
    carl_.be_silent(160);
  }
  /// Both say so many packets.
  void talk(int packets) {
    for (int i = 0; i < packets; ++i) {
      anna_.speak(to_anna_.address(), anna_type_);
      carl_.speak(to_carl_.address(), carl_type_);
      world_.pass(20ms);
    }
    world_.pass(2 * delay + 1ms); // all has arrived
    anna_.be_silent(320);
    carl_.be_silent(320);
  }
  /// Tags of audio that `to` heard of `from` since `mark`, and of nobody else.
  static std::vector<unsigned> tags(const rtp_peer& to, size_t mark) {
    std::vector<unsigned> out;
    for (size_t i = mark; i < to.heard.size(); ++i)
      if (to.heard[i].payload.size() == 160 && is_tagged(to.heard[i]))
        out.push_back(to.heard[i].tag());
    return out;
  }
  static std::vector<unsigned> tags_said(const rtp_peer& by, size_t mark) {
    std::vector<unsigned> out;
    for (size_t i = mark; i < by.said.size(); ++i)
      if (by.said[i].payload.size() == 160)
        out.push_back(by.said[i].tag());
    return out;
  }
  static bool is_tagged(const rtp_peer::packet& p) { // what we play is a tone
    return std::all_of(p.payload.begin(), p.payload.end(),
                       [&](std::byte b) { return b == p.payload.front(); });
  }
  /// What any receiver relies on, whatever the stream was made of.
  static void expect_one_stream(const rtp_peer& heard_by) {
    std::set<uint32_t> sources;
    const auto& all = heard_by.heard;
    for (size_t i = 0; i < all.size(); ++i) {
      sources.insert(all[i].ssrc);
      if (i == 0)
        continue;
      const auto step = all[i].timestamp - all[i - 1].timestamp;
      const auto passed = all[i].at - all[i - 1].at;
      EXPECT_EQ(all[i].sequence, static_cast<uint16_t>(all[i - 1].sequence + 1)) << i;
      EXPECT_LT(step, 0x8000'0000U) << "time goes back at " << i;
      if (all[i].payload.size() == 160 && all[i - 1].payload.size() == 160) {
        EXPECT_GE(step, 160U) << i;
        // A talkspurt may begin a frame later than its time, not more.
        EXPECT_NEAR(step, passed.count() / 125'000.0, 321) << i;
        EXPECT_TRUE(step == 160 || all[i].marker) << "a jump by " << step << " unmarked at " << i;
      }
    }
    EXPECT_EQ(sources.size(), 1U);
  }
  void expect_one_stream_each() {
    expect_one_stream(anna_);
    expect_one_stream(carl_);
  }
  static sdp::negotiated_audio pcma_of(const rtp_peer& peer) {
    auto audio = agreed(peer.address());
    audio.audio = sdp::pcma();
    audio.send_payload_type = audio.receive_payload_type = 8;
    return audio;
  }
  static sdp::negotiated_audio opus_of(const rtp_peer& peer, uint32_t packet_ms) {
    auto audio = agreed(peer.address());
    audio.audio = sdp::opus();
    audio.send_payload_type = audio.receive_payload_type = 111;
    audio.send_ptime_ms = packet_ms;
    return audio;
  }
  static unsigned in_a_law(unsigned mu_law) {
    return audio::encode_alaw(audio::decode_ulaw(static_cast<uint8_t>(mu_law)));
  }
  static unsigned in_mu_law(unsigned a_law) {
    return audio::encode_ulaw(audio::decode_alaw(static_cast<uint8_t>(a_law)));
  }
  /// All that `by` said since `mark` is what `to` heard, in its turn, in another law; but for the
  /// first packets, before there is a delay, and the last, which still wait for their time.
  static void expect_passed(const rtp_peer& by, size_t mark, const rtp_peer& to, size_t heard,
                            unsigned (*law)(unsigned)) {
    constexpr std::ptrdiff_t ends = 5;
    std::vector<unsigned> wanted;
    for (const auto tag : tags_said(by, mark))
      wanted.push_back(law(tag));
    const auto got = tags(to, heard);
    EXPECT_NE(std::search(got.begin(), got.end(), wanted.begin() + ends, wanted.end() - ends),
              got.end())
      << testing::PrintToString(got) << "\nexpected to have\n"
      << testing::PrintToString(wanted);
  }
  void close(stream_end& end) {
    end.tell(media_close{});
    world_.pass(0ms);
    ASSERT_EQ(end.heard().closed.size(), 1U);
    EXPECT_FALSE(end.heard().closed.front().failure);
  }

  sim_world world_;
  sim_site& site_;
  rtp_peer anna_;
  rtp_peer carl_;
  stream_end to_anna_;
  stream_end to_carl_;
  uint8_t anna_type_ = 0;
  uint8_t carl_type_ = 0;
};

TEST_F(media_join_test, each_hears_the_other_at_once_and_as_the_stream_it_knows) {
  EXPECT_THAT(tags(carl_, 0), IsEmpty()) << "a tone is played before";
  EXPECT_GT(carl_.heard.size(), 20U);
  joined();
  const auto anna_heard = anna_.heard.size();
  const auto carl_heard = carl_.heard.size();
  const auto anna_said = anna_.said.size();
  const auto carl_said = carl_.said.size();
  talk(100);
  EXPECT_EQ(tags(carl_, carl_heard), tags_said(anna_, anna_said));
  EXPECT_EQ(tags(anna_, anna_heard), tags_said(carl_, carl_said));
  ASSERT_EQ(carl_.heard.size(), carl_heard + 100);
  EXPECT_TRUE(carl_.heard[carl_heard].marker);
  for (size_t i = 0; i < 100; ++i) {
    EXPECT_EQ(carl_.heard[carl_heard + i].at - anna_.said[anna_said + i].at, 2 * delay)
      << "it waited for a frame";
    if (i > 0) {
      EXPECT_EQ(carl_.heard[carl_heard + i].timestamp - carl_.heard[carl_heard + i - 1].timestamp,
                160U);
      EXPECT_FALSE(carl_.heard[carl_heard + i].marker) << i;
    }
  }
  expect_one_stream_each();
  to_anna_.tell(media_stop{});
  close(to_anna_);
  close(to_carl_);
  const auto& went = to_carl_.heard().closed.front().outcome;
  EXPECT_EQ(went.packets_sent, carl_.heard.size());
  EXPECT_EQ(went.received.lost, 0U);
  EXPECT_EQ(to_carl_.heard().results.size(), 0U) << "only who asked is answered";
}

TEST_F(media_join_test, what_is_lost_on_the_way_here_stays_a_loss) {
  joined();
  talk(10);
  const auto mark = carl_.heard.size();
  lane().set_link(anna_.address(), to_anna_.address(), [] {
    auto cut = path();
    cut.loss = 1;
    return cut;
  }());
  for (int i = 0; i < 5; ++i) {
    anna_.speak(to_anna_.address(), 0);
    world_.pass(20ms);
  }
  lane().set_link(anna_.address(), to_anna_.address(), path());
  for (int i = 0; i < 5; ++i) {
    anna_.speak(to_anna_.address(), 0);
    world_.pass(20ms);
  }
  world_.pass(2 * delay);
  ASSERT_EQ(carl_.heard.size(), mark + 5);
  const auto& before = carl_.heard[mark - 1];
  const auto& after = carl_.heard[mark];
  EXPECT_EQ(static_cast<uint16_t>(after.sequence - before.sequence), 6);
  close(to_carl_);
  EXPECT_EQ(to_carl_.heard().closed.front().outcome.relayed_gaps, 5U);
}

TEST_F(media_join_test, digits_cross_the_joint_under_the_types_of_each_side) {
  auto other_type = agreed(carl_.address());
  other_type.send_event_payload_type = other_type.receive_event_payload_type = 96;
  to_carl_.tell(media_connect{other_type});
  joined();
  talk(10);
  const auto mark = carl_.heard.size();
  for (uint16_t units = 160; units <= 800; units += 160) {
    anna_.sign(to_anna_.address(), 101, 5, units, false);
    world_.pass(20ms);
  }
  for (int i = 0; i < 3; ++i)
    anna_.sign(to_anna_.address(), 101, 5, 960, true);
  world_.pass(20ms);
  anna_.be_silent(960);
  carl_.be_silent(960);
  talk(10);
  ASSERT_EQ(carl_.heard.size(), mark + 8 + 10);
  for (size_t i = 0; i < 8; ++i) {
    const auto& p = carl_.heard[mark + i];
    EXPECT_EQ(p.payload_type, 96) << i;
    EXPECT_EQ(p.marker, i == 0) << i;
    EXPECT_EQ(p.timestamp, carl_.heard[mark].timestamp) << i;
    EXPECT_EQ(p.payload, anna_.said[anna_.said.size() - 18 + i].payload) << i;
  }
  EXPECT_EQ(carl_.heard[mark + 8].timestamp - carl_.heard[mark].timestamp, 960U);
  expect_one_stream_each();
  // And those that our side dials into a stream that is joined.
  const auto dialed = anna_.heard.size();
  to_anna_.tell(media_dial{"12"});
  talk(30);
  std::set<unsigned> events;
  for (size_t i = dialed; i < anna_.heard.size(); ++i)
    if (anna_.heard[i].payload_type == 101)
      events.insert(anna_.heard[i].tag());
  EXPECT_THAT(events, ElementsAre(1U, 2U));
  for (size_t i = dialed; i < anna_.heard.size(); ++i)
    EXPECT_EQ(anna_.heard[i].sequence, static_cast<uint16_t>(anna_.heard[i - 1].sequence + 1));
  close(to_anna_);
  EXPECT_EQ(to_anna_.heard().closed.front().outcome.digits_received, "5");
  EXPECT_EQ(to_anna_.heard().closed.front().outcome.digits_sent, 2U);
}

TEST_F(media_join_test, a_side_on_hold_hears_nothing_and_goes_on_where_it_was) {
  joined();
  talk(10);
  for (const bool by_address : {false, true}) {
    const auto mark = carl_.heard.size();
    const auto anna_mark = anna_.heard.size();
    auto hold = agreed(carl_.address());
    if (by_address)
      hold.remote_host.clear();
    else
      hold.way = sdp::direction::recvonly;
    to_carl_.tell(media_connect{hold});
    talk(50);
    EXPECT_EQ(carl_.heard.size(), mark);
    EXPECT_EQ(anna_.heard.size(), anna_mark + 50) << "only one side is on hold";
    to_carl_.tell(media_connect{agreed(carl_.address())});
    talk(10);
    ASSERT_EQ(carl_.heard.size(), mark + 10);
    EXPECT_TRUE(carl_.heard[mark].marker);
  }
  EXPECT_THAT(to_anna_.heard().parted, IsEmpty()) << "hold is no end of a join";
  expect_one_stream_each();
}

TEST_F(media_join_test, parted_each_plays_again_and_can_be_joined_again) {
  joined();
  talk(10);
  auto mark = carl_.heard.size();
  to_carl_.tell(media_part{});
  talk(20);
  EXPECT_THAT(to_carl_.heard().results, ElementsAre(outcome::done));
  EXPECT_THAT(to_carl_.heard().parted, ElementsAre(cause::asked));
  EXPECT_THAT(to_anna_.heard().parted, ElementsAre(cause::asked));
  EXPECT_THAT(tags(carl_, mark), IsEmpty());
  EXPECT_NEAR(static_cast<double>(carl_.heard.size() - mark), 21, 1);
  to_anna_.tell(media_part{});
  world_.pass(0ms);
  EXPECT_THAT(to_anna_.heard().results, ElementsAre(outcome::done, outcome::not_joined));
  mark = carl_.heard.size();
  const auto said = anna_.said.size();
  join(to_carl_, to_anna_); // by the other one this time
  talk(20);
  EXPECT_EQ(tags(carl_, mark), tags_said(anna_, said));
  join(to_anna_, to_carl_);
  EXPECT_EQ(to_anna_.heard().results.back(), outcome::done) << "they are joined already";
  EXPECT_EQ(to_anna_.heard().parted.size(), 1U);
  expect_one_stream_each();
}

TEST_F(media_join_test, whichever_ends_first_lets_the_other_go_on) {
  for (const bool by_exit : {false, true}) {
    stream_end guest{lane(), site_.context.media};
    rtp_peer dora{lane(), by_exit ? "10.1.0.5" : "10.1.0.4", 7};
    world_.pass(1ms);
    guest.tell(media_connect{agreed(dora.address())});
    world_.pass(0ms);
    const auto actors = lane().live_actors();
    const auto told = to_carl_.heard().parted.size();
    join(guest, to_carl_);
    ASSERT_THAT(guest.heard().results, ElementsAre(outcome::done));
    talk(10);
    if (by_exit)
      caf::anon_send_exit(guest.stream, caf::exit_reason::user_shutdown);
    else
      guest.tell(media_close{});
    world_.pass(0ms);
    guest.stream = nullptr;
    world_.pass(0ms);
    EXPECT_EQ(lane().live_actors(), actors - 1) << "nothing holds it";
    ASSERT_EQ(guest.heard().closed.size(), 1U) << "its owner must not wait for ever";
    EXPECT_EQ(guest.heard().closed.front().failure.has_value(), by_exit);
    EXPECT_TRUE(guest.heard().closed.front().outcome.connected);
    EXPECT_THAT(guest.heard().parted, IsEmpty());
    ASSERT_EQ(to_carl_.heard().parted.size(), told + 1);
    EXPECT_EQ(to_carl_.heard().parted.back(), cause::other_ended);
    const auto mark = carl_.heard.size();
    talk(20);
    EXPECT_NEAR(static_cast<double>(carl_.heard.size() - mark), 21, 1) << "it plays again";
  }
  expect_one_stream_each();
  joined();
}

TEST_F(media_join_test, streams_end_together_with_their_lane) {
  joined();
  talk(5);
  to_anna_.stream = nullptr; // nobody closes them
  to_carl_.stream = nullptr;
  world_.pass(100ms);
}

TEST_F(media_join_test, a_stream_that_is_joined_elsewhere_leaves_whom_it_had) {
  stream_end guest{lane(), site_.context.media};
  rtp_peer dora{lane(), "10.1.0.4", 7};
  world_.pass(1ms);
  guest.tell(media_connect{agreed(dora.address())});
  joined();
  talk(10);
  const auto mark = anna_.heard.size();
  const auto said = anna_.said.size();
  join(guest, to_anna_);
  talk(20);
  EXPECT_EQ(tags(dora, 0), tags_said(anna_, said));
  EXPECT_THAT(to_anna_.heard().parted, ElementsAre(cause::joined_elsewhere));
  EXPECT_THAT(to_carl_.heard().parted, ElementsAre(cause::joined_elsewhere));
  EXPECT_EQ(anna_.heard.size(), mark) << "dora says nothing, and carl is not to be heard";
  expect_one_stream(carl_);
  expect_one_stream(dora);
}

TEST_F(media_join_test, what_cannot_be_joined_is_refused_and_stays_as_it_is) {
  to_carl_.tell(media_connect{opus_of(carl_, 30)}); // Opus has no such packets
  join(to_anna_, to_carl_);
  EXPECT_EQ(to_anna_.heard().results.back(), outcome::other_codec);
  join(to_carl_, to_anna_);
  EXPECT_EQ(to_carl_.heard().results.back(), outcome::other_codec) << "whichever is asked";

  stream_end guest{lane(), site_.context.media};
  join(to_anna_, guest);
  EXPECT_EQ(to_anna_.heard().results.back(), outcome::not_connected);
  join(guest, to_anna_);
  EXPECT_EQ(guest.heard().results.back(), outcome::not_connected);
  close(guest);
  join(to_anna_, guest);
  EXPECT_EQ(to_anna_.heard().results.back(), outcome::no_stream) << "it has ended";
  join(to_anna_, to_anna_);
  EXPECT_EQ(to_anna_.heard().results.back(), outcome::no_stream);
  to_anna_.tell(media_join{nullptr});
  world_.pass(0ms);
  EXPECT_EQ(to_anna_.heard().results.back(), outcome::no_stream);

  {
    lane::sim_lane elsewhere{lane().system(), 3};
    media_plane plane{elsewhere, {lane::endpoint::parse("10.1.0.9", 0).value()}};
    stream_end there{elsewhere, plane};
    elsewhere.run_until(elsewhere.now());
    join(to_anna_, there);
    EXPECT_EQ(to_anna_.heard().results.back(), outcome::other_lane);
    there.tell(media_close{});
    elsewhere.run_until(elsewhere.now());
  }

  EXPECT_EQ(to_anna_.heard().results.size(), 6U) << "each is answered once";
  EXPECT_THAT(to_anna_.heard().parted, IsEmpty());
  const auto mark = anna_.heard.size();
  talk(20);
  EXPECT_NEAR(static_cast<double>(anna_.heard.size() - mark), 21, 1) << "the tone goes on";
  EXPECT_THAT(tags(anna_, 0), IsEmpty());
  expect_one_stream(anna_);
}

TEST_F(media_join_test, two_codecs_are_transcoded_both_ways) {
  to_carl_.tell(media_connect{pcma_of(carl_)});
  carl_type_ = 8;
  joined();
  const auto carl_heard = carl_.heard.size();
  const auto anna_heard = anna_.heard.size();
  const auto carl_said = carl_.said.size();
  const auto anna_said = anna_.said.size();
  talk(100);
  expect_passed(anna_, anna_said, carl_, carl_heard, in_a_law);
  expect_passed(carl_, carl_said, anna_, anna_heard, in_mu_law);
  for (size_t i = carl_heard; i < carl_.heard.size(); ++i)
    EXPECT_EQ(carl_.heard[i].payload_type, 8) << i;
  expect_one_stream_each();
  to_anna_.tell(media_part{});
  talk(20);
  EXPECT_THAT(to_carl_.heard().parted, ElementsAre(cause::asked));
  EXPECT_THAT(tags(carl_, carl_.heard.size() - 15), IsEmpty()) << "the tone again";
  expect_one_stream_each();
}

TEST_F(media_join_test, digits_between_two_codecs_are_as_long_as_they_were) {
  to_carl_.tell(media_connect{pcma_of(carl_)});
  carl_type_ = 8;
  joined();
  talk(20);
  const auto mark = carl_.heard.size();
  for (uint16_t units = 160; units <= 2240; units += 160) {
    anna_.sign(to_anna_.address(), 101, 16, units, false); // a hook flash, which is no digit
    world_.pass(20ms);
  }
  for (int i = 0; i < 3; ++i)
    anna_.sign(to_anna_.address(), 101, 16, 2400, true);
  world_.pass(20ms);
  anna_.be_silent(2400);
  const auto said = anna_.said.size();
  for (int i = 0; i < 100; ++i) {
    anna_.speak(to_anna_.address(), 0);
    world_.pass(20ms);
  }
  std::vector<const rtp_peer::packet*> events;
  for (size_t i = mark; i < carl_.heard.size(); ++i)
    if (carl_.heard[i].payload_type == 101)
      events.push_back(&carl_.heard[i]);
  ASSERT_GE(events.size(), 15U);
  EXPECT_TRUE(events.front()->marker);
  for (const auto* event : events) {
    EXPECT_EQ(event->tag(), 16U);
    EXPECT_EQ(event->timestamp, events.front()->timestamp) << "one event";
  }
  const auto& last = events.back()->payload;
  EXPECT_EQ(std::to_integer<unsigned>(last[2]) << 8U | std::to_integer<unsigned>(last[3]), 2400U);
  EXPECT_EQ(carl_.heard.back().tag(), in_a_law(anna_.said[anna_.said.size() - 5].tag()))
    << "what was said while the event was dialed is not said later: 30 ms of network, 50 of buffer";
  expect_passed(anna_, said + 40, carl_, mark, in_a_law);
}

TEST_F(media_join_test, a_re_offer_of_another_codec_is_followed_and_so_is_the_way_back) {
  joined();
  talk(10);
  to_carl_.tell(media_connect{pcma_of(carl_)});
  carl_type_ = 8;
  world_.pass(0ms);
  auto heard = carl_.heard.size();
  auto said = anna_.said.size();
  talk(50);
  expect_passed(anna_, said, carl_, heard, in_a_law);
  to_carl_.tell(media_connect{agreed(carl_.address())});
  carl_type_ = 0;
  world_.pass(20ms); // the last that was made arrives
  heard = carl_.heard.size();
  said = anna_.said.size();
  talk(20);
  ASSERT_EQ(tags(carl_, heard), tags_said(anna_, said));
  EXPECT_EQ(carl_.heard[heard].at - anna_.said[said].at, 2 * delay) << "as it comes";
  EXPECT_THAT(to_anna_.heard().parted, IsEmpty());
  expect_one_stream_each();
}

TEST_F(media_join_test, a_re_offer_that_nothing_can_be_made_for_parts_them) {
  joined();
  talk(10);
  to_carl_.tell(media_connect{opus_of(carl_, 30)});
  carl_type_ = 111;
  talk(20);
  EXPECT_THAT(to_anna_.heard().parted, ElementsAre(cause::other_codec));
  EXPECT_THAT(to_carl_.heard().parted, ElementsAre(cause::other_codec));
  expect_one_stream(anna_);
}

} // namespace
} // namespace jackfield

#include "engine/rtp/rtcp_session.hpp"

#include <array>
#include <string>

#include <gtest/gtest.h>

namespace jackfield::rtp {
namespace {

using namespace std::chrono_literals;

// One end of a call.
struct end {
  explicit end(uint32_t ssrc, duration clock_error = {})
      : out{{ssrc, 100, 1000, 0}}, rtcp{ssrc, "end",
                                        ntp_clock{time_point{},
                                                  wall + std::chrono::microseconds{
                                                           clock_error.count() / 1000}}} {}

  void send_media(end& to, time_point now, int packets) {
    std::array<std::byte, 200> buffer{};
    const std::array<std::byte, 160> payload{};
    for (int i = 0; i < packets; ++i) {
      const auto size = out.write(payload, 160, buffer);
      to.in.on_packet(*parse_packet(std::span{buffer}.first(size)), now + i * 20ms);
    }
  }

  void send_report(end& to, time_point sent, duration delay, bool last = false) {
    std::array<std::byte, rtcp_session::max_size> buffer{};
    const auto size = last ? rtcp.bye(out, in, out.next_timestamp(), sent, buffer)
                           : rtcp.report(out, in, out.next_timestamp(), sent, buffer);
    ASSERT_GT(size, 0u);
    to.rtcp.on_datagram(std::span{buffer}.first(size), sent + delay);
  }

  static constexpr std::chrono::system_clock::time_point wall{1'700'000'000s};
  sender out;
  receiver_statistics in;
  rtcp_session rtcp;
};

TEST(rtcp_session, measures_the_round_trip_whatever_the_peers_clock_says) {
  end a{1};
  end b{2, 12'345s};
  time_point now{10s};
  a.send_media(b, now, 50);
  b.send_media(a, now, 50);
  now += 1s;
  a.send_report(b, now, 30ms);
  EXPECT_FALSE(a.rtcp.round_trip());
  EXPECT_FALSE(b.rtcp.round_trip());
  b.send_report(a, now + 500ms, 50ms);
  ASSERT_TRUE(a.rtcp.round_trip());
  EXPECT_NEAR(static_cast<double>(a.rtcp.round_trip()->count()), 80e6, 5e4);
  a.send_report(b, now + 600ms, 10ms);
  ASSERT_TRUE(b.rtcp.round_trip());
  EXPECT_NEAR(static_cast<double>(b.rtcp.round_trip()->count()), 60e6, 5e4);
  // a's second report was an RR: what counts is still the way of its SR.
  b.send_report(a, now + 700ms, 200ms);
  EXPECT_NEAR(static_cast<double>(a.rtcp.round_trip()->count()), 230e6, 5e4);
  EXPECT_NEAR(static_cast<double>(a.rtcp.least_round_trip()->count()), 80e6, 5e4);
  EXPECT_EQ(a.rtcp.reports_received(), 2u);
  EXPECT_EQ(a.rtcp.reports_sent(), 2u);
}

TEST(rtcp_session, tells_the_peer_of_its_losses) {
  end a{1};
  end b{2};
  const time_point now{10s};
  a.send_media(b, now, 50);
  for (int i = 0; i < 10; ++i) { // ten that b never gets
    std::array<std::byte, 200> buffer{};
    static_cast<void>(a.out.write(std::array<std::byte, 160>{}, 160, buffer));
  }
  a.send_media(b, now + 2s, 40);
  b.send_report(a, now + 3s, 1ms);
  ASSERT_TRUE(a.rtcp.remote_report());
  EXPECT_EQ(a.rtcp.remote_report()->ssrc, 1u);
  EXPECT_EQ(a.rtcp.remote_report()->cumulative_lost, 10);
  EXPECT_EQ(a.rtcp.remote_report()->fraction_lost, 25);
  EXPECT_FALSE(b.rtcp.remote_report());
}

TEST(rtcp_session, sends_a_receiver_report_when_it_sent_no_media) {
  end a{1};
  std::array<std::byte, rtcp_session::max_size> buffer{};
  ASSERT_GT(a.rtcp.report(a.out, a.in, 0, time_point{1s}, buffer), 0u);
  EXPECT_EQ(buffer[1], std::byte{201});
  end b{2};
  a.send_media(b, time_point{1s}, 3);
  ASSERT_GT(a.rtcp.report(a.out, a.in, 0, time_point{2s}, buffer), 0u);
  EXPECT_EQ(buffer[1], std::byte{200});
  ASSERT_GT(a.rtcp.report(a.out, a.in, 0, time_point{3s}, buffer), 0u);
  EXPECT_EQ(buffer[1], std::byte{201});
}

TEST(rtcp_session, hears_the_peer_leave) {
  end a{1};
  end b{2};
  a.send_media(b, time_point{1s}, 10);
  a.send_report(b, time_point{2s}, 1ms);
  EXPECT_FALSE(b.rtcp.peer_left());
  a.send_report(b, time_point{3s}, 1ms, true);
  EXPECT_TRUE(b.rtcp.peer_left());
}

TEST(rtcp_session, carries_voip_metrics) {
  end a{1};
  end b{2};
  voip_metrics m;
  m.ssrc = 2;
  m.mos_lq = 44;
  std::array<std::byte, rtcp_session::max_size> buffer{};
  const auto size = a.rtcp.report(a.out, a.in, 0, time_point{1s}, buffer, &m);
  b.rtcp.on_datagram(std::span{buffer}.first(size), time_point{1s});
  ASSERT_TRUE(b.rtcp.remote_metrics());
  EXPECT_EQ(*b.rtcp.remote_metrics(), m);
}

TEST(rtcp_session, counts_and_ignores_what_is_malformed_or_not_for_it) {
  end a{1};
  const std::string garbage(40, '\x80');
  a.rtcp.on_datagram(std::as_bytes(std::span{garbage}), time_point{1s});
  EXPECT_EQ(a.rtcp.malformed(), 1u);
  // A report about somebody else's stream, and a BYE of a source that never reported.
  std::array<std::byte, 256> buffer{};
  rtcp_builder to{buffer};
  report_block other;
  other.ssrc = 99;
  other.lsr = 1;
  ASSERT_TRUE(to.receiver_report(5, std::array{other}));
  ASSERT_TRUE(to.bye(6));
  a.rtcp.on_datagram(std::span{buffer}.first(to.size()), time_point{1s});
  EXPECT_FALSE(a.rtcp.remote_report());
  EXPECT_FALSE(a.rtcp.round_trip());
  EXPECT_FALSE(a.rtcp.peer_left());
  EXPECT_EQ(a.rtcp.reports_received(), 1u);
}

TEST(rtcp_session, writes_nothing_into_too_small_a_buffer) {
  end a{1};
  std::array<std::byte, 12> small{};
  EXPECT_EQ(a.rtcp.report(a.out, a.in, 0, time_point{1s}, small), 0u);
  EXPECT_EQ(a.rtcp.bye(a.out, a.in, 0, time_point{1s}, small), 0u);
  EXPECT_EQ(a.rtcp.reports_sent(), 0u);
}

TEST(rtcp_session, says_how_long_ago_a_report_came_even_after_fifty_days) {
  end a{1};
  end b{2};
  const time_point now{1s};
  a.send_media(b, now, 10);
  a.send_report(b, now + 1s, 1ms);
  b.send_report(a, now + 1200h, 1ms);
  // DLSR holds 18 hours: the round trip is unknown, not wrong.
  EXPECT_FALSE(a.rtcp.round_trip());
}

} // namespace
} // namespace jackfield::rtp

#include "engine/rtp/relay_map.hpp"

#include <gtest/gtest.h>

namespace jackfield::rtp {
namespace {

using namespace std::chrono_literals;

constexpr time_point start{10s};

/// A source of 20 ms frames, mapped after number 999 and timestamp 49840.
struct relay {
  relay() { map.begin(50'000, start, 8000, 160); }

  std::optional<relay_map::place> packet(uint16_t n, bool marker = false) {
    const auto out =
      map.map({8, marker, n, n * 160U, 7}, relay_map::content::audio, start + n * 20ms, next);
    if (out && static_cast<int16_t>(out->sequence - next) >= 0)
      next = static_cast<uint16_t>(out->sequence + 1);
    return out;
  }

  relay_map map;
  uint16_t next = 1000;
};

TEST(relay_map, begins_where_the_own_stream_is) {
  relay r;
  const auto first = r.packet(50);
  ASSERT_TRUE(first);
  EXPECT_EQ(first->sequence, 1000);
  EXPECT_EQ(first->timestamp, 58'000u) << "a second later";
  EXPECT_TRUE(first->marker);
  EXPECT_FALSE(r.packet(51)->marker);
  EXPECT_EQ(r.map.timestamp_at(start + 51 * 20ms + 10ms), 58'240u);
  EXPECT_EQ(r.map.free_timestamp_at(start + 51 * 20ms + 10ms), 58'320u);
  EXPECT_EQ(r.map.free_timestamp_at(start + 60 * 20ms), 59'600u);
}

TEST(relay_map, keeps_gaps_and_fills_them) {
  relay r;
  r.packet(0);
  EXPECT_EQ(r.packet(5)->sequence, 1005);
  EXPECT_EQ(r.packet(3)->sequence, 1003);
  EXPECT_EQ(r.packet(3)->timestamp, 50'480u);
  EXPECT_EQ(r.packet(6)->sequence, 1006);
}

TEST(relay_map, has_no_place_for_what_its_numbers_were_given_away_for) {
  relay r;
  r.packet(10);
  EXPECT_FALSE(r.packet(10)) << "the last one again";
  EXPECT_FALSE(r.packet(9)) << "from before the first";
  r.packet(12);
  r.map.inserted(); // 1003
  ++r.next;
  EXPECT_FALSE(r.packet(11)) << "its place is behind the inserted one, its offset is not";
  EXPECT_EQ(r.packet(13)->sequence, 1004);
  EXPECT_EQ(r.packet(15)->sequence, 1006);
  EXPECT_EQ(r.packet(14)->sequence, 1005);
}

TEST(relay_map, keeps_the_place_of_what_comes_a_hundred_packets_late) {
  relay r;
  for (uint16_t n = 0; n <= 150; ++n)
    if (n != 50)
      r.packet(n);
  const auto late = r.packet(50);
  ASSERT_TRUE(late);
  EXPECT_EQ(late->sequence, 1050);
}

TEST(relay_map, closes_up_over_what_is_not_sent_on) {
  relay r;
  r.map.skip({13, false, 9, 9 * 160, 7}, false); // before there is a source
  r.packet(10);
  r.map.skip({13, false, 11, 11 * 160, 7}, false);
  EXPECT_EQ(r.packet(12)->sequence, 1001);
  r.map.skip({13, false, 14, 14 * 160, 7}, true); // 13 was lost
  const auto next = r.packet(15);
  EXPECT_EQ(next->sequence, 1003);
  EXPECT_TRUE(next->marker);
  r.map.skip({13, false, 12, 12 * 160, 7}, false); // one that came late has no number to close
  r.map.skip({13, false, 99, 12 * 160, 8}, false); // nor has a stranger's
  EXPECT_EQ(r.packet(16)->sequence, 1004);
}

TEST(relay_map, holds_over_wraps) {
  relay r;
  r.next = 65'530;
  r.packet(65'530);
  for (int n = 65'531; n < 65'550; ++n) {
    const auto p =
      r.map.map({8, false, static_cast<uint16_t>(n), static_cast<uint32_t>(n) * 160, 7},
                relay_map::content::audio, start + n * 20ms, 0);
    ASSERT_TRUE(p);
    EXPECT_EQ(p->sequence, static_cast<uint16_t>(n));
    EXPECT_EQ(p->timestamp, 50'000U + static_cast<uint32_t>(n) * 160);
  }
}

} // namespace
} // namespace jackfield::rtp

#include "engine/rtp/sender.hpp"

#include <array>
#include <vector>

#include <gtest/gtest.h>

namespace jackfield::rtp {
namespace {

using namespace std::chrono_literals;

const std::array<std::byte, 160> frame{std::byte{0xd5}};

packet sent(sender& s, std::span<std::byte> buffer) {
  const auto size = s.write(frame, 160, buffer);
  EXPECT_EQ(size, header_size + frame.size());
  const auto parsed = parse_packet(buffer.first(size));
  EXPECT_TRUE(parsed);
  return parsed.value_or(packet{});
}

TEST(rtp_sender, counts_on_across_wraps_and_marks_the_talkspurt) {
  std::array<std::byte, 200> buffer{};
  sender s{{0xabcdef01, 65534, 0xffffff60, 8}};
  auto p = sent(s, buffer);
  EXPECT_TRUE(p.marker);
  EXPECT_EQ(p.payload_type, 8);
  EXPECT_EQ(p.ssrc, 0xabcdef01u);
  EXPECT_EQ(p.sequence, 65534);
  EXPECT_EQ(p.timestamp, 0xffffff60u);
  EXPECT_EQ(p.payload.size(), 160u);
  EXPECT_EQ(p.payload[0], std::byte{0xd5});
  p = sent(s, buffer);
  EXPECT_FALSE(p.marker);
  EXPECT_EQ(p.sequence, 65535);
  EXPECT_EQ(p.timestamp, 0u);
  p = sent(s, buffer);
  EXPECT_EQ(p.sequence, 0);
  EXPECT_EQ(p.timestamp, 160u);
  EXPECT_EQ(s.packets(), 3u);
  EXPECT_EQ(s.octets(), 480u);
}

TEST(rtp_sender, marks_the_first_packet_after_a_pause) {
  std::array<std::byte, 200> buffer{};
  sender s{{1, 0, 0, 0}};
  static_cast<void>(sent(s, buffer));
  s.pause(160);
  s.pause(160);
  const auto p = sent(s, buffer);
  EXPECT_TRUE(p.marker);
  EXPECT_EQ(p.sequence, 1);
  EXPECT_EQ(p.timestamp, 480u);
  EXPECT_FALSE(sent(s, buffer).marker);
}

TEST(rtp_sender, shares_its_sequence_with_events_but_not_its_time) {
  std::array<std::byte, 200> buffer{};
  sender s{{1, 10, 1000, 0}};
  static_cast<void>(sent(s, buffer));
  const std::array<std::byte, 4> event{};
  const auto size = s.write_event(101, true, 1160, event, buffer);
  const auto p = parse_packet(std::span{buffer}.first(size));
  ASSERT_TRUE(p);
  EXPECT_EQ(p->payload_type, 101);
  EXPECT_TRUE(p->marker);
  EXPECT_EQ(p->sequence, 11);
  EXPECT_EQ(p->timestamp, 1160u);
  EXPECT_EQ(s.next_timestamp(), 1160u);
  s.pause(160);
  EXPECT_EQ(s.next_timestamp(), 1320u);
  EXPECT_EQ(s.next_sequence(), 12);
}

TEST(rtp_sender, changes_nothing_when_the_buffer_is_too_small) {
  std::vector<std::byte> small(header_size + frame.size() - 1);
  sender s{{1, 10, 1000, 0}};
  EXPECT_EQ(s.write(frame, 160, small), 0u);
  EXPECT_EQ(s.write(frame, 160, std::span{small}.first(3)), 0u);
  EXPECT_EQ(s.write_event(101, true, 0, frame, small), 0u);
  EXPECT_EQ(s.packets(), 0u);
  EXPECT_EQ(s.next_sequence(), 10);
  EXPECT_EQ(s.next_timestamp(), 1000u);
}

TEST(rtp_sender, goes_on_from_the_highest_number_that_was_forwarded) {
  std::array<std::byte, 200> buffer{};
  sender s{{7, 65534, 1000, 0}};
  static_cast<void>(sent(s, buffer));
  const auto forwarded = [&](uint16_t sequence) {
    const auto size = s.forward(97, sequence == 2, sequence, 5000, frame, buffer);
    return *parse_packet(std::span{buffer}.first(size));
  };
  const auto p = forwarded(2); // 65535, 0 and 1 are left out
  EXPECT_EQ(p.payload_type, 97);
  EXPECT_TRUE(p.marker);
  EXPECT_EQ(p.sequence, 2);
  EXPECT_EQ(p.timestamp, 5000u);
  EXPECT_EQ(p.ssrc, 7u);
  EXPECT_EQ(s.gaps(), 3u);
  EXPECT_EQ(forwarded(0).sequence, 0); // it was overtaken
  EXPECT_EQ(s.gaps(), 2u);
  EXPECT_EQ(s.next_sequence(), 3);
  EXPECT_EQ(s.packets(), 3u);
  EXPECT_EQ(s.forward(97, false, 9, 0, frame, std::span{buffer}.first(50)), 0u);
  EXPECT_EQ(s.next_sequence(), 3);
  s.move_to(7000);
  const auto next = sent(s, buffer);
  EXPECT_TRUE(next.marker);
  EXPECT_EQ(next.sequence, 3);
  EXPECT_EQ(next.timestamp, 7000u);
}

TEST(rtp_sender, gives_lateness_to_the_callers_histogram) {
  sender s{{}};
  const time_point due{1s};
  std::vector<duration> recorded;
  const auto record = [&](duration d) { recorded.push_back(d); };
  s.note_sent(due, due + 3ms, record);
  s.note_sent(due, due - 1ms, record);
  s.note_sent(due, due + 1ms, record);
  EXPECT_EQ(recorded, (std::vector<duration>{3ms, 0ms, 1ms}));
  EXPECT_EQ(s.worst_lateness(), 3ms);
}

} // namespace
} // namespace jackfield::rtp

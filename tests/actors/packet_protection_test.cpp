#include "actors/media/packet_protection.hpp"

#include <array>
#include <vector>

#include <gtest/gtest.h>

#include "actors/media/media_plane.hpp"

namespace jackfield {
namespace {

using bytes = std::vector<std::byte>;

bytes rtp_packet(uint16_t sequence, size_t payload = 160) {
  bytes packet(12 + payload);
  packet[0] = std::byte{0x80};
  packet[2] = static_cast<std::byte>(sequence >> 8U);
  packet[3] = static_cast<std::byte>(sequence);
  packet[11] = std::byte{7}; // SSRC
  return packet;
}

srtp::master_key key_of(srtp::profile used_by, unsigned char fill) {
  std::array<std::byte, srtp::master_key::most_bytes> secret;
  secret.fill(std::byte{fill});
  return srtp::master_key::from(used_by,
                                std::span{secret}.first(srtp::master_key::size_for(used_by)))
    .value();
}

class packet_protection_test : public testing::TestWithParam<srtp::profile> {
protected:
  packet_protection_test() { EXPECT_TRUE(peer_.use(theirs_, ours_)); }

  /// What the peer sends under that number.
  bytes sent(uint16_t sequence, size_t payload = 160) {
    alignas(8) std::array<std::byte, 4'096> room;
    const auto made = peer_.protect(rtp_packet(sequence, payload), false, room);
    return {made.begin(), made.end()};
  }
  static bool opens(packet_protection& at, bytes packet) { return !at.open(packet).empty(); }

  srtp::master_key ours_ = key_of(GetParam(), 1);
  srtp::master_key theirs_ = key_of(GetParam(), 2);
  packet_protection peer_;
};

TEST_P(packet_protection_test, hears_a_peer_whose_numbers_have_wrapped_before) {
  for (uint32_t wraps = 0; wraps <= 3; ++wraps) {
    packet_protection late;
    ASSERT_TRUE(late.use(ours_, theirs_));
    EXPECT_TRUE(opens(late, sent(100))) << wraps;
    EXPECT_TRUE(opens(late, sent(101))) << wraps;
    path_counters counted;
    late.count(counted);
    EXPECT_EQ(counted, path_counters{}) << wraps;
    for (const uint16_t sequence : {30'000, 60'000, 65'535}) // so it wraps
      (void)sent(sequence);
  }
}

/// The first one as well as those behind it.
TEST_P(packet_protection_test, hears_packets_of_any_size_that_a_path_takes) {
  uint16_t number = 1;
  const auto overhead = sent(number).size() - 160;
  for (const size_t size : {size_t{172}, media_plane::most_packet - 1, media_plane::most_packet}) {
    packet_protection late;
    ASSERT_TRUE(late.use(ours_, theirs_));
    for (int i = 0; i < 2; ++i) {
      const auto packet = sent(++number, size - overhead);
      ASSERT_EQ(packet.size(), size);
      EXPECT_TRUE(opens(late, packet)) << size;
    }
  }
  packet_protection late;
  ASSERT_TRUE(late.use(ours_, theirs_));
  EXPECT_FALSE(opens(late, sent(++number, media_plane::most_packet + 1 - overhead)));
}

TEST_P(packet_protection_test, what_is_forged_stays_so_and_is_not_tried_for_ever) {
  packet_protection late;
  ASSERT_TRUE(late.use(ours_, theirs_));
  for (uint16_t i = 0; i < 100; ++i) {
    auto forged = sent(static_cast<uint16_t>(100 + i));
    forged[20] ^= std::byte{1};
    EXPECT_FALSE(opens(late, forged));
  }
  path_counters counted;
  late.count(counted);
  EXPECT_EQ(counted.forged, 100U);
  EXPECT_TRUE(opens(late, sent(300))) << "one that has not wrapped is heard all the same";
}

TEST_P(packet_protection_test, after_new_keys_it_is_late_again) {
  for (const uint16_t sequence : {100, 30'000, 60'000, 65'535, 10})
    (void)sent(sequence);
  packet_protection late;
  ASSERT_TRUE(late.use(ours_, key_of(GetParam(), 3)));
  EXPECT_FALSE(opens(late, sent(11)));
  ASSERT_TRUE(late.use(ours_, theirs_));
  EXPECT_TRUE(opens(late, sent(12)));
}

INSTANTIATE_TEST_SUITE_P(every_profile, packet_protection_test, testing::ValuesIn(srtp::profiles));

} // namespace
} // namespace jackfield

#include <algorithm>
#include <random>
#include <string>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "engine/srtp/receiver.hpp"
#include "engine/srtp/sender.hpp"
#include "tests/srtp/reference.hpp"

namespace jackfield::srtp {
namespace {

using namespace testing;
using reference::bytes;
using verdict = receiver::verdict;

constexpr uint32_t ssrc = 0xcafe'babe;

master_key key_for(profile p, uint8_t first = 1) {
  bytes made(master_key::size_for(p));
  for (size_t i = 0; i < made.size(); ++i)
    made[i] = static_cast<std::byte>(first + 7 * i);
  return *master_key::from(p, made);
}

bytes rtp_packet(uint16_t sequence, size_t payload = 160, uint32_t source = ssrc) {
  bytes made = reference::from_hex("8000000000000000");
  made[2] = static_cast<std::byte>(sequence >> 8U);
  made[3] = static_cast<std::byte>(sequence);
  for (int shift = 24; shift >= 0; shift -= 8)
    made.push_back(static_cast<std::byte>(source >> static_cast<unsigned>(shift)));
  for (size_t i = 0; i < payload; ++i)
    made.push_back(static_cast<std::byte>(i + sequence));
  return made;
}

bytes rtcp_packet() {
  return reference::from_hex(
    "81c8000bcafebabeababababababababababababababababababababababababababab"
    "ababababababababab01020304");
}

bytes protected_rtp(sender& by, const bytes& packet) {
  auto made = packet;
  made.resize(packet.size() + sender::most_growth);
  made.resize(by.protect_rtp(made, packet.size()));
  return made;
}

bytes protected_rtcp(sender& by, const bytes& packet) {
  auto made = packet;
  made.resize(packet.size() + sender::most_growth);
  made.resize(by.protect_rtcp(made, packet.size()));
  return made;
}

class every_profile : public TestWithParam<profile> {
protected:
  sender sender_ = *sender::make(key_for(GetParam()), ssrc);
  receiver receiver_ = *receiver::make(key_for(GetParam()));
};

TEST_P(every_profile, protects_as_the_rfcs_have_it) {
  const auto key = key_for(GetParam());
  const auto rtp_keys = reference::session_keys_of(GetParam(), key.bytes(), false);
  const auto rtcp_keys = reference::session_keys_of(GetParam(), key.bytes(), true);
  // Over two wraps of the sequence number.
  uint32_t rollovers = 0;
  uint16_t sequence = 60'000;
  for (int i = 0; i < 4'000; ++i) {
    const auto packet = rtp_packet(sequence, static_cast<size_t>(i % 200));
    EXPECT_EQ(protected_rtp(sender_, packet),
              reference::protect_rtp(GetParam(), rtp_keys, packet, rollovers));
    const auto next = static_cast<uint16_t>(sequence + 37);
    rollovers += next < sequence ? 1 : 0;
    sequence = next;
  }
  EXPECT_EQ(rollovers, 3U);
  EXPECT_EQ(sender_.rollovers(), rollovers);
  for (uint32_t index = 1; index < 5; ++index)
    EXPECT_EQ(protected_rtcp(sender_, rtcp_packet()),
              reference::protect_rtcp(GetParam(), rtcp_keys, rtcp_packet(), index));
}

TEST_P(every_profile, opens_what_was_protected) {
  const auto packet = rtp_packet(1);
  auto sent = protected_rtp(sender_, packet);
  ASSERT_GT(sent.size(), packet.size());
  const auto got = receiver_.open_rtp(sent);
  ASSERT_EQ(got.is, verdict::accepted);
  sent.resize(got.size);
  EXPECT_EQ(sent, packet);

  auto report = protected_rtcp(sender_, rtcp_packet());
  const auto opened = receiver_.open_rtcp(report);
  ASSERT_EQ(opened.is, verdict::accepted);
  report.resize(opened.size);
  EXPECT_EQ(report, rtcp_packet());
  EXPECT_EQ(receiver_.counted().accepted, 2U);
}

// SEC-22: what is replayed or forged is counted, and harms nothing.
TEST_P(every_profile, sec_22_replays_and_forgeries_are_counted_and_do_no_harm) {
  std::minstd_rand random{7};
  const auto first = protected_rtp(sender_, rtp_packet(1));
  auto copy = first;
  ASSERT_EQ(receiver_.open_rtp(copy).is, verdict::accepted);
  for (int i = 0; i < 10'000; ++i) {
    copy = first;
    EXPECT_EQ(receiver_.open_rtp(copy).is, verdict::replayed);
    auto forged = protected_rtp(sender_, rtp_packet(static_cast<uint16_t>(i + 2)));
    forged[12 + random() % (forged.size() - 12)] ^= static_cast<std::byte>(1U << random() % 8);
    EXPECT_EQ(receiver_.open_rtp(forged).is, verdict::forged);
  }
  EXPECT_EQ(receiver_.counted().replayed, 10'000U);
  EXPECT_EQ(receiver_.counted().forged, 10'000U);
  auto good = protected_rtp(sender_, rtp_packet(10'100));
  EXPECT_EQ(receiver_.open_rtp(good).is, verdict::accepted);
}

TEST_P(every_profile, replayed_reports_are_told_from_new_ones) {
  const auto first = protected_rtcp(sender_, rtcp_packet());
  auto copy = first;
  EXPECT_EQ(receiver_.open_rtcp(copy).is, verdict::accepted);
  copy = first;
  EXPECT_EQ(receiver_.open_rtcp(copy).is, verdict::replayed);
  auto forged = protected_rtcp(sender_, rtcp_packet());
  forged[10] ^= std::byte{1};
  EXPECT_EQ(receiver_.open_rtcp(forged).is, verdict::forged);
}

TEST_P(every_profile, the_window_takes_what_is_late_and_leaves_out_what_is_very_late) {
  std::vector<bytes> sent;
  for (uint16_t i = 0; i < 3'000; ++i)
    sent.push_back(protected_rtp(sender_, rtp_packet(i)));
  EXPECT_EQ(receiver_.open_rtp(sent[2'900]).is, verdict::accepted);
  EXPECT_EQ(receiver_.open_rtp(sent[2'000]).is, verdict::accepted); // 900 late
  EXPECT_EQ(receiver_.open_rtp(sent[100]).is, verdict::replayed);   // 2,800 late
  EXPECT_EQ(receiver_.open_rtp(sent[2'999]).is, verdict::accepted);
}

TEST_P(every_profile, loss_around_a_wrap_does_not_lose_the_count) {
  std::vector<bytes> sent;
  for (const uint16_t sequence : {65'500, 65'534, 65'535, 3, 40})
    sent.push_back(protected_rtp(sender_, rtp_packet(sequence)));
  for (const size_t i : {0, 1, 3, 2, 4}) // one from before the wrap comes after it
    EXPECT_EQ(receiver_.open_rtp(sent[i]).is, verdict::accepted) << i;
  EXPECT_EQ(receiver_.rollovers(ssrc), 1U);
}

TEST_P(every_profile, goes_on_after_a_restart_by_the_count_of_wraps) {
  auto again = *sender::make(key_for(GetParam()), ssrc);
  again.set_rollovers(5);
  auto sent = protected_rtp(again, rtp_packet(40'000));
  auto copy = sent;
  EXPECT_EQ(receiver_.open_rtp(copy).is, verdict::forged) << "another index is another packet";
  auto resumed = *receiver::make(key_for(GetParam()));
  ASSERT_TRUE(resumed.resume(key_for(GetParam()), ssrc, 5));
  EXPECT_EQ(resumed.open_rtp(sent).is, verdict::accepted);
  EXPECT_EQ(resumed.rollovers(ssrc), 5U);
}

TEST_P(every_profile, nothing_is_sent_twice_under_one_number) {
  EXPECT_FALSE(protected_rtp(sender_, rtp_packet(9)).empty());
  EXPECT_TRUE(protected_rtp(sender_, rtp_packet(9)).empty());
}

TEST_P(every_profile, a_peer_that_changes_its_source_without_end_does_not_grow_us) {
  for (uint32_t source = 1; source <= 2'000; ++source) {
    auto other = *sender::make(key_for(GetParam()), source);
    auto sent = protected_rtp(other, rtp_packet(1, 20, source));
    ASSERT_EQ(receiver_.open_rtp(sent).is, verdict::accepted) << source;
  }
  // The one heard last is still known.
  auto other = *sender::make(key_for(GetParam()), 2'000);
  auto sent = protected_rtp(other, rtp_packet(1, 20, 2'000));
  EXPECT_EQ(receiver_.open_rtp(sent).is, verdict::replayed);
}

TEST_P(every_profile, short_and_odd_packets_are_malformed_or_forged) {
  const auto good = protected_rtp(sender_, rtp_packet(1));
  for (size_t size = 0; size < good.size(); ++size) {
    auto cut = bytes(good.begin(), good.begin() + static_cast<std::ptrdiff_t>(size));
    EXPECT_NE(receiver_.open_rtp(cut).is, verdict::accepted) << size;
    cut = bytes(good.begin(), good.begin() + static_cast<std::ptrdiff_t>(size));
    EXPECT_NE(receiver_.open_rtcp(cut).is, verdict::accepted) << size;
  }
  EXPECT_EQ(receiver_.counted().accepted, 0U);
}

TEST_P(every_profile, a_packet_without_room_to_grow_is_not_sent) {
  auto packet = rtp_packet(1);
  EXPECT_EQ(sender_.protect_rtp(packet, packet.size()), 0U);
  EXPECT_EQ(sender_.protect_rtp(packet, 0), 0U);
}

TEST_P(every_profile, keys_are_read_as_they_are_written) {
  const auto key = key_for(GetParam());
  const auto text = key.base64();
  EXPECT_EQ(*master_key::parse(GetParam(), text), key);
  EXPECT_EQ(*master_key::parse(GetParam(), text.substr(0, text.find('='))), key);
  for (const auto& bad :
       {std::string{}, text.substr(0, text.size() - 4), text + "AAAA", ' ' + text.substr(1),
        '=' + text.substr(1), '*' + text.substr(1), std::string(100'000, 'A')}) {
    const auto made = master_key::parse(GetParam(), bad);
    ASSERT_FALSE(made) << bad.size();
    EXPECT_EQ(made.error().place, "srtp key");
    EXPECT_THAT(made.error().cause, Not(HasSubstr(text.substr(1, 8)))) << "a key in an error";
  }
  EXPECT_EQ(profile_of(suite_of(GetParam())), GetParam());
  EXPECT_EQ(profile_of(static_cast<uint16_t>(GetParam())), GetParam());
}

INSTANTIATE_TEST_SUITE_P(srtp, every_profile, ValuesIn(profiles),
                         [](const auto& of) { return std::string{suite_of(of.param)}; });

TEST(srtp_profile, names_and_numbers_that_are_none_of_ours_are_nothing) {
  EXPECT_EQ(profile_of("NULL_HMAC_SHA1_80"), std::nullopt);
  EXPECT_EQ(profile_of("aes_cm_128_hmac_sha1_80"), std::nullopt);
  EXPECT_EQ(profile_of(uint16_t{5}), std::nullopt);
}

} // namespace
} // namespace jackfield::srtp

#include "engine/rtp/rtcp.hpp"

#include <array>
#include <random>
#include <string>
#include <vector>

#include <gtest/gtest.h>

#include "tests/guarded_bytes.hpp"

namespace jackfield::rtp {
namespace {

using namespace std::chrono_literals;

// Writes down what it hears.
class listener final : public rtcp_visitor {
public:
  void on_sender_report(uint32_t ssrc, const sender_info& info) override {
    log.push_back("sr " + std::to_string(ssrc));
    infos.push_back(info);
  }
  void on_receiver_report(uint32_t ssrc) override { log.push_back("rr " + std::to_string(ssrc)); }
  void on_report_block(uint32_t reporter, const report_block& block) override {
    log.push_back("block by " + std::to_string(reporter));
    blocks.push_back(block);
  }
  void on_cname(uint32_t ssrc, std::string_view cname) override {
    log.push_back("cname " + std::to_string(ssrc) + " " + std::string(cname));
  }
  void on_bye(uint32_t ssrc, std::string_view reason) override {
    log.push_back("bye " + std::to_string(ssrc) + " " + std::string(reason));
  }
  void on_voip_metrics(uint32_t reporter, const voip_metrics& m) override {
    log.push_back("voip by " + std::to_string(reporter));
    metrics.push_back(m);
  }
  void on_unknown(uint8_t type) override { log.push_back("unknown " + std::to_string(type)); }

  std::vector<std::string> log;
  std::vector<sender_info> infos;
  std::vector<report_block> blocks;
  std::vector<voip_metrics> metrics;
};

const report_block block_a{7, 25, -3, 0x0001fff0, 99, 0x12345678, 0x9abc};
const report_block block_b{8, 255, 0x7fffff, 0xffffffff, 0xffffffff, 0xffffffff, 0xffffffff};
const sender_info info{ntp_timestamp{0x0123456789abcdef}, 5000, 11, 22};

voip_metrics some_metrics() {
  voip_metrics m;
  m.ssrc = 7;
  m.loss_rate = 1;
  m.discard_rate = 2;
  m.burst_density = 3;
  m.gap_density = 4;
  m.burst_duration = 0x0506;
  m.gap_duration = 0x0708;
  m.round_trip_delay = 0x090a;
  m.end_system_delay = 0x0b0c;
  m.signal_level = 0xf0;
  m.noise_level = 0xc0;
  m.rerl = 55;
  m.r_factor = 93;
  m.mos_lq = 44;
  m.mos_cq = 43;
  m.rx_config = 0x80;
  m.jb_nominal = 60;
  m.jb_maximum = 61;
  m.jb_abs_max = 62;
  return m;
}

std::string everything() {
  std::array<std::byte, 512> buffer{};
  rtcp_builder to{buffer};
  EXPECT_TRUE(to.sender_report(1, info, std::array{block_a, block_b}));
  EXPECT_TRUE(to.cname(1, "jackfield"));
  EXPECT_TRUE(to.voip(1, some_metrics()));
  EXPECT_TRUE(to.bye(1, "done"));
  return {reinterpret_cast<const char*>(buffer.data()), to.size()};
}

std::span<const std::byte> as_bytes(const std::string& s) {
  return std::as_bytes(std::span{s});
}

std::string unhex(std::string_view hex) {
  std::string out;
  for (size_t i = 0; i + 1 < hex.size(); i += 2)
    out += static_cast<char>(std::stoi(std::string(hex.substr(i, 2)), nullptr, 16));
  return out;
}

rtcp_fault fault_of(std::string_view hex) {
  const auto datagram = unhex(hex);
  const tests::guarded_bytes guarded{datagram};
  listener ear;
  const auto good = parse_rtcp(guarded.bytes(), ear);
  EXPECT_FALSE(good) << hex;
  EXPECT_TRUE(ear.log.empty()) << "a malformed compound had an effect: " << hex;
  return good ? rtcp_fault{} : good.error();
}

TEST(rtcp, reads_what_it_built) {
  listener ear;
  const auto datagram = everything();
  EXPECT_EQ(datagram.size() % 4, 0u);
  ASSERT_TRUE(parse_rtcp(as_bytes(datagram), ear));
  EXPECT_EQ(ear.log, (std::vector<std::string>{"sr 1", "block by 1", "block by 1",
                                               "cname 1 jackfield", "voip by 1", "bye 1 done"}));
  EXPECT_EQ(ear.infos.at(0), info);
  EXPECT_EQ(ear.blocks, (std::vector{block_a, block_b}));
  EXPECT_EQ(ear.metrics.at(0), some_metrics());
}

TEST(rtcp, writes_the_wire_format_of_the_rfc) {
  std::array<std::byte, 64> buffer{};
  rtcp_builder to{buffer};
  ASSERT_TRUE(to.receiver_report(0x01020304, std::array{block_a}));
  ASSERT_TRUE(to.cname(0x01020304, "ab"));
  ASSERT_TRUE(to.bye(0x01020304));
  const auto want = unhex("81c9000701020304"
                          "0000000719fffffd0001fff0000000631234567800009abc"
                          "81ca000301020304010261620000000081cb000101020304");
  // "ab": item of four bytes, then a word of zeros.
  EXPECT_EQ(std::string(reinterpret_cast<const char*>(buffer.data()), to.size()), want);
}

TEST(rtcp, pads_cnames_of_every_length) {
  for (size_t n = 0; n <= 255; ++n) {
    std::array<std::byte, 512> buffer{};
    rtcp_builder to{buffer};
    ASSERT_TRUE(to.receiver_report(1, {}));
    ASSERT_TRUE(to.cname(1, std::string(n, 'x')));
    listener ear;
    ASSERT_TRUE(parse_rtcp(std::span{buffer}.first(to.size()), ear)) << n;
    EXPECT_EQ(ear.log.at(1), "cname 1 " + std::string(n, 'x'));
  }
}

TEST(rtcp, builder_refuses_what_does_not_fit) {
  std::array<std::byte, 8> small{};
  rtcp_builder tight{small};
  EXPECT_FALSE(tight.cname(1, "x")); // a compound begins with a report
  EXPECT_FALSE(tight.bye(1));
  EXPECT_FALSE(tight.sender_report(1, info, {}));
  EXPECT_FALSE(tight.receiver_report(1, std::array{block_a}));
  EXPECT_TRUE(tight.receiver_report(1, {}));
  EXPECT_FALSE(tight.bye(1));
  EXPECT_EQ(tight.size(), 8u);
  std::array<std::byte, 2048> large{};
  rtcp_builder to{large};
  EXPECT_FALSE(to.receiver_report(1, std::vector<report_block>(32)));
  EXPECT_TRUE(to.receiver_report(1, std::vector<report_block>(31)));
  EXPECT_FALSE(to.cname(1, std::string(256, 'x')));
  EXPECT_FALSE(to.bye(1, std::string(256, 'x')));
}

TEST(rtcp, takes_what_others_send) {
  listener ear;
  // An empty RR, then an application packet and a feedback packet that are none of ours.
  const auto datagram = unhex("80c9000100000001"
                              "81cc00020000000141424344"
                              "81ce000200000001"
                              "00000002");
  ASSERT_TRUE(parse_rtcp(as_bytes(datagram), ear));
  EXPECT_EQ(ear.log, (std::vector<std::string>{"rr 1", "unknown 204", "unknown 206"}));
  // A lone packet that is no report (RFC 5506).
  ASSERT_TRUE(parse_rtcp(as_bytes(unhex("81ce00020000000100000002")), ear));
  // An XR block type that is none of ours, then nothing.
  ear.log.clear();
  ASSERT_TRUE(parse_rtcp(as_bytes(unhex("80cf00040000000104000002aaaaaaaabbbbbbbb")), ear));
  EXPECT_EQ(ear.log, (std::vector<std::string>{"unknown 207"}));
  // Padding on the last packet; a profile's extension behind the blocks.
  ear.log.clear();
  ASSERT_TRUE(parse_rtcp(as_bytes(unhex("a0c900030000000100000000"
                                        "00000004")),
                         ear));
  EXPECT_EQ(ear.log, (std::vector<std::string>{"rr 1"}));
  // A BYE of two sources, and one of none.
  ear.log.clear();
  ASSERT_TRUE(parse_rtcp(as_bytes(unhex("82cb00020000000100000002")), ear));
  ASSERT_TRUE(parse_rtcp(as_bytes(unhex("80cb0000")), ear));
  EXPECT_EQ(ear.log, (std::vector<std::string>{"bye 1 ", "bye 2 "}));
}

TEST(sec_07, rtcp_lengths_and_counts_are_checked) {
  EXPECT_EQ(fault_of(""), rtcp_fault::too_short);
  EXPECT_EQ(fault_of("80c900"), rtcp_fault::too_short);
  EXPECT_EQ(fault_of("80c900010000000180"), rtcp_fault::too_short);
  EXPECT_EQ(fault_of("40c9000100000001"), rtcp_fault::bad_version);
  EXPECT_EQ(fault_of("80c9000100000001"
                     "00c9000100000001"),
            rtcp_fault::bad_version);
  EXPECT_EQ(fault_of("80cb0000"
                     "80c9000100000001"),
            rtcp_fault::bad_first);
  EXPECT_EQ(fault_of("80c9000200000001"), rtcp_fault::bad_length);
  EXPECT_EQ(fault_of("80c9ffff00000001"), rtcp_fault::bad_length);
  // Padding before the last packet, of no bytes, longer than its packet, in an empty packet.
  EXPECT_EQ(fault_of("a0c900020000000100000004"
                     "80c9000100000001"),
            rtcp_fault::bad_padding);
  EXPECT_EQ(fault_of("a0c900020000000100000000"), rtcp_fault::bad_padding);
  EXPECT_EQ(fault_of("a0c900020000000100000009"), rtcp_fault::bad_padding);
  EXPECT_EQ(fault_of("a0cb0000"), rtcp_fault::bad_padding);
  // RR without SSRC, RR that claims a block, SR cut short, padding that eats the SSRC.
  EXPECT_EQ(fault_of("80c90000"), rtcp_fault::truncated_block);
  EXPECT_EQ(fault_of("81c9000100000001"), rtcp_fault::truncated_block);
  EXPECT_EQ(fault_of("80c8000100000001"), rtcp_fault::truncated_block);
  EXPECT_EQ(fault_of("a0c9000100000002"), rtcp_fault::truncated_block);
  // SDES: no chunk where one is counted, an item past the end, no end of items.
  EXPECT_EQ(fault_of("80c9000100000001"
                     "81ca0000"),
            rtcp_fault::truncated_block);
  EXPECT_EQ(fault_of("80c9000100000001"
                     "81ca000200000001"
                     "01ff6162"),
            rtcp_fault::truncated_block);
  EXPECT_EQ(fault_of("80c9000100000001"
                     "81ca000200000001"
                     "01026162"),
            rtcp_fault::truncated_block);
  EXPECT_EQ(fault_of("80c9000100000001"
                     "81ca000200000001"
                     "01016101"),
            rtcp_fault::truncated_block);
  // Padding that cuts into the zeros that end a chunk.
  EXPECT_EQ(fault_of("80c9000100000001"
                     "a1ca000300000001"
                     "0000000000000007"),
            rtcp_fault::truncated_block);
  // BYE: more sources than words, a reason past the end.
  EXPECT_EQ(fault_of("9fcb000100000001"), rtcp_fault::truncated_block);
  EXPECT_EQ(fault_of("81cb00020000000104616263"), rtcp_fault::truncated_block);
  // XR: no SSRC, a block past the end, VoIP metrics of a wrong length.
  EXPECT_EQ(fault_of("80cf0000"), rtcp_fault::truncated_block);
  EXPECT_EQ(fault_of("80cf00020000000104000001"), rtcp_fault::truncated_block);
  EXPECT_EQ(fault_of("80cf0003000000010700000100000007"), rtcp_fault::truncated_block);
  for (size_t i = 0; i < rtcp_fault_count; ++i)
    EXPECT_FALSE(to_string(static_cast<rtcp_fault>(i)).empty());
}

TEST(sec_07, rtcp_never_reads_past_a_prefix) {
  const auto good = everything();
  for (size_t n = 0; n < good.size(); ++n) {
    const tests::guarded_bytes guarded{std::string_view{good}.substr(0, n)};
    listener ear;
    const auto parsed = parse_rtcp(guarded.bytes(), ear);
    EXPECT_EQ(parsed.has_value(), !ear.log.empty()) << n;
  }
}

TEST(sec_07, rtcp_survives_any_change_of_one_byte) {
  const auto good = everything();
  for (size_t at = 0; at < good.size(); ++at) {
    for (const auto value : {0x00, 0x01, 0x7f, 0x80, 0xff}) {
      auto changed = good;
      changed[at] = static_cast<char>(value);
      const tests::guarded_bytes guarded{changed};
      listener ear;
      const auto parsed = parse_rtcp(guarded.bytes(), ear);
      EXPECT_TRUE(parsed || ear.log.empty());
    }
  }
}

TEST(ntp_clock, counts_from_1900) {
  using std::chrono::system_clock;
  const time_point start{1000s};
  const ntp_clock clock{start, system_clock::time_point{1'000'000'000s + 500ms}};
  EXPECT_EQ(clock.at(start).value, (uint64_t{2'208'988'800 + 1'000'000'000} << 32) + 0x80000000);
  EXPECT_EQ(clock.at(start + 750ms).value,
            (uint64_t{2'208'988'800 + 1'000'000'001} << 32) + 0x40000000);
  EXPECT_EQ(clock.at(start - 250ms).value,
            (uint64_t{2'208'988'800 + 1'000'000'000} << 32) + 0x40000000);
  EXPECT_EQ(clock.at(start).middle(), ((2'208'988'800u + 1'000'000'000u) << 16 | 0x8000u));
}

TEST(round_trip, is_the_rfcs_example) {
  // RFC 3550 figure 2: A = 0xb710:8000, LSR = 0xb705:2000, DLSR = 0x0005:4000, 6.125 s.
  report_block block;
  block.lsr = 0xb7052000;
  block.dlsr = 0x00054000;
  const ntp_timestamp now{uint64_t{0xb7108000} << 16};
  EXPECT_EQ(round_trip(block, now), 6125ms);
}

TEST(round_trip, is_unknown_rather_than_wrong) {
  report_block block;
  const ntp_timestamp now{uint64_t{0x00010000} << 16};
  EXPECT_FALSE(round_trip(block, now)); // no SR has reached the peer
  block.lsr = 0xffff0000;               // the seconds wrapped in between
  block.dlsr = 0x00018000;
  EXPECT_EQ(round_trip(block, now), 500ms);
  block.dlsr = 0x00020001; // rounding
  EXPECT_EQ(round_trip(block, now), 0ms);
  block.dlsr = 0x00028000; // a peer that claims to have waited longer than the time that passed
  EXPECT_FALSE(round_trip(block, now));
  block.dlsr = 0;
  block.lsr = 0xf0000000;
  EXPECT_FALSE(round_trip(block, now));
}

TEST(report_interval, stays_in_the_rfcs_bounds) {
  EXPECT_NEAR(std::chrono::duration<double>(report_interval(true, 0)).count(), 1.026, 0.001);
  EXPECT_NEAR(std::chrono::duration<double>(report_interval(true, 1)).count(), 3.078, 0.001);
  EXPECT_NEAR(std::chrono::duration<double>(report_interval(false, 0)).count(), 2.052, 0.001);
  EXPECT_NEAR(std::chrono::duration<double>(report_interval(false, 0.5)).count(), 4.104, 0.001);
  EXPECT_NEAR(std::chrono::duration<double>(report_interval(false, 1)).count(), 6.156, 0.001);
}

} // namespace
} // namespace jackfield::rtp

#include "engine/rtp/packet.hpp"

#include <array>
#include <string>
#include <vector>

#include <gtest/gtest.h>

#include "tests/guarded_bytes.hpp"

namespace jackfield::rtp {
namespace {

std::span<const std::byte> as_bytes(const std::string& s) {
  return std::as_bytes(std::span{s});
}

std::string unhex(std::string_view hex) {
  std::string out;
  for (size_t i = 0; i + 1 < hex.size(); i += 2)
    out += static_cast<char>(std::stoi(std::string(hex.substr(i, 2)), nullptr, 16));
  return out;
}

// Two CSRCs, an RFC 8285 one-byte extension of two words, five payload bytes, three of padding.
const std::string everything = unhex("b288abcd01020304deadbeef"
                                     "1111111122222222"
                                     "bede0002"
                                     "10aa00003100ffff"
                                     "0102030405"
                                     "000003");

packet_fault fault_of(const std::string& datagram) {
  const auto parsed = parse_packet(as_bytes(datagram));
  EXPECT_FALSE(parsed);
  return parsed ? packet_fault{} : parsed.error();
}

TEST(rtp_packet, reads_every_field) {
  const auto parsed = parse_packet(as_bytes(everything));
  ASSERT_TRUE(parsed);
  EXPECT_EQ(parsed->payload_type, 8);
  EXPECT_TRUE(parsed->marker);
  EXPECT_EQ(parsed->sequence, 0xabcd);
  EXPECT_EQ(parsed->timestamp, 0x01020304u);
  EXPECT_EQ(parsed->ssrc, 0xdeadbeefu);
  EXPECT_EQ(parsed->csrc_count, 2);
  EXPECT_TRUE(parsed->has_extension);
  EXPECT_EQ(parsed->extension_profile, 0xbede);
  EXPECT_EQ(parsed->extension.size(), 8u);
  ASSERT_EQ(parsed->payload.size(), 5u);
  EXPECT_EQ(parsed->payload.front(), std::byte{1});
  EXPECT_EQ(parsed->payload.back(), std::byte{5});
}

TEST(rtp_packet, reads_what_it_wrote) {
  for (const auto& h : {header{0, false, 0, 0, 0}, header{127, true, 65535, 0xffffffff, 0xffffffff},
                        header{8, false, 0x1234, 0x89abcdef, 0x01234567}}) {
    std::array<std::byte, header_size> bytes{};
    write_header(h, bytes);
    // Payload types 64 to 95 with a marker are RTCP's (RFC 5761); none of these is.
    const auto parsed = parse_packet(bytes);
    ASSERT_TRUE(parsed);
    EXPECT_EQ(static_cast<const header&>(*parsed), h);
    EXPECT_TRUE(parsed->payload.empty());
  }
}

TEST(rtp_packet, tells_rtcp_on_the_same_port) {
  EXPECT_TRUE(is_rtcp(as_bytes(unhex("80c80006"))));
  EXPECT_TRUE(is_rtcp(as_bytes(unhex("80df"))));
  EXPECT_FALSE(is_rtcp(as_bytes(unhex("80e0"))));
  EXPECT_FALSE(is_rtcp(as_bytes(unhex("80bf"))));
  EXPECT_FALSE(is_rtcp(as_bytes(unhex("8000"))));
  EXPECT_FALSE(is_rtcp(as_bytes(unhex("00c8"))));
  EXPECT_FALSE(is_rtcp(as_bytes(unhex("80"))));
  EXPECT_EQ(fault_of(unhex("80c8000600000000000000000000")), packet_fault::rtcp);
}

TEST(rtp_packet, names_what_is_wrong) {
  EXPECT_EQ(fault_of(""), packet_fault::too_short);
  EXPECT_EQ(fault_of(everything.substr(0, 11)), packet_fault::too_short);
  EXPECT_EQ(fault_of(unhex("400000000000000000000000")), packet_fault::bad_version);
  EXPECT_EQ(fault_of(unhex("8f0000000000000000000000")), packet_fault::truncated_csrc);
  EXPECT_EQ(fault_of(unhex("900000000000000000000000")), packet_fault::truncated_extension);
  EXPECT_EQ(fault_of(unhex("900000000000000000000000beef")), packet_fault::truncated_extension);
  EXPECT_EQ(fault_of(unhex("900000000000000000000000bedeffff00000000")),
            packet_fault::truncated_extension);
  EXPECT_EQ(fault_of(unhex("a00000000000000000000000")), packet_fault::bad_padding);
  EXPECT_EQ(fault_of(unhex("a0000000000000000000000000")), packet_fault::bad_padding);
  EXPECT_EQ(fault_of(unhex("a000000000000000000000000003")), packet_fault::bad_padding);
  for (size_t i = 0; i < packet_fault_count; ++i)
    EXPECT_FALSE(to_string(static_cast<packet_fault>(i)).empty());
}

TEST(rtp_packet, takes_a_packet_of_padding_alone) {
  const auto datagram = unhex("a00000000000000000000000000003");
  const auto parsed = parse_packet(as_bytes(datagram));
  ASSERT_TRUE(parsed);
  EXPECT_TRUE(parsed->payload.empty());
}

TEST(sec_07, rtp_packet_never_reads_past_a_prefix) {
  for (size_t n = 0; n <= everything.size(); ++n) {
    const tests::guarded_bytes guarded{std::string_view{everything}.substr(0, n)};
    if (const auto parsed = parse_packet(guarded.bytes())) {
      // The views are inside: reading them does not fault.
      unsigned sum = 0;
      for (const auto b : parsed->payload)
        sum += std::to_integer<unsigned>(b);
      for (const auto b : parsed->extension)
        sum += std::to_integer<unsigned>(b);
      EXPECT_LE(sum, 255u * n);
      EXPECT_LE(parsed->payload.size() + parsed->extension.size() + header_size, n);
    }
  }
}

TEST(sec_07, rtp_packet_survives_every_first_byte_and_length) {
  for (unsigned first = 0; first < 256; ++first) {
    for (size_t n = 0; n <= 80; ++n) {
      std::string datagram(n, '\xff');
      if (n > 0)
        datagram[0] = static_cast<char>(first);
      if (n > 1)
        datagram[1] = 0;
      const tests::guarded_bytes guarded{datagram};
      const auto parsed = parse_packet(guarded.bytes());
      if (parsed) {
        EXPECT_LE(parsed->payload.size(), n - header_size);
      }
    }
  }
}

} // namespace
} // namespace jackfield::rtp

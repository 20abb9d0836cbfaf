#include "engine/ice/candidate.hpp"

#include <array>
#include <string>

#include <gtest/gtest.h>

#include "engine/ice/credentials.hpp"

namespace jackfield::ice {
namespace {

const std::string plain = "1 1 UDP 2130706431 192.0.2.1 4000 typ host";

TEST(ice_candidate, reads_every_field) {
  const auto c =
    candidate::parse("Ab+/9 2 tcp 1694498815 2001:db8::1 5000 typ srflx raddr 10.0.1.1 "
                     "rport 8998 tcptype passive generation 0 network-cost 10");
  ASSERT_TRUE(c) << c.error().to_string();
  EXPECT_EQ(c->foundation, "Ab+/9");
  EXPECT_EQ(c->component, 2);
  EXPECT_EQ(c->transport, candidate_transport::tcp);
  EXPECT_EQ(c->priority, 1694498815u);
  EXPECT_EQ(c->address, *lane::endpoint::parse("2001:db8::1", 5000));
  EXPECT_EQ(c->type, candidate_type::server_reflexive);
  EXPECT_EQ(c->related, *lane::endpoint::parse("10.0.1.1", 8998));
  EXPECT_EQ(c->tcp_type, candidate_tcp_type::passive);
  EXPECT_FALSE(c->usable());
}

TEST(ice_candidate, reads_what_it_wrote) {
  for (const std::string& text :
       {plain, std::string{"f 256 udp 1 ::1 1 typ prflx raddr 0.0.0.0 rport 0"},
        std::string{"a/b 1 tcp 2147483647 10.0.0.1 9 typ host tcptype active"},
        std::string{"x 1 udp 7 1d9a41c2-6b3f.local 53 typ host"},
        std::string{"12 1 udp 99 192.0.2.9 65535 typ relay raddr 192.0.2.1 rport 4000"}}) {
    const auto c = candidate::parse(text);
    ASSERT_TRUE(c) << text;
    const auto again = candidate::parse(c->to_string());
    ASSERT_TRUE(again) << c->to_string();
    EXPECT_EQ(*again, *c);
  }
}

TEST(ice_candidate, keeps_a_name_without_looking_it_up) {
  const auto c = candidate::parse("1 1 udp 99 f3b1-99.LOCAL 4000 typ host");
  ASSERT_TRUE(c);
  EXPECT_TRUE(c->is_mdns());
  EXPECT_FALSE(c->usable());
  EXPECT_FALSE(c->address.valid());
  EXPECT_EQ(c->name_port, 4000);
  EXPECT_FALSE(candidate::parse(plain)->is_mdns());
  EXPECT_FALSE(candidate::parse("1 1 udp 99 host.example 4000 typ host")->is_mdns());
}

TEST(ice_candidate, tells_what_no_check_can_be_sent_to) {
  EXPECT_TRUE(candidate::parse(plain)->usable());
  for (const char* text :
       {"1 2 udp 9 192.0.2.1 4000 typ host", "1 1 tcp 9 192.0.2.1 4000 typ host",
        "1 1 sctp 9 192.0.2.1 4000 typ host", "1 1 udp 9 224.0.0.1 4000 typ host",
        "1 1 udp 9 0.0.0.0 4000 typ host", "1 1 udp 9 255.255.255.255 4000 typ host"}) {
    const auto c = candidate::parse(text);
    ASSERT_TRUE(c) << text;
    EXPECT_FALSE(c->usable()) << text;
  }
  EXPECT_EQ(candidate::parse("1 1 sctp 9 192.0.2.1 4000 typ host")->to_string(), "");
}

TEST(ice_candidate, refuses_what_is_out_of_bounds) {
  const std::string long_foundation(33, 'f');
  for (const std::string& text : {
         std::string{},
         std::string{" "},
         std::string{"1"},
         long_foundation + " 1 udp 9 192.0.2.1 4000 typ host",
         std::string{"f-1 1 udp 9 192.0.2.1 4000 typ host"},
         std::string{"1 0 udp 9 192.0.2.1 4000 typ host"},
         std::string{"1 257 udp 9 192.0.2.1 4000 typ host"},
         std::string{"1 -1 udp 9 192.0.2.1 4000 typ host"},
         std::string{"1 1 udp 0 192.0.2.1 4000 typ host"},
         std::string{"1 1 udp 2147483648 192.0.2.1 4000 typ host"},
         std::string{"1 1 udp 99999999999999999999 192.0.2.1 4000 typ host"},
         std::string{"1 1 udp 9 192.0.2.256 4000 typ host"},
         std::string{"1 1 udp 9 [2001:db8::1] 4000 typ host"},
         std::string{"1 1 udp 9 fe80::1%eth0 4000 typ host"},
         std::string{"1 1 udp 9 " + std::string(254, 'a') + " 4000 typ host"},
         std::string{"1 1 udp 9 192.0.2.1 0 typ host"},
         std::string{"1 1 udp 9 192.0.2.1 65536 typ host"},
         std::string{"1 1 udp 9 192.0.2.1 4000 type host"},
         std::string{"1 1 udp 9 192.0.2.1 4000 typ"},
         std::string{"1 1 udp 9 192.0.2.1 4000 typ moon"},
         std::string{"1 1 udp 9 192.0.2.1 4000 typ host raddr"},
         std::string{"1 1 udp 9 192.0.2.1 4000 typ host raddr 1.2.3.4 rport 65536"},
         std::string{"1 1 udp 9 192.0.2.1 4000 typ host raddr ::x rport 1"},
         std::string{"1 1 tcp 9 192.0.2.1 4000 typ host tcptype none"},
         std::string{"1 1  udp 9 192.0.2.1 4000 typ host"},
         std::string{"1 1 udp 9 192.0.2.1 4000 typ host a b\r\nc d"},
         plain + " x " + std::string(1000, 'y'),
       })
    EXPECT_FALSE(candidate::parse(text)) << text;
}

TEST(ice_credentials, are_valid_within_their_bounds_alone) {
  const std::string pwd(22, 'p');
  EXPECT_TRUE((credentials{"abcd", pwd}.valid()));
  EXPECT_TRUE((credentials{std::string(256, 'u'), std::string(256, '/')}.valid()));
  EXPECT_FALSE((credentials{"abc", pwd}.valid()));
  EXPECT_FALSE((credentials{std::string(257, 'u'), pwd}.valid()));
  EXPECT_FALSE((credentials{"abcd", std::string(21, 'p')}.valid()));
  EXPECT_FALSE((credentials{"abcd", std::string(257, 'p')}.valid()));
  EXPECT_FALSE((credentials{"ab:d", pwd}.valid()));
  EXPECT_FALSE((credentials{"abcd", pwd + " "}.valid()));
}

TEST(ice_credentials, are_made_of_every_bit_that_was_given) {
  std::array<std::byte, credential_bytes> bytes{};
  const auto first = make_credentials(bytes);
  EXPECT_TRUE(first.valid());
  EXPECT_EQ(first.ufrag.size(), 8u);
  EXPECT_EQ(first.pwd.size(), 24u);
  for (auto& b : bytes) {
    b = std::byte{0x3f};
    EXPECT_NE(make_credentials(bytes), first);
    EXPECT_TRUE(make_credentials(bytes).valid());
    b = {};
  }
}

} // namespace
} // namespace jackfield::ice

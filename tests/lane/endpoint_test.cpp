#include "engine/lane/endpoint.hpp"

#include <set>
#include <unordered_set>

#include <gtest/gtest.h>

namespace jackfield::lane {
namespace {

endpoint of(std::string_view text) {
  auto parsed = endpoint::parse_with_port(text, 0);
  EXPECT_TRUE(parsed) << text;
  return parsed ? *parsed : endpoint{};
}

TEST(endpoint, parses_and_prints_both_families) {
  EXPECT_EQ(of("192.0.2.1:5060").to_string(), "192.0.2.1:5060");
  EXPECT_EQ(of("192.0.2.1").address(), "192.0.2.1");
  EXPECT_EQ(of("[2001:DB8:0::1]:5061").to_string(), "[2001:db8::1]:5061");
  EXPECT_EQ(of("2001:db8::1").host(), "[2001:db8::1]");
  EXPECT_EQ(of("[2001:db8::1]").address(), "2001:db8::1");
  EXPECT_EQ(of("2001:db8::1:5060").port(), 0); // all of it is the address
  EXPECT_EQ(endpoint::parse("[::1]", 7)->port(), 7);
  EXPECT_EQ(endpoint{}.to_string(), "");
}

TEST(endpoint, gives_a_mapped_address_its_one_spelling) {
  EXPECT_EQ(of("[::ffff:192.0.2.1]:5060"), of("192.0.2.1:5060"));
  EXPECT_TRUE(of("::ffff:127.0.0.1").is_v4());
  EXPECT_TRUE(of("::ffff:127.0.0.1").is_loopback());
}

TEST(endpoint, refuses_what_is_no_address) {
  using namespace std::string_view_literals;
  for (const std::string_view text : {""sv,
                                      "localhost"sv,
                                      "1.2.3"sv,
                                      "1.2.3.4.5"sv,
                                      "256.0.0.1"sv,
                                      "[1.2.3.4]"sv,
                                      "["sv,
                                      "]"sv,
                                      "[]"sv,
                                      ":"sv,
                                      "::1]"sv,
                                      "[::1"sv,
                                      "fe80::1%eth0"sv,
                                      " 1.2.3.4"sv,
                                      "1.2.3.4 "sv,
                                      "1.2.3.4\0"sv,
                                      "1.2.3.4\0x"sv,
                                      "1.2.3.4:"sv,
                                      "1.2.3.4:-1"sv,
                                      "1.2.3.4:65536"sv,
                                      "1.2.3.4:5060x"sv,
                                      "[::1]:"sv,
                                      "[::1]x:5060"sv,
                                      "[::1]:99999999999999999999"sv,
                                      ":5060"sv,
                                      "1:2:3:4:5:6:7:8:9"sv}) {
    const auto parsed = endpoint::parse_with_port(text, 5060);
    EXPECT_FALSE(parsed) << text;
    if (!parsed) {
      EXPECT_EQ(parsed.error().to_string().find('\0'), std::string::npos);
    }
  }
  EXPECT_FALSE(endpoint::parse_with_port("192.0.2.1"));
  EXPECT_FALSE(endpoint::parse(std::string(10'000, '1'), 1));
}

TEST(endpoint, goes_through_a_socket_address_unchanged) {
  for (const char* text : {"192.0.2.1:5060", "[2001:db8::1]:65535", "0.0.0.0:0", "[::]:1"}) {
    sockaddr_storage storage;
    const socklen_t length = of(text).to_sockaddr(storage);
    EXPECT_EQ(endpoint::from_sockaddr(reinterpret_cast<sockaddr*>(&storage), length), of(text));
    EXPECT_FALSE(
      endpoint::from_sockaddr(reinterpret_cast<sockaddr*>(&storage), length - 1).valid());
  }
  EXPECT_FALSE(endpoint::from_sockaddr(nullptr, 0).valid());
  sockaddr_storage storage;
  EXPECT_EQ(endpoint{}.to_sockaddr(storage), 0U);
  EXPECT_EQ(storage.ss_family, AF_UNSPEC);
  EXPECT_FALSE(
    endpoint::from_sockaddr(reinterpret_cast<sockaddr*>(&storage), sizeof storage).valid());
}

TEST(endpoint, tells_special_addresses) {
  EXPECT_TRUE(of("127.8.9.1:1").is_loopback());
  EXPECT_TRUE(of("[::1]:1").is_loopback());
  EXPECT_EQ(endpoint::loopback_v4(9), of("127.0.0.1:9"));
  EXPECT_EQ(endpoint::loopback_v6(9), of("[::1]:9"));
  EXPECT_FALSE(of("[::2]:1").is_loopback());
  EXPECT_TRUE(of("0.0.0.0:1").is_unspecified());
  EXPECT_TRUE(of("[::]:1").is_unspecified());
  EXPECT_FALSE(endpoint{}.is_unspecified());
  for (const char* text : {"224.0.0.1:1", "239.255.255.255:1", "255.255.255.255:1", "0.0.0.0:1",
                           "0.1.2.3:1", "192.0.2.1:0", "[ff02::1]:1", "[::]:1"})
    EXPECT_TRUE(of(text).is_forbidden_destination()) << text;
  EXPECT_TRUE(endpoint{}.is_forbidden_destination());
  for (const char* text : {"192.0.2.1:1", "127.0.0.1:1", "[2001:db8::1]:1", "[fe80::1]:1"})
    EXPECT_FALSE(of(text).is_forbidden_destination()) << text;
}

TEST(endpoint, hashes_and_orders_by_value) {
  std::set<endpoint> ordered;
  std::unordered_set<size_t> hashes;
  for (uint16_t port = 0; port < 1000; ++port) {
    ordered.insert(of("10.0.0.1").with_port(port));
    hashes.insert(of("10.0.0.1").with_port(port).hash());
    ordered.insert(of("2001:db8::1").with_port(port));
    hashes.insert(of("2001:db8::1").with_port(port).hash());
  }
  EXPECT_EQ(ordered.size(), 2000U);
  EXPECT_EQ(hashes.size(), 2000U);
  EXPECT_EQ(of("[::ffff:10.0.0.1]:5").hash(), of("10.0.0.1:5").hash());
}

} // namespace
} // namespace jackfield::lane

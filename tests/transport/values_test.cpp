#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "engine/transport/flow.hpp"
#include "engine/transport/target_selection.hpp"

namespace jackfield::transport {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;

TEST(protocol, is_named_as_in_a_via_and_read_in_any_case) {
  for (const protocol p :
       {protocol::udp, protocol::tcp, protocol::tls, protocol::ws, protocol::wss})
    EXPECT_EQ(parse_protocol(to_string(p)), p);
  EXPECT_EQ(to_string(protocol::wss), "WSS");
  EXPECT_EQ(parse_protocol("tLs"), protocol::tls);
  EXPECT_EQ(parse_protocol("tls-sctp"), std::nullopt);
  EXPECT_EQ(parse_protocol(""), std::nullopt);
}

TEST(flow, is_a_small_value_that_says_what_it_is) {
  flow f;
  EXPECT_FALSE(f.valid());
  f = {{3, 1}, protocol::tls, 0, {}, lane::endpoint::parse("192.0.2.1", 5061).value()};
  EXPECT_TRUE(f.valid());
  EXPECT_EQ(f.to_string(), "tls 192.0.2.1:5061");
  EXPECT_LE(sizeof f, 64U);
  flow other = f;
  other.handle.generation = 2;
  EXPECT_FALSE(f == other);
}

TEST(choose_services, follows_order_and_preference_and_what_is_asked_for) {
  const std::vector<naptr_record> records{
    {20, 10, "s", "SIP+D2U", "_sip._udp.example.com"},
    {10, 50, "S", "sips+d2t", "_sips._tcp.example.com"},
    {10, 20, "s", "SIP+D2T", "_sip._tcp.example.com"},
    {10, 1, "u", "SIP+D2U", "flag.is.not.s"},
    {10, 1, "s", "E2U+sip", "enum.example.com"},
  };
  const auto names = [](const std::vector<service_choice>& choices) {
    std::vector<std::string> out;
    out.reserve(choices.size());
    for (const service_choice& c : choices)
      out.push_back(c.name);
    return out;
  };
  EXPECT_THAT(
    names(choose_services(records, false, std::nullopt)),
    ElementsAre("_sip._tcp.example.com", "_sips._tcp.example.com", "_sip._udp.example.com"));
  EXPECT_THAT(names(choose_services(records, true, std::nullopt)),
              ElementsAre("_sips._tcp.example.com"));
  EXPECT_THAT(names(choose_services(records, false, protocol::udp)),
              ElementsAre("_sip._udp.example.com"));
  EXPECT_THAT(names(choose_services({}, false, std::nullopt)), IsEmpty());
}

std::vector<std::string> targets_of(const std::vector<srv_record>& records) {
  std::vector<std::string> out;
  out.reserve(records.size());
  for (const srv_record& r : records)
    out.push_back(r.target);
  return out;
}

TEST(order_by_weight, tries_priorities_in_order_and_weights_at_random) {
  const std::vector<srv_record> records{
    {20, 0, 5060, "backup"}, {10, 10, 5060, "light"}, {10, 90, 5060, "heavy"}, {5, 0, 5060, "."}};
  EXPECT_THAT(targets_of(order_by_weight(records, [] { return 0.0; })),
              ElementsAre("light", "heavy", "backup"));
  EXPECT_THAT(targets_of(order_by_weight(records, [] { return 0.99; })),
              ElementsAre("heavy", "light", "backup"));
}

TEST(order_by_weight, gives_each_server_its_share) {
  const std::vector<srv_record> records{
    {1, 0, 1, "never, almost"}, {1, 25, 1, "quarter"}, {1, 75, 1, "most"}};
  int most = 0;
  int never = 0;
  constexpr int rounds = 10'000;
  for (int i = 0; i < rounds; ++i) {
    const auto first =
      order_by_weight(records,
                      [&, draw = 0]() mutable { return draw++ == 0 ? (i + 0.5) / rounds : 0.5; })
        .front()
        .target;
    most += first == "most" ? 1 : 0;
    never += first == "never, almost" ? 1 : 0;
  }
  EXPECT_NEAR(most, 7400, 150);
  EXPECT_NEAR(never, 99, 30);
}

TEST(target_selection, fails_over_to_the_end) {
  const auto at = [](uint16_t port) { return lane::endpoint::loopback_v4(port); };
  target_selection s{{{protocol::tcp, at(1)}, {protocol::udp, at(2)}}, "sip.example.com"};
  const auto copy = s;
  EXPECT_EQ(s.current().remote, at(1));
  EXPECT_TRUE(s.advance());
  EXPECT_EQ(s.current().protocol, protocol::udp);
  EXPECT_FALSE(s.advance());
  EXPECT_TRUE(s.exhausted());
  EXPECT_FALSE(s.advance());
  EXPECT_EQ(copy.current().remote, at(1)) << "each copy has a place of its own";
  EXPECT_EQ(copy.host(), "sip.example.com");
  EXPECT_TRUE(target_selection{}.exhausted());
}

} // namespace
} // namespace jackfield::transport

#include "engine/sip/invite_client.hpp"

#include <gtest/gtest.h>

#include "tests/sip/ua_harness.hpp"

namespace jackfield::sip {
namespace {

using namespace testing;
using phase = invite_client::phase;

struct invite_client_test : ::testing::Test {
  ua_profile profile = udp_profile("192.0.2.1");
  bench_of<invite_client> a{profile, test_id(1)};
  call_options options{.uri = "sip:bob@192.0.2.2",
                       .from = "\"Alice\" <sip:alice@192.0.2.1>",
                       .body = "v=0 offer"};
  static constexpr std::string_view contact = "Contact: <sip:bob@192.0.2.2:5070>\r\n"
                                              "Content-Type: application/sdp\r\n";

  void start() { ASSERT_TRUE(a.machine.start(a.now, options, a.out)); }
  std::string invite() { return a.out.all(method::invite).back()->text; }
  std::string sent(method m, int status = 0) {
    auto all = a.out.all(m, status);
    return all.empty() ? std::string{} : all.back()->text;
  }
  void establish() {
    start();
    a.take(response_to(invite(), 180, "b1", contact));
    a.take(response_to(invite(), 200, "b1", contact, "v=0 answer"));
    ASSERT_EQ(a.machine.current(), phase::established);
  }
  end_cause cause() {
    auto* e = a.out.last(event_kind::ended);
    return e ? e->event.cause : end_cause::none;
  }
};

TEST_F(invite_client_test, calls_and_hangs_up) {
  start();
  auto text = invite();
  message m;
  ASSERT_EQ(m.parse(text), parse_verdict::good);
  EXPECT_EQ(m.request_uri(), "sip:bob@192.0.2.2");
  EXPECT_EQ(m.from_tag(), view(test_id(1).text()));
  EXPECT_EQ(m.body(), "v=0 offer");
  EXPECT_EQ(a.out.sent.back().rank, send_rank::invite);
  EXPECT_EQ(a.out.sent.back().next_hop, "sip:bob@192.0.2.2");
  a.take(response_to(invite(), 100, ""));
  a.take(response_to(invite(), 180, "b1", contact));
  a.take(response_to(invite(), 200, "b1", contact, "v=0 answer"));
  EXPECT_EQ(a.out.count(event_kind::provisional), 2u);
  ASSERT_EQ(a.out.count(event_kind::answered), 1u);
  EXPECT_EQ(a.out.last(event_kind::answered)->body, "v=0 answer");
  auto ack = sent(method::ack);
  ASSERT_EQ(m.parse(ack), parse_verdict::good);
  EXPECT_EQ(m.request_uri(), "sip:bob@192.0.2.2:5070");
  EXPECT_EQ(m.cseq_number(), 1u);
  EXPECT_EQ(a.out.last_sent().next_hop, "sip:bob@192.0.2.2:5070");
  EXPECT_EQ(a.machine.next_deadline(), never);
  a.machine.hang_up(a.now, a.out);
  auto bye = sent(method::bye);
  EXPECT_EQ(field(bye, "CSeq"), "2 BYE");
  EXPECT_EQ(a.machine.current(), phase::ending);
  a.take(response_to(bye, 200, ""));
  EXPECT_EQ(cause(), end_cause::local_bye);
  EXPECT_EQ(a.machine.next_deadline(), never);
}

TEST_F(invite_client_test, retransmits_until_timer_b) {
  start();
  a.pass(seconds{40});
  EXPECT_EQ(a.out.all(method::invite).size(), 7u); // 0, .5, 1.5, 3.5, 7.5, 15.5, 31.5
  EXPECT_EQ(cause(), end_cause::timeout_b);
  EXPECT_EQ(a.out.last(event_kind::ended)->at - time_point{seconds{1000}}, seconds{32});
}

} // namespace
} // namespace jackfield::sip

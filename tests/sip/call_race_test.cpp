#include <gtest/gtest.h>

#include "tests/sip/call_pair.hpp"

namespace jackfield::sip {
namespace {

using namespace testing;

/// Whatever happened: both sides have ended, nothing was called twice, and they agree.
void expect_settled(call_pair& w, uint64_t seed) {
  SCOPED_TRACE("seed " + std::to_string(seed));
  EXPECT_EQ(w.client.current(), invite_client::phase::over);
  EXPECT_EQ(w.a.count(event_kind::ended), 1u);
  if (w.server) {
    EXPECT_EQ(w.server->current(), invite_server::phase::over);
    EXPECT_EQ(w.b.count(event_kind::ended), 1u);
  }
  EXPECT_EQ(w.ghosts, 0);
  if (w.answered_b() && w.linger_a.late_answers() == 0) { // it had an ACK to our 2xx
    EXPECT_TRUE(w.answered_a() || w.cause_a() == end_cause::cancelled_but_answered ||
                w.cause_a() == end_cause::timeout_c)
      << to_string(w.cause_a());
  }
  if (w.cause_b() == end_cause::cancelled) {
    EXPECT_FALSE(w.answered_a());
  }
  if (w.cause_a() == end_cause::busy) {
    EXPECT_FALSE(w.answered_b());
  }
}

constexpr path clean{};
constexpr path bad{
  .loss = 0.15, .duplication = 0.1, .least = milliseconds{20}, .most = milliseconds{120}};

template <class F>
void for_seeds(path p, int seeds, F&& f) {
  for (int seed = 0; seed < seeds; ++seed)
    for (bool reliable : {false, true}) {
      // A reliable transport neither loses nor repeats, and keeps the order.
      auto real = reliable ? path{0, 0, p.least, p.least} : p;
      call_pair w(static_cast<uint64_t>(seed), real, reliable);
      w.join_strays();
      f(w, seed);
      ASSERT_TRUE(w.run()) << "seed " << seed << (reliable ? " reliable" : " unreliable");
      expect_settled(w, static_cast<uint64_t>(seed));
      if (::testing::Test::HasFailure())
        return;
    }
}

TEST(call_race, plain_call) {
  for_seeds(clean, 1, [](call_pair& w, int) {
    w.call();
    w.at(seconds{2}, [&w] { w.client.hang_up(w.now, w.a); });
  });
  call_pair w(1, clean);
  w.join_strays();
  w.call();
  w.at(seconds{2}, [&w] { w.client.hang_up(w.now, w.a); });
  ASSERT_TRUE(w.run());
  EXPECT_EQ(w.cause_a(), end_cause::local_bye);
  EXPECT_EQ(w.cause_b(), end_cause::remote_bye);
  EXPECT_EQ(w.a.sent.size(), 3u); // INVITE, ACK, BYE
  EXPECT_EQ(w.b.sent.size(), 3u); // 180, 200, 200
}

TEST(call_race, lossy_call) {
  for_seeds(bad, 400, [](call_pair& w, int seed) {
    w.call(seed % 3 == 0 ? "" : "v=0 offer");
    if (seed % 2)
      w.at(seconds{50}, [&w] { w.client.hang_up(w.now, w.a); });
    else
      w.at(seconds{50}, [&w] {
        if (w.server)
          w.server->hang_up(w.now, w.b);
        w.client.hang_up(w.now, w.a);
      });
  });
}

TEST(call_race, lossy_refusal) {
  for_seeds(bad, 300, [](call_pair& w, int) {
    w.how = call_pair::reply::refuse;
    w.call();
    w.at(seconds{250}, [&w] { w.client.hang_up(w.now, w.a); });
  });
}

TEST(call_race, cancel_crossing_200) {
  for_seeds(clean, 1, [](call_pair& w, int) {
    w.answer_after = milliseconds{100};
    w.call();
    w.at(milliseconds{108}, [&w] { w.client.hang_up(w.now, w.a); }); // the 200 is on its way
  });
  call_pair w(1, clean);
  w.join_strays();
  w.answer_after = milliseconds{100};
  w.call();
  w.at(milliseconds{107}, [&w] { w.client.hang_up(w.now, w.a); });
  ASSERT_TRUE(w.run());
  EXPECT_EQ(w.cause_a(), end_cause::cancelled_but_answered);
  EXPECT_EQ(w.cause_b(), end_cause::remote_bye);
  EXPECT_FALSE(w.answered_a());
}

TEST(call_race, cancel_at_any_time_on_a_bad_path) {
  for_seeds(bad, 600, [](call_pair& w, int seed) {
    w.answer_after = milliseconds{250};
    w.call();
    w.at(milliseconds{seed}, [&w] { w.client.hang_up(w.now, w.a); });
    w.at(seconds{100}, [&w] {
      if (w.server)
        w.server->hang_up(w.now, w.b);
    });
  });
}

TEST(call_race, cancel_while_ringing) {
  call_pair w(1, clean);
  w.join_strays();
  w.how = call_pair::reply::ring_only;
  w.call();
  w.at(seconds{5}, [&w] { w.client.hang_up(w.now, w.a); });
  ASSERT_TRUE(w.run());
  EXPECT_EQ(w.cause_a(), end_cause::cancelled);
  EXPECT_EQ(w.cause_b(), end_cause::cancelled);
  EXPECT_EQ(w.b.all(method::invite, 487).size(), 1u);
  EXPECT_EQ(w.b.all(method::cancel, 200).size(), 1u);
}

TEST(call_race, bye_crossing_bye) {
  for_seeds(clean, 1, [](call_pair& w, int) {
    w.call();
    w.at(seconds{2}, [&w] {
      w.client.hang_up(w.now, w.a);
      w.server->hang_up(w.now, w.b);
    });
  });
  for_seeds(bad, 200, [](call_pair& w, int seed) {
    w.call();
    w.at(seconds{40}, [&w] { w.client.hang_up(w.now, w.a); });
    w.at(seconds{40} + milliseconds{seed}, [&w] {
      if (w.server)
        w.server->hang_up(w.now, w.b);
    });
  });
}

TEST(call_race, late_2xx_after_cancel) {
  // The CANCEL is lost, and the answer until the caller has given the cancelled INVITE up.
  call_pair w(1, clean);
  w.join_strays();
  w.answer_after = seconds{5};
  auto to_b = w.a.relay;
  w.a.relay = [to_b](const sent_message& m) {
    if (m.what != method::cancel)
      to_b(m);
  };
  auto to_a = w.b.relay;
  w.b.relay = [&w, to_a](const sent_message& m) {
    if (w.now > time_point{seconds{1000}} + seconds{33} || m.status == 180)
      to_a(m);
  };
  w.call();
  w.at(milliseconds{150}, [&w] { w.client.hang_up(w.now, w.a); });
  ASSERT_TRUE(w.run());
  EXPECT_EQ(w.cause_a(), end_cause::cancelled);
  EXPECT_EQ(w.linger_a.late_answers(), 1u);
  EXPECT_TRUE(w.answered_b());
  EXPECT_EQ(w.cause_b(), end_cause::remote_bye);
}

/// What the peer's answer finds when the caller has done with its call, however that came to be.
TEST(call_race, late_2xx_of_a_fork_after_any_end_is_acked_and_hung_up) {
  for (const int status : {404, 486, 487, 603}) {
    SCOPED_TRACE(status);
    const auto profile = udp_profile("192.0.2.1");
    bench_of<invite_client> c{profile, test_id(1)};
    ASSERT_TRUE(c.machine.start(
      c.now, {.uri = "sip:bob@192.0.2.2", .from = "<sip:alice@192.0.2.1>", .body = "v=0"}, c.out));
    const auto invite = c.out.all(method::invite).front()->text;
    const std::string contact = "Contact: <sip:bob@192.0.2.66>\r\n";
    if (status == 487) {
      c.take(response_to(invite, 180, "b1", contact));
      c.machine.hang_up(c.now, c.out);
    }
    c.take(response_to(invite, status, "b1"));
    ASSERT_EQ(c.machine.current(), invite_client::phase::over);
    linger_table table(8, seconds{32}, 1);
    c.machine.leave(c.now, table);
    recorder out;
    const auto late = response_to(invite, 200, "b2", contact);
    message m;
    ASSERT_EQ(m.parse(late), parse_verdict::good);
    EXPECT_TRUE(table.on_message(c.now + seconds{31}, m, profile, out)) << "forgotten";
    EXPECT_EQ(out.all(method::ack).size(), 1u);
    ASSERT_EQ(out.all(method::bye).size(), 1u);
    EXPECT_EQ(field(out.all(method::bye).front()->text, "To"), "<sip:bob@192.0.2.2>;tag=b2");
    EXPECT_EQ(table.late_answers(), 1u);
  }
}

TEST(call_race, late_2xx_after_timeout_b) {
  call_pair w(1, clean);
  w.join_strays();
  w.answer_after = seconds{5};
  auto relay = w.b.relay;
  w.b.relay = [&w, relay](const sent_message& m) {
    if (w.now > time_point{seconds{1000}} + seconds{32})
      relay(m);
  };
  w.call();
  ASSERT_TRUE(w.run());
  EXPECT_EQ(w.cause_a(), end_cause::timeout_b);
  EXPECT_EQ(w.linger_a.late_answers(), 1u);
  EXPECT_TRUE(w.answered_b());
  EXPECT_EQ(w.cause_b(), end_cause::remote_bye);
}

TEST(call_race, reinvite_glare) {
  for_seeds(bad, 200, [](call_pair& w, int seed) {
    w.call();
    auto m = seed % 2 ? method::invite : method::update;
    w.at(seconds{35}, [&w, m] { w.client.send_request(w.now, m, "v=0 mine", w.a); });
    w.at(seconds{35} + milliseconds{seed % 100}, [&w, m] {
      if (w.server)
        w.server->send_request(w.now, m, "v=0 mine", w.b);
    });
    w.at(seconds{80}, [&w] {
      w.client.hang_up(w.now, w.a);
      if (w.server)
        w.server->hang_up(w.now, w.b);
    });
  });
}

TEST(call_race, glare_is_resolved_for_both) {
  call_pair w(1, clean);
  w.join_strays();
  w.call();
  w.at(seconds{2}, [&w] {
    EXPECT_TRUE(w.client.send_request(w.now, method::invite, "v=0 mine", w.a));
    EXPECT_TRUE(w.server->send_request(w.now, method::invite, "v=0 mine", w.b));
  });
  w.at(seconds{20}, [&w] { w.client.hang_up(w.now, w.a); });
  ASSERT_TRUE(w.run());
  EXPECT_EQ(w.a.all(method::invite, 491).size(), 1u);
  EXPECT_EQ(w.b.all(method::invite, 491).size(), 1u);
  ASSERT_EQ(w.a.count(event_kind::response), 1u);
  ASSERT_EQ(w.b.count(event_kind::response), 1u);
  // The caller waits longer, and what it had offered is outdated by then: it is not sent again.
  EXPECT_EQ(w.a.last(event_kind::response)->event.status, 491);
  EXPECT_EQ(w.b.last(event_kind::response)->event.status, 200);
  EXPECT_EQ(w.a.count(event_kind::offer_confirmed), 1u);
  EXPECT_EQ(w.b.count(event_kind::offer), 0u);
}

/// The shortest and the longest wait before an offer that met another is sent again, of 200 legs.
template <class Establish>
std::pair<duration, duration> waits_after_glare(Establish establish) {
  std::vector<duration> waits;
  for (uint32_t n = 0; n < 200; ++n) {
    const auto leg = establish(n);
    leg->machine.send_request(leg->now, method::update, "v=0 mine", leg->out);
    const auto first = leg->out.last_sent();
    leg->take(response_to(first.text, 491, ""));
    leg->pass(seconds{5});
    const auto all = leg->out.all(method::update);
    const auto again = std::find_if(all.begin(), all.end(), [&](auto* m) {
      return field(m->text, "CSeq") != field(first.text, "CSeq");
    });
    if (again == all.end()) {
      ADD_FAILURE() << "not sent again";
      return {};
    }
    waits.push_back((*again)->at - first.at);
    EXPECT_EQ(waits.back() % milliseconds{10}, duration{});
  }
  const auto [shortest, longest] = std::minmax_element(waits.begin(), waits.end());
  return {*shortest, *longest};
}

/// RFC 3261 §14.1: the owner of the Call-ID waits 2.1 to 4 s, the other 0 to 2 s, in units of 10
/// ms.
TEST(call_race, after_glare_the_owner_of_the_call_id_waits_longer) {
  const auto profile = udp_profile("192.0.2.1");
  const auto [owners_shortest, owners_longest] = waits_after_glare([&](uint32_t n) {
    auto c = std::make_unique<bench_of<invite_client>>(profile, test_id(n));
    EXPECT_TRUE(c->machine.start(
      c->now, {.uri = "sip:bob@192.0.2.2", .from = "<sip:alice@192.0.2.1>", .body = "v=0"},
      c->out));
    c->take(response_to(c->out.last_sent().text, 200, "b1",
                        "Contact: <sip:bob@192.0.2.2>\r\nContent-Type: application/sdp\r\n",
                        "v=0 answer"));
    return c;
  });
  const auto [others_shortest, others_longest] = waits_after_glare([&](uint32_t n) {
    auto c = std::make_unique<bench_of<invite_server>>(profile, test_id(n));
    const std::string head = " sip:bob@192.0.2.1 SIP/2.0\r\nVia: SIP/2.0/UDP 10.0.0.1;branch="
                             "z9hG4bKi\r\nMax-Forwards: 70\r\nFrom: <sip:a@192.0.2.2>;tag=a1\r\n"
                             "To: <sip:bob@192.0.2.1>";
    const std::string rest = "Contact: <sip:a@192.0.2.2>\r\nContent-Length: ";
    const auto invite =
      "INVITE" + head + "\r\nCall-ID: c1\r\nCSeq: 7 INVITE\r\n" + rest + "3\r\n\r\nv=0";
    message m;
    EXPECT_EQ(m.parse(invite), parse_verdict::good) << m.fault().cause;
    c->machine.start(c->now, m, 99, {}, c->out);
    EXPECT_TRUE(c->machine.answer(c->now, "v=0 answer", c->out));
    const auto id = test_id(n).text();
    c->take("ACK" + head + ";tag=" + std::string{view(id)} + "\r\nCall-ID: c1\r\nCSeq: 7 ACK\r\n" +
            rest + "0\r\n\r\n");
    return c;
  });
  // Of 200 some are at either end.
  constexpr milliseconds near{100};
  EXPECT_GE(owners_shortest, milliseconds{2'100});
  EXPECT_LT(owners_shortest, milliseconds{2'100} + near);
  EXPECT_GT(owners_longest, milliseconds{4'000} - near);
  EXPECT_LE(owners_longest, milliseconds{4'000});
  EXPECT_LT(others_shortest, near);
  EXPECT_GT(others_longest, milliseconds{2'000} - near);
  EXPECT_LE(others_longest, milliseconds{2'000});
}

TEST(call_race, unanswered_offer_gets_500) {
  call_pair w(1, clean);
  w.join_strays();
  w.answer_offers = false;
  w.call();
  w.at(seconds{2}, [&w] { w.client.send_request(w.now, method::invite, "v=0 mine", w.a); });
  w.at(seconds{60}, [&w] { w.client.hang_up(w.now, w.a); });
  ASSERT_TRUE(w.run());
  EXPECT_EQ(w.b.count(event_kind::offer_withdrawn), 1u);
  EXPECT_EQ(w.a.last(event_kind::response)->event.status, 500);
  EXPECT_EQ(w.cause_b(), end_cause::remote_bye);
}

TEST(call_race, no_ack_hangs_up) {
  call_pair w(1, clean);
  w.join_strays();
  w.call();
  auto relay = w.a.relay;
  w.a.relay = [relay](const sent_message& m) {
    if (m.what != method::ack)
      relay(m);
  };
  ASSERT_TRUE(w.run());
  EXPECT_EQ(w.cause_b(), end_cause::no_ack);
  EXPECT_EQ(w.cause_a(), end_cause::remote_bye);
}

} // namespace
} // namespace jackfield::sip

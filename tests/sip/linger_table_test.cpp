#include "engine/sip/linger_table.hpp"

#include <gtest/gtest.h>

#include "engine/sip/request_text.hpp"
#include "tests/sip/ua_harness.hpp"

namespace jackfield::sip {
namespace {

using namespace testing;

TEST(linger_table, bounded_fifo) {
  linger_table table(100, seconds{32}, 3);
  time_point now{seconds{1}};
  for (uint32_t i = 0; i < 1000; ++i) {
    table.answer_bye(now, test_id(i), 200);
    now += milliseconds{1};
  }
  EXPECT_EQ(table.size(), 100u);
  EXPECT_EQ(table.evicted(), 900u);
  recorder out;
  table.on_time(now + seconds{31}, out);
  EXPECT_EQ(table.size(), 100u);
  table.on_time(now + seconds{32}, out);
  EXPECT_EQ(table.size(), 0u);
  EXPECT_EQ(table.next_deadline(), never);
  EXPECT_LE(table.heap_bytes(), 100u * 40 + 256 * 4);
}

/// As many legs may be over as come and go in 32 s: each answers a copy of its BYE (RFC 3261
/// §15.1.2) as it did, until its time is up, and no other does.
TEST(linger_table, answers_for_each_of_many_legs_in_its_time) {
  constexpr uint32_t legs = 3'000;
  const auto profile = udp_profile("192.0.2.1");
  linger_table table(legs, seconds{32}, 3);
  const time_point begin{seconds{1}};
  const auto status_of = [](uint32_t leg) { return 200 + static_cast<int>(leg % 100); };
  for (uint32_t i = 0; i < legs; ++i)
    table.answer_bye(begin + milliseconds{i}, test_id(i), status_of(i));
  ASSERT_EQ(table.size(), legs);
  // Of the second time a leg is left it keeps the status.
  table.answer_bye(begin + milliseconds{legs}, test_id(7), status_of(7));
  EXPECT_EQ(table.size(), legs);
  recorder out;
  const auto answer_to = [&](uint32_t leg, time_point now) {
    const auto tag = test_id(leg).text();
    const auto text =
      "BYE sip:a@192.0.2.1 SIP/2.0\r\nVia: SIP/2.0/UDP 192.0.2.2;branch=z9hG4bKb\r\n"
      "Max-Forwards: 70\r\nFrom: <sip:b@192.0.2.2>;tag=b1\r\n"
      "To: <sip:a@192.0.2.1>;tag=" +
      std::string{view(tag)} + "\r\nCall-ID: c\r\nCSeq: 2 BYE\r\nContent-Length: 0\r\n\r\n";
    message m;
    EXPECT_EQ(m.parse(text), parse_verdict::good) << m.fault().cause;
    out.clear();
    const auto known = table.on_message(now, m, profile, out);
    EXPECT_EQ(out.sent.size(), known ? 1U : 0U);
    return known ? out.last_sent().status : 0;
  };
  const auto then = begin + milliseconds{legs};
  for (uint32_t i = 0; i < legs; ++i)
    ASSERT_EQ(answer_to(i, then), status_of(i)) << i;
  EXPECT_EQ(answer_to(legs, then), 0) << "a stranger";
  for (uint32_t gone = 500; gone < legs; gone += 500) {
    const auto now = begin + seconds{32} + milliseconds{gone};
    for (uint32_t i = 0; i < legs; ++i)
      ASSERT_EQ(answer_to(i, now), i <= gone ? 0 : status_of(i)) << i << " of " << gone;
  }
}

/// RFC 3261 §8.2.2.2: From tag, Call-ID and CSeq, which is number and method; not the branch. And
/// whom it is for: two users of one server are not one.
TEST(merge_key, is_of_from_tag_call_id_cseq_and_callee) {
  const auto key = [](std::string_view tag, std::string_view call_id, std::string_view cseq,
                      std::string_view branch, uint64_t seed = 7, std::string_view callee = "b") {
    const auto text = std::string{cseq.substr(cseq.find(' ') + 1)} + " sip:" + std::string{callee} +
                      "@192.0.2.2 SIP/2.0\r\nVia: SIP/2.0/UDP 192.0.2.1;branch=z9hG4bK" +
                      std::string{branch} +
                      "\r\nMax-Forwards: 70\r\nFrom: <sip:a@192.0.2.1>;tag=" + std::string{tag} +
                      "\r\nTo: <sip:b@192.0.2.2>\r\nCall-ID: " + std::string{call_id} +
                      "\r\nCSeq: " + std::string{cseq} + "\r\nContent-Length: 0\r\n\r\n";
    message m;
    EXPECT_EQ(m.parse(text), parse_verdict::good) << m.fault().cause << text;
    return merge_key(m, seed);
  };
  const auto one = key("t", "c", "1 INVITE", "x");
  EXPECT_EQ(key("t", "c", "1 INVITE", "y"), one) << "came another way";
  EXPECT_NE(key("u", "c", "1 INVITE", "x"), one);
  EXPECT_NE(key("t", "d", "1 INVITE", "x"), one);
  EXPECT_NE(key("t", "c", "2 INVITE", "x"), one) << "another request of the same call";
  EXPECT_NE(key("t", "c", "1 OPTIONS", "x"), one);
  EXPECT_NE(key("t", "c", "1 INVITE", "x", 8), one) << "another seed";
  EXPECT_NE(key("t", "c", "1 INVITE", "y", 7, "d"), one) << "forked to another user";
}

std::string ack_of(recorder& out) {
  auto all = out.all(method::ack);
  return all.empty() ? std::string{} : all.back()->text;
}

struct late_answer : ::testing::Test {
  ua_profile profile = udp_profile("192.0.2.1");
  linger_table table{100, seconds{32}, 3};
  recorder out;
  time_point now{seconds{1000}};

  std::string response(int status, std::string_view tag) {
    auto branch = branch_id{test_id(1), 0}.text();
    auto id = test_id(1).text();
    return "SIP/2.0 " + std::to_string(status) +
           " x\r\nVia: SIP/2.0/UDP 192.0.2.1;branch=" + std::string(view(branch)) +
           "\r\nFrom: <sip:a@192.0.2.1>;tag=" + std::string(view(id)) +
           "\r\nTo: <sip:b@192.0.2.2>;tag=" + std::string(tag) +
           "\r\nCall-ID: " + std::string(view(id)) +
           "\r\nCSeq: 1 INVITE\r\nContact: <sip:b@192.0.2.66>\r\n"
           "Content-Length: 0\r\n\r\n";
  }
  bool take(const std::string& text) {
    message m;
    EXPECT_EQ(m.parse(text), parse_verdict::good) << m.fault().cause;
    return table.on_message(now, m, profile, out);
  }
};

TEST_F(late_answer, is_acked_and_hung_up_until_the_bye_is_answered) {
  table.answer_late_2xx(now, test_id(1), 0);
  ASSERT_TRUE(take(response(200, "b1")));
  ASSERT_EQ(out.all(method::ack).size(), 1u);
  ASSERT_EQ(out.all(method::bye).size(), 1u);
  EXPECT_EQ(out.last_sent().next_hop, "sip:b@192.0.2.66");
  ASSERT_TRUE(take(response(200, "b1"))); // the ACK was lost
  EXPECT_EQ(out.all(method::ack).size(), 2u);
  EXPECT_EQ(out.all(method::bye).size(), 1u);
  now += milliseconds{500};
  table.on_time(now, out); // timer E
  EXPECT_EQ(out.all(method::bye).size(), 2u);
  ASSERT_TRUE(take(response(200, "b2"))); // another fork
  EXPECT_EQ(out.all(method::bye).size(), 3u);
  EXPECT_EQ(table.late_answers(), 2u);
  auto bye = out.all(method::bye)[0]->text;
  ASSERT_TRUE(take(response_to(bye, 200, "")));
  now += seconds{40};
  table.on_time(now, out);
  EXPECT_EQ(table.next_deadline(), never);
}

TEST_F(late_answer, of_the_dialog_that_was_used_is_only_acked) {
  table.answer_late_2xx(now, test_id(1), hash_of_tag("b1"));
  ASSERT_TRUE(take(response(200, "b1")));
  EXPECT_EQ(out.all(method::ack).size(), 1u);
  EXPECT_TRUE(out.all(method::bye).empty());
}

TEST_F(late_answer, failure_is_acked_within_its_transaction) {
  table.answer_late_2xx(now, test_id(1), 0);
  ASSERT_TRUE(take(response(486, "b1")));
  auto branch = branch_id{test_id(1), 0}.text();
  EXPECT_NE(ack_of(out).find(view(branch)), std::string::npos);
  EXPECT_TRUE(out.all(method::bye).empty());
}

TEST_F(late_answer, of_a_stranger_is_not_ours) {
  EXPECT_FALSE(take(response(200, "b1")));
  EXPECT_TRUE(out.sent.empty());
}

} // namespace
} // namespace jackfield::sip

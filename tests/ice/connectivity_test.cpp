#include "engine/ice/connectivity.hpp"

#include <algorithm>
#include <optional>

#include <gtest/gtest.h>

#include "engine/ice/stun_wire.hpp"
#include "tests/ice/simulated_ends.hpp"

namespace jackfield::ice {
namespace {

using namespace tests;

/// A check as the far end sends it.
struct far_check {
  std::string username = "near:farr";
  std::string password = near_credentials.pwd;
  bool controlling = true;
  bool use_candidate = false;
  uint64_t tie_breaker = 2000;

  [[nodiscard]] std::string text() const {
    stun_buffer buffer;
    const size_t colon = username.find(':');
    const auto bytes =
      write_check(buffer,
                  {transaction_id{std::byte{9}}, username.substr(0, colon),
                   username.substr(colon + 1), 1, controlling, tie_breaker, use_candidate},
                  password);
    return {reinterpret_cast<const char*>(bytes.data()), bytes.size()};
  }
};

/// One end, spoken to by hand.
struct ice_connectivity : testing::Test {
  void start(bool controlling, bool lite = false) {
    auto settings = near_end(controlling);
    settings.lite = lite;
    end.emplace(settings, time_point{}, random);
  }
  void hear(const lane::endpoint& from, const std::string& bytes, time_point now = {}) {
    end->on_stun(from, std::as_bytes(std::span{bytes}), now, host);
  }
  void succeed(const lane::endpoint& from, const sent_message& request, time_point now,
               const std::string& password = far_credentials.pwd) {
    stun_buffer buffer;
    end->on_stun(from, write_success(buffer, request.read().id, near_address, password), now, host);
  }
  /// The first consent check.
  sent_message consent_check() {
    end->on_timer(end->deadline(), host);
    auto sent = host.take();
    EXPECT_EQ(sent.size(), 1u);
    return sent.at(0);
  }

  seeded_random random{1};
  recorder host;
  std::optional<connectivity> end;
};

TEST_F(ice_connectivity, answers_an_authenticated_check_from_wherever_it_comes) {
  start(false);
  for (const auto& from : {far_address, *lane::endpoint::parse("2001:db8::7", 7)}) {
    hear(from, far_check{}.text());
    const auto sent = host.take();
    ASSERT_FALSE(sent.empty());
    EXPECT_EQ(sent[0].to, from);
    const auto answer = sent[0].read();
    EXPECT_EQ(answer.kind, message_class::success);
    EXPECT_EQ(answer.id, transaction_id{std::byte{9}});
    EXPECT_EQ(answer.mapped, from);
    EXPECT_TRUE(answer.has_fingerprint);
    EXPECT_TRUE(has_integrity(sent[0].view(), answer, near_credentials.pwd));
  }
  EXPECT_EQ(end->counts().answered, 2u);
  EXPECT_TRUE(host.remotes.empty());
}

TEST_F(ice_connectivity, refuses_a_wrong_ufrag_or_password_with_401_and_moves_nothing) {
  start(false);
  uint32_t refused = 0;
  for (const auto& check : {far_check{"nobody:farr", near_credentials.pwd, true, true},
                            far_check{"nea:farr", near_credentials.pwd, true, true},
                            far_check{"near:farr", near_credentials.pwd + "x", true, true},
                            far_check{"near:farr", far_credentials.pwd, true, true}}) {
    hear(other_address, check.text());
    const auto sent = host.take();
    ASSERT_EQ(sent.size(), 1u);
    EXPECT_EQ(sent[0].read().error, 401);
    EXPECT_EQ(sent[0].read().integrity_at, 0);
    EXPECT_EQ(end->counts().unauthenticated, ++refused);
  }
  hear(other_address, far_check{"near:farr", "", true, true}.text());
  EXPECT_EQ(host.take().at(0).read().error, 400);
  EXPECT_TRUE(host.remotes.empty());
  EXPECT_EQ(end->remote(), far_address);
  EXPECT_FALSE(end->on_media_heard(other_address, time_point{}));
}

TEST_F(ice_connectivity, says_nothing_to_a_request_with_a_wrong_fingerprint_or_none) {
  start(false);
  auto wrong = far_check{}.text();
  wrong.back() = static_cast<char>(wrong.back() ^ 1);
  hear(far_address, wrong);
  auto without = far_check{}.text();
  without.resize(without.size() - 8);
  without[3] = static_cast<char>(without.size() - 20);
  hear(far_address, without);
  EXPECT_TRUE(host.sent.empty());
  EXPECT_EQ(end->counts().malformed, 2u);
}

TEST_F(ice_connectivity, sec_06_ignores_forged_responses) {
  start(false);
  const auto check = consent_check();
  const auto lost_at = time_point{} + 30s;
  const auto at = end->deadline();
  succeed(far_address, check, at, "notThePasswordOfTheFarEnd");
  succeed(other_address, check, at);
  stun_buffer buffer;
  auto id = check.read().id;
  id[0] ^= std::byte{1};
  end->on_stun(far_address, write_success(buffer, id, near_address, far_credentials.pwd), at, host);
  // An error says nothing about consent either, whoever sent it.
  end->on_stun(far_address,
               write_error(buffer, check.read().id, stun_error::unauthenticated, {}, {}), at, host);
  EXPECT_EQ(end->counts().unmatched, 4u);
  EXPECT_EQ(end->counts().confirmed, 0u);
  end->on_timer(lost_at - 1ns, host);
  EXPECT_FALSE(end->lost());
  end->on_timer(lost_at, host);
  EXPECT_TRUE(end->lost());
}

TEST_F(ice_connectivity, sec_06_never_uses_a_transaction_id_twice_for_consent) {
  start(false);
  std::vector<transaction_id> ids;
  for (int i = 0; i < 100; ++i) {
    const auto at = end->deadline();
    const auto check = consent_check();
    EXPECT_EQ(std::ranges::count(ids, check.read().id), 0);
    ids.push_back(check.read().id);
    succeed(far_address, check, at);
  }
  EXPECT_EQ(end->counts().confirmed, 100u);
}

TEST_F(ice_connectivity, believes_the_answer_to_an_earlier_consent_check) {
  start(false);
  const auto first = consent_check();
  const auto at = end->deadline();
  static_cast<void>(consent_check());
  succeed(far_address, first, at);
  EXPECT_EQ(end->counts().confirmed, 1u);
  end->on_timer(time_point{} + 30s, host);
  EXPECT_FALSE(end->lost());
}

TEST_F(ice_connectivity, sends_consent_checks_every_four_to_six_seconds) {
  start(false);
  auto last = time_point{};
  auto least = lane::duration::max();
  auto most = lane::duration::zero();
  for (int i = 0; i < 1000; ++i) {
    const auto at = end->deadline();
    least = std::min(least, at - last);
    most = std::max(most, at - last);
    last = at;
    succeed(far_address, consent_check(), at);
  }
  EXPECT_GE(least, 4s);
  EXPECT_LE(least, 4100ms);
  EXPECT_LE(most, 6s);
  EXPECT_GE(most, 5900ms);
}

TEST_F(ice_connectivity, is_silent_for_ever_once_consent_is_lost) {
  start(true);
  time_point lost{};
  for (auto at = end->deadline(); at != time_point::max(); at = end->deadline()) {
    lost = at;
    end->on_timer(at, host);
  }
  EXPECT_EQ(lost, time_point{} + 30s);
  EXPECT_EQ(host.lost, 1);
  host.take();
  hear(far_address, far_check{.controlling = false}.text(), lost);
  end->on_timer(lost + 1h, host);
  EXPECT_TRUE(host.sent.empty());
  EXPECT_EQ(host.lost, 1);
  EXPECT_FALSE(end->on_media_heard(far_address, lost));
}

TEST_F(ice_connectivity, follows_a_nomination_once_its_own_check_is_answered) {
  start(false);
  hear(other_address, far_check{.use_candidate = true}.text());
  auto sent = host.take();
  ASSERT_EQ(sent.size(), 2u); // the answer and a check
  EXPECT_EQ(sent[1].to, other_address);
  EXPECT_EQ(sent[1].read().kind, message_class::request);
  EXPECT_EQ(end->remote(), far_address);
  EXPECT_FALSE(end->on_media_heard(other_address, time_point{}));
  succeed(far_address, sent[1], time_point{} + 20ms);
  EXPECT_EQ(end->remote(), far_address);
  succeed(other_address, sent[1], time_point{} + 20ms);
  EXPECT_EQ(end->remote(), other_address);
  EXPECT_EQ(host.remotes, std::vector{other_address});
  EXPECT_TRUE(end->on_media_heard(other_address, time_point{} + 20ms));
  // What was under way on the old pair is still heard.
  EXPECT_TRUE(end->on_media_heard(far_address, time_point{} + 20ms));
}

TEST_F(ice_connectivity, follows_a_nomination_at_once_where_the_pair_is_validated) {
  start(false);
  hear(other_address, far_check{}.text());
  const auto sent = host.take();
  ASSERT_EQ(sent.size(), 2u);
  succeed(other_address, sent[1], time_point{} + 20ms);
  EXPECT_TRUE(host.remotes.empty());
  hear(other_address, far_check{.use_candidate = true}.text(), time_point{} + 1s);
  EXPECT_EQ(host.remotes, std::vector{other_address});
  EXPECT_EQ(host.take().size(), 1u);
  // And back again.
  hear(far_address, far_check{.use_candidate = true}.text(), time_point{} + 2s);
  EXPECT_EQ(end->remote(), far_address);
}

TEST_F(ice_connectivity, checks_a_nominated_pair_again_until_it_is_answered) {
  start(false);
  hear(other_address, far_check{.use_candidate = true}.text());
  std::vector<lane::duration> at{0ms};
  host.take();
  for (auto t = end->deadline(); t < time_point{} + 4s; t = end->deadline()) {
    end->on_timer(t, host);
    for (const auto& message : host.take()) {
      EXPECT_EQ(message.to, other_address);
      at.push_back(t - time_point{});
    }
  }
  EXPECT_EQ(at, (std::vector<lane::duration>{0ms, 50ms, 100ms, 200ms, 400ms, 600ms, 800ms, 1000ms,
                                             1200ms, 1400ms, 1600ms, 1800ms, 2800ms, 3800ms}));
  EXPECT_EQ(end->remote(), far_address);
}

TEST_F(ice_connectivity, ignores_a_nomination_by_who_does_not_know_the_password) {
  start(false);
  hear(other_address, far_check{"near:farr", "guess", true, true}.text());
  EXPECT_EQ(host.take().size(), 1u);
  EXPECT_LE(end->deadline() - time_point{}, 6s);
  EXPECT_GE(end->deadline() - time_point{}, 4s); // no check of its own is under way
}

TEST_F(ice_connectivity, keeps_few_of_the_addresses_it_hears_from) {
  start(false);
  for (uint16_t port = 1; port <= 1000; ++port)
    hear(other_address.with_port(port), far_check{}.text());
  host.take();
  end->on_timer(time_point{} + 50ms, host);
  EXPECT_EQ(host.take().size(), 3u);
  EXPECT_EQ(end->counts().answered, 1000u);
}

TEST_F(ice_connectivity, does_not_let_a_controlled_peer_nominate) {
  start(true);
  hear(other_address, far_check{.controlling = false, .use_candidate = true}.text());
  const auto sent = host.take();
  ASSERT_EQ(sent.size(), 2u);
  succeed(other_address, sent[1], time_point{} + 20ms);
  EXPECT_EQ(end->remote(), far_address);
  EXPECT_TRUE(end->on_media_heard(other_address, time_point{} + 20ms));
}

TEST_F(ice_connectivity, goes_where_the_peer_is_heard_when_the_pair_is_dead_and_nominates_that) {
  start(true);
  end->on_timer(time_point{}, host);
  succeed(far_address, host.take().at(0), time_point{} + 10ms);
  EXPECT_FALSE(end->nominating());
  const auto late = time_point{} + 15s;
  hear(other_address, far_check{.controlling = false}.text(), late);
  const auto sent = host.take();
  ASSERT_EQ(sent.size(), 2u);
  succeed(other_address, sent[1], late + 10ms);
  EXPECT_EQ(end->remote(), other_address);
  end->on_timer(late + 10ms, host);
  const auto check = host.take().at(0);
  EXPECT_EQ(check.to, other_address);
  EXPECT_TRUE(check.read().use_candidate);
}

TEST_F(ice_connectivity, tells_a_peer_in_its_own_role_to_change_if_it_has_the_higher_tie_breaker) {
  start(true);
  hear(far_address, far_check{.controlling = true, .tie_breaker = 999}.text());
  EXPECT_EQ(host.take().at(0).read().error, 487);
  EXPECT_TRUE(end->controlling());
  start(false);
  hear(far_address, far_check{.controlling = false, .tie_breaker = 1001}.text());
  EXPECT_EQ(host.take().at(0).read().error, 487);
  EXPECT_FALSE(end->controlling());
}

TEST_F(ice_connectivity, changes_its_own_role_otherwise) {
  start(true);
  hear(far_address, far_check{.controlling = true, .tie_breaker = 1001}.text());
  EXPECT_EQ(host.take().at(0).read().kind, message_class::success);
  EXPECT_FALSE(end->controlling());
  start(false);
  hear(far_address, far_check{.controlling = false, .tie_breaker = 1000}.text());
  EXPECT_EQ(host.take().at(0).read().kind, message_class::success);
  EXPECT_TRUE(end->controlling());
  EXPECT_TRUE(end->nominating());
}

TEST_F(ice_connectivity, changes_its_role_when_it_is_told_to_and_asks_again) {
  start(true);
  end->on_timer(time_point{}, host);
  const auto check = host.take().at(0);
  EXPECT_TRUE(check.read().controlling);
  stun_buffer buffer;
  // Who has not the password changes nothing.
  end->on_stun(far_address, write_error(buffer, check.read().id, stun_error::role_conflict, {}, {}),
               time_point{}, host);
  EXPECT_TRUE(end->controlling());
  end->on_stun(
    far_address,
    write_error(buffer, check.read().id, stun_error::role_conflict, far_credentials.pwd, {}),
    time_point{}, host);
  EXPECT_FALSE(end->controlling());
  end->on_timer(time_point{}, host);
  const auto again = host.take().at(0).read();
  EXPECT_TRUE(again.controlled);
  EXPECT_NE(again.id, check.read().id);
}

TEST_F(ice_connectivity, names_the_attribute_it_does_not_understand) {
  start(false);
  // A check with one more attribute before the integrity, both checksums made anew.
  auto text = far_check{}.text();
  text.resize(text.size() - 32);
  text += std::string{"\x7a\xbc\x00\x00", 4};
  const size_t integrity_at = text.size();
  std::array<std::byte, wire::integrity_size> code{};
  ASSERT_TRUE(
    wire::integrity(std::as_bytes(std::span{text}), integrity_at, near_credentials.pwd, code));
  text += std::string{"\x00\x08\x00\x14", 4};
  text.append(reinterpret_cast<const char*>(code.data()), code.size());
  text[3] = static_cast<char>(text.size() + 8 - wire::header_size);
  const uint32_t crc = wire::crc32(std::as_bytes(std::span{text})) ^ wire::fingerprint_mask;
  text += std::string{"\x80\x28\x00\x04", 4};
  std::array<std::byte, 4> number{};
  wire::store32(number.data(), crc);
  text.append(reinterpret_cast<const char*>(number.data()), number.size());
  hear(far_address, text);
  const auto answer = host.take().at(0);
  EXPECT_EQ(answer.read().error, 420);
  EXPECT_NE(answer.bytes.find("\x7a\xbc"), std::string::npos);
  EXPECT_TRUE(has_integrity(answer.view(), answer.read(), near_credentials.pwd));
}

TEST_F(ice_connectivity, that_is_lite_answers_and_follows_without_asking) {
  start(true, true);
  EXPECT_FALSE(end->controlling());
  hear(other_address, far_check{.use_candidate = true}.text());
  EXPECT_EQ(host.take().size(), 1u);
  EXPECT_EQ(host.remotes, std::vector{other_address});
  hear(other_address, far_check{.controlling = false, .tie_breaker = 1}.text());
  EXPECT_EQ(host.take().at(0).read().error, 487);
  end->on_timer(time_point{} + 29s, host);
  EXPECT_TRUE(host.sent.empty());
}

TEST_F(ice_connectivity, that_is_lite_waits_for_the_peer_to_nominate_an_address) {
  auto settings = near_end(false);
  settings.lite = true;
  settings.remote_address = {};
  settings.remote = {};
  end.emplace(settings, time_point{}, random);
  EXPECT_FALSE(end->remote().valid());
  EXPECT_EQ(end->deadline(), time_point::max());
  EXPECT_FALSE(end->on_media_heard(far_address, time_point{})) << "from a stranger";
  hear(far_address, far_check{.password = "not the password at all"}.text());
  EXPECT_EQ(host.take().at(0).read().error, 401);
  hear(far_address, far_check{}.text());
  EXPECT_EQ(host.take().at(0).read().kind, message_class::success);
  EXPECT_TRUE(host.remotes.empty()) << "not nominated yet";
  EXPECT_TRUE(end->on_media_heard(far_address, time_point{})) << "but known";
  end->on_timer(time_point{} + 10min, host);
  EXPECT_FALSE(end->lost());
  hear(far_address, far_check{.use_candidate = true}.text(), time_point{} + 10min);
  EXPECT_EQ(host.remotes, std::vector{far_address});
  EXPECT_EQ(host.take().size(), 1u) << "the answer alone";
  EXPECT_EQ(end->deadline(), time_point{} + 10min + connectivity::consent_expiry);
}

TEST_F(ice_connectivity, that_is_lite_is_lost_after_thirty_seconds_of_silence_and_of_that_alone) {
  start(false, true);
  stun_buffer buffer;
  auto now = time_point{};
  const auto after = [&](lane::duration pause) {
    end->on_timer(now += pause, host);
    return now;
  };
  EXPECT_TRUE(end->on_media_heard(far_address, after(29s)));
  hear(far_address, far_check{}.text(), after(29s));
  EXPECT_EQ(host.take().size(), 1u);
  std::string keepalive{"\x00\x11\x00\x00\x21\x12\xa4\x42", 8};
  keepalive.resize(20, '\1');
  hear(far_address, keepalive, after(29s));
  const auto from_nobody = write_success(buffer, {std::byte{4}}, near_address, "whatever");
  end->on_stun(far_address, from_nobody, after(10s), host);
  hear(other_address, far_check{}.text(), after(10s));
  EXPECT_TRUE(end->on_media_heard(other_address, after(9s)));
  EXPECT_FALSE(end->lost());
  EXPECT_EQ(host.take().size(), 1u) << "asks for nothing";
  after(1s);
  EXPECT_TRUE(end->lost());
  EXPECT_EQ(host.lost, 1);
  EXPECT_EQ(end->deadline(), time_point::max());
}

} // namespace
} // namespace jackfield::ice

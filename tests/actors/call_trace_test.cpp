#include <string>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "actors/wire/call_trace.hpp"
#include "engine/sip/digest.hpp"
#include "tests/actors/raw_peer.hpp"
#include "tests/actors/sim_world.hpp"

namespace jackfield {
namespace {

using namespace std::chrono_literals;
using testing::HasSubstr;
using testing::MatchesRegex;
using testing::Not;
using testing::StartsWith;

class text_outlet final : public trace_outlet {
public:
  void write(std::string more) override { text += more; }
  [[nodiscard]] bool is_open() const noexcept override { return open; }

  /// How many lines begin so.
  [[nodiscard]] size_t lines(std::string_view beginning) const {
    size_t n = text.starts_with(beginning) ? 1 : 0;
    const auto line = "\n" + std::string{beginning};
    for (auto at = text.find(line); at != std::string::npos; at = text.find(line, at + 1))
      ++n;
    return n;
  }

  std::string text;
  bool open = true;
};

class call_trace_test : public testing::Test {
protected:
  call_trace_test()
      : world_(11), caller_(world_.add_site("10.0.0.1")), callee_(world_.add_site("10.0.0.2")),
        peer_(world_.lane(), "10.0.0.3") {
    settings_.outlet = outlet_;
    peer_.on_message = [this](const std::string& m) { answer(m); };
  }

  /// The peer takes the calls to its "good" user and refuses all others.
  void answer(const std::string& m) {
    if (m.starts_with("INVITE sip:good"))
      peer_.answer(m, 200, {},
                   "v=0\r\no=- 1 1 IN IP4 10.1.0.3\r\ns=-\r\nc=IN IP4 10.1.0.3\r\nt=0 0\r\n"
                   "m=audio 20000 RTP/AVP 0\r\na=inactive\r\n");
    else if (m.starts_with("INVITE "))
      peer_.answer(m, 486);
    else if (m.starts_with("BYE "))
      peer_.answer(m, 200);
  }

  [[nodiscard]] std::shared_ptr<call_target> user(const std::string& name) const {
    auto target = target_of(peer_.address());
    target->uri = "sip:" + name + "@" + peer_.address().to_string();
    return target;
  }

  /// Calls the users in turn, one a second.
  void run(std::vector<std::shared_ptr<const call_target>> users, const transport::target& to,
           load_flow flow = load_flow::call) {
    auto plan = std::make_shared<load_plan>();
    plan->flow = flow;
    plan->arrivals.phases = {{1, 1, std::nullopt}};
    plan->arrivals.calls = users.size();
    plan->length.mean = 100ms;
    plan->targets = std::move(users);
    plan->trace = std::make_shared<const trace_settings>(settings_);
    world_.run_load(caller_, plan,
                    std::make_shared<const call_manner>(manner_between(caller_, to)));
    EXPECT_TRUE(world_.run_until_finished(10min));
  }
  void run(std::vector<std::shared_ptr<const call_target>> users) {
    run(std::move(users), {transport::protocol::udp, peer_.address()});
  }

  std::shared_ptr<text_outlet> outlet_ = std::make_shared<text_outlet>();
  trace_settings settings_;
  sim_world world_;
  sim_site& caller_;
  sim_site& callee_;
  raw_peer peer_;
};

TEST_F(call_trace_test, of_failed_calls_only) {
  run({user("good"), user("busy"), user("good")});
  const auto& text = outlet_->text;
  EXPECT_EQ(outlet_->lines("=== call "), 1U) << text;
  EXPECT_THAT(text, HasSubstr(" failed: sip_486; 3 messages\n"));
  EXPECT_EQ(outlet_->lines("INVITE sip:busy@"), 1U) << text;
  EXPECT_EQ(outlet_->lines("SIP/2.0 486"), 1U) << text;
  EXPECT_EQ(outlet_->lines("ACK sip:busy@"), 1U) << text;
  EXPECT_THAT(text, Not(HasSubstr("sip:good@")));
  world_.expect_nothing_left();
}

TEST_F(call_trace_test, of_all_calls_as_they_come) {
  settings_.all = true;
  run({user("good"), user("busy")});
  const auto& text = outlet_->text;
  EXPECT_EQ(outlet_->lines("--- "), 8U) << text;
  EXPECT_EQ(outlet_->lines("BYE "), 1U) << text;
  EXPECT_EQ(outlet_->lines("=== "), 0U) << text;
  EXPECT_THAT(
    text.substr(0, text.find('\n')),
    MatchesRegex("--- [0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2}\\.[0-9]{6}Z "
                 "\\+0\\.000000s UDP 10\\.0\\.0\\.1:5060 -> 10\\.0\\.0\\.3:[0-9]+ lane 0, "
                 "[0-9]+ bytes"));
  const auto second = text.find("\n--- ");
  EXPECT_THAT(text.substr(second, text.find('\n', second + 1) - second), HasSubstr(" <- "));
  EXPECT_THAT(text, HasSubstr("\r\n\r\n\n---")) << "a message is shown to its end, then a gap";
  world_.expect_nothing_left();
}

TEST_F(call_trace_test, without_an_answer) {
  peer_.on_message = nullptr;
  run({user("deaf")});
  EXPECT_THAT(outlet_->text, HasSubstr(" failed: timeout; 7 messages\n"));
  EXPECT_EQ(outlet_->lines("INVITE "), 7U) << "retransmissions are messages";
  EXPECT_THAT(outlet_->text, HasSubstr("Z +0.500000s UDP"));
  world_.expect_nothing_left();
}

TEST_F(call_trace_test, of_digest_shows_no_response) {
  peer_.on_message = [this](const std::string& m) {
    if (m.starts_with("INVITE "))
      peer_.answer(m, header_line(m, "Authorization").empty() ? 401 : 403,
                   "WWW-Authenticate: Digest realm=\"r\", nonce=\"abc\", qop=\"auth\"\r\n");
  };
  auto target = user("bob");
  target->credentials.emplace_back("bob", "*", "secret", std::vector<std::string>{"10.0.0.3"});
  run({target});
  const auto authorization = header_line(peer_.last("INVITE "), "Authorization");
  const auto at = authorization.find("response=\"") + 10;
  const auto response = authorization.substr(at, authorization.find('"', at) - at);
  EXPECT_EQ(response.size(), 32U) << authorization;
  EXPECT_THAT(outlet_->text, Not(HasSubstr(response)));
  EXPECT_THAT(outlet_->text, HasSubstr("response=\"***\""));
  EXPECT_THAT(outlet_->text, HasSubstr("nonce=\"abc\""));
  EXPECT_THAT(outlet_->text, HasSubstr(" failed: sip_403; 6 messages\n"));
  world_.expect_nothing_left();
}

TEST_F(call_trace_test, of_registrations_and_other_requests) {
  peer_.on_message = [this](const std::string& m) {
    peer_.answer(m, m.starts_with("REGISTER") ? 403 : 200);
  };
  run({user("a")}, {transport::protocol::udp, peer_.address()}, load_flow::register_);
  EXPECT_THAT(outlet_->text, HasSubstr(" failed: sip_403; 2 messages\n"));
  EXPECT_EQ(outlet_->lines("REGISTER "), 1U) << outlet_->text;
  world_.expect_nothing_left();
}

TEST_F(call_trace_test, of_a_good_request_is_empty) {
  peer_.on_message = [this](const std::string& m) { peer_.answer(m, 200); };
  run({user("a")}, {transport::protocol::udp, peer_.address()}, load_flow::options);
  EXPECT_EQ(outlet_->text, "");
  world_.expect_nothing_left();
}

TEST_F(call_trace_test, leaves_out_the_middle_of_a_long_call) {
  settings_.bytes_a_call = 4000;
  int rings = 0;
  peer_.on_message = [this, &rings](const std::string& m) {
    if (!m.starts_with("INVITE "))
      return;
    for (; rings < 20; ++rings)
      peer_.answer(m, 180, "X-Number: " + std::to_string(rings) + "\r\n");
    peer_.answer(m, 486);
  };
  run({user("busy")});
  const auto& text = outlet_->text;
  EXPECT_THAT(text, StartsWith("=== call "));
  EXPECT_THAT(text, HasSubstr(" left out\n"));
  EXPECT_EQ(outlet_->lines("INVITE "), 1U) << text;
  EXPECT_THAT(text, HasSubstr("X-Number: 0\r\n"));
  EXPECT_THAT(text, Not(HasSubstr("X-Number: 10\r\n")));
  EXPECT_THAT(text, HasSubstr("X-Number: 19\r\n"));
  EXPECT_EQ(outlet_->lines("SIP/2.0 486"), 1U) << text;
  EXPECT_EQ(outlet_->lines("ACK "), 1U) << text;
  const auto out = text.find(" left out here\n");
  ASSERT_NE(out, std::string::npos) << text;
  EXPECT_LT(text.find("X-Number: 0\r\n"), out);
  EXPECT_GT(text.find("X-Number: 19\r\n"), out);
  const auto said = text.rfind("=== ", out) + 4;
  EXPECT_EQ(outlet_->lines("--- ") + std::stoul(text.substr(said)), 23U)
    << "what is shown and what is left out is all there was\n"
    << text;
  world_.expect_nothing_left();
}

/// The registrar asks for credentials: what was asked and what was answered belong together.
TEST_F(call_trace_test, of_a_user_who_leaves_as_planned_is_empty) {
  peer_.on_message = [this](const std::string& m) {
    peer_.answer(m, header_line(m, "Authorization").empty() ? 401 : 200,
                 "WWW-Authenticate: Digest realm=\"r\", nonce=\"abc\", qop=\"auth\"\r\n");
  };
  auto target = user("bob");
  target->credentials.emplace_back("bob", "*", "secret", std::vector<std::string>{"10.0.0.3"});
  run({target}, {transport::protocol::udp, peer_.address()}, load_flow::register_);
  EXPECT_EQ(outlet_->text, "");
  EXPECT_EQ(world_.heard().finished->metrics->registrations.succeeded, 1U);
  world_.expect_nothing_left();
}

TEST_F(call_trace_test, of_more_calls_than_may_be_kept_says_so) {
  settings_.bytes_in_all = 600; // room for none
  run({user("busy"), user("busy")});
  EXPECT_EQ(outlet_->lines("=== call "), 0U) << outlet_->text;
  EXPECT_THAT(outlet_->text, HasSubstr(" calls not traced: too many at once\n"));
  world_.expect_nothing_left();
}

/// However large those were that went: as many of the latest as there is room for.
TEST_F(call_trace_test, keeps_the_latest_of_what_belongs_to_no_call) {
  settings_.bytes_astray = 4'000;
  const auto junk = [&](int number, size_t padding) {
    return "junk" + std::to_string(number) + " " + std::string(padding, 'x') + "\r\n\r\n";
  };
  world_.at(100ms, [&, this] {
    peer_.send(caller_.address, junk(0, 2'500));
    for (int i = 1; i < 6; ++i)
      peer_.send(caller_.address, junk(i, 300));
  });
  run({user("good")});
  const auto& text = outlet_->text;
  EXPECT_THAT(text, HasSubstr("5 messages, 1 before them left out\n")) << text;
  EXPECT_EQ(outlet_->lines("junk"), 5U) << text;
  EXPECT_EQ(outlet_->lines("junk0"), 0U) << text;
}

TEST_F(call_trace_test, ends_with_its_outlet) {
  settings_.all = true;
  outlet_->open = false;
  run({user("good"), user("busy")});
  EXPECT_EQ(outlet_->text, "");
  EXPECT_EQ(world_.heard().finished->metrics->calls.completed, 1U);
  world_.expect_nothing_left();
}

/// Whoever writes to us cannot write into the trace as if he was it.
TEST_F(call_trace_test, of_what_belongs_to_no_call_comes_last) {
  settings_.bytes_astray = 2000;
  const auto strangers = [this] {
    for (int i = 0; i < 20; ++i)
      peer_.send(caller_.address, "INVITE nonsense " + std::to_string(i) + "\r\n\r\n");
    peer_.send(caller_.address, "SIP/2.0 200 OK\r\nVia: SIP/2.0/UDP x;branch=z9hG4bKx\r\n"
                                "From: <sip:a@b>;tag=1\r\nTo: <sip:a@b>;tag=2\r\nCall-ID: stray\r\n"
                                "CSeq: 1 INVITE\r\nContent-Length: 0\r\n\r\n");
    peer_.send(caller_.address, "\x1b[2Junk\r\n=== call x failed: lies\r\n");
    peer_.send(caller_.address, "\r\n\r\n");
  };
  world_.at(500ms, strangers);
  run({user("busy"), user("busy")});
  const auto& text = outlet_->text;
  const auto heading = text.find("=== of no call: ");
  ASSERT_NE(heading, std::string::npos) << text;
  EXPECT_EQ(outlet_->lines("=== call "), 2U);
  EXPECT_GT(heading, text.rfind("\n=== call "));
  EXPECT_THAT(text.substr(heading), HasSubstr(" before them left out\n"));
  EXPECT_THAT(text, Not(HasSubstr("nonsense 0\r\n")));
  EXPECT_THAT(text, HasSubstr("nonsense 19\r\n"));
  EXPECT_THAT(text, HasSubstr(" bytes, malformed\n"));
  EXPECT_THAT(text, HasSubstr("Call-ID: stray\r\n"));
  EXPECT_THAT(text, HasSubstr("\\x1b[2Junk\r\n\\=== call x failed: lies\r\n"));
  world_.expect_nothing_left();
}

// -- answering -----------------------------------------------------------------------

class answering_trace_test : public call_trace_test {
protected:
  void serve(const answer_manner& manner, const registrar_settings& who = {}) {
    auto own = std::make_shared<registrar_settings>(who);
    own->secret = "a secret";
    service_ = world_.lane().spawn<answering_service>(
      callee_.context, std::make_shared<const answer_manner>(manner),
      std::shared_ptr<const registrar_settings>{own}, 1, std::shared_ptr<registrar_shards>{},
      std::make_shared<const trace_settings>(settings_));
    world_.lane().run_until(world_.lane().now());
  }
  void stop() {
    lane::tell(world_.lane(), caf::actor_cast<caf::strong_actor_ptr>(service_), service_stop{});
    world_.pass(1s);
    service_ = nullptr;
  }
  void say(const std::string& text) {
    peer_.send(callee_.address, text);
    world_.pass(100ms);
  }

  caf::actor service_;
};

TEST_F(answering_trace_test, of_refused_calls) {
  auto manner = answer_manner_of(callee_);
  manner.refuse_with = 486;
  serve(manner);
  say(peer_.request("INVITE", callee_.address, "one"));
  world_.pass(40s); // the refusal is never acknowledged
  EXPECT_THAT(outlet_->text, StartsWith("=== call raw failed: "));
  EXPECT_EQ(outlet_->lines("INVITE "), 1U);
  EXPECT_GE(outlet_->lines("SIP/2.0 486"), 7U) << "retransmissions too";
  stop();
}

TEST_F(answering_trace_test, of_requests_without_a_call_by_their_last_answer) {
  registrar_settings who;
  who.users["bob"][static_cast<size_t>(sip::digest_algorithm::md5)] = "00";
  serve(answer_manner_of(callee_), who);
  say(peer_.request("REGISTER", callee_.address, "one", {}, 1, {}, "never-came-back"));
  say(peer_.request("OPTIONS", callee_.address, "two", {}, 1, {}, "fine"));
  say(peer_.request("BYE", callee_.address, "three", "gone", 1, {}, "of-no-dialog"));
  EXPECT_EQ(outlet_->text, "") << "not settled yet";
  world_.pass(40s);
  const auto& text = outlet_->text;
  EXPECT_THAT(text, HasSubstr("=== request never-came-back failed: sip_401; 2 messages\n"));
  EXPECT_THAT(text, HasSubstr("=== request of-no-dialog failed: sip_481; 2 messages\n"));
  EXPECT_THAT(text, Not(HasSubstr("OPTIONS")));
  stop();
}

TEST_F(answering_trace_test, of_good_calls_is_empty) {
  serve(answer_manner_of(callee_));
  world_.call(caller_,
              std::make_shared<const call_manner>(manner_between(caller_, callee_.target())),
              target_of(callee_.address), 2s);
  world_.pass(60s);
  ASSERT_EQ(world_.heard().calls.size(), 1U);
  EXPECT_FALSE(world_.heard().calls[0].failure.failed());
  stop();
  EXPECT_EQ(outlet_->text, "");
}

} // namespace
} // namespace jackfield

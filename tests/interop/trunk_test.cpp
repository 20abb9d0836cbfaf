#include <csignal>
#include <memory>
#include <string>

#include <gtest/gtest.h>

#include "tests/interop/peers.hpp"

namespace jackfield::tests {
namespace {

/// `jackfield serve` with Kamailio as its providers, each a proxy before a SIP phone that answers.
class trunk : public testing::Test {
protected:
  void SetUp() override {
    if (!installed("kamailio"))
      GTEST_SKIP() << "no kamailio here: script/install-packages test";
    phone_ = start_answerer(folder_, "udp:127.0.0.1:0");
  }

  std::unique_ptr<process> start_provider(const scratch_folder& folder, kamailio_options options) {
    options.callee = "sip:" + loopback(phone_.port);
    return start_kamailio(folder, options);
  }
  void serve(const std::string& more) {
    program_ = std::make_unique<process>(
      "serve", folder_,
      arguments{JACKFIELD_PROGRAM, "serve", "-c",
                folder_.write("centre.toml", "[server]\nlisten = [\"udp:127.0.0.1:0\"]\n"
                                             "callers = \"trunks\"\nlanes = 2\n"
                                             "[[agent]]\nname = \"alice\"\npassword = \"pw\"\n" +
                                               more),
                "--events", "-"});
    port_ = port_in(program_->wait_for_rest_of_line("listening on UDP "));
    EXPECT_NE(port_, 0);
  }
  void wait_until_in_service(const std::string& name) {
    EXPECT_TRUE(program_->wait_for("\"trunk\":\"" + name + "\",\"state\":\"in_service\""));
  }
  load_outcome call_as_alice(const std::string& whom, const std::string& password = "pw") {
    return run_load(folder_, {sip_uri(whom, port_), "--users",
                              folder_.write("alice.csv", "user,password\nalice," + password + "\n"),
                              "-m", "3", "-r", "3", "-d", "1000"});
  }
  void finish() {
    program_->signal(SIGTERM);
    EXPECT_EQ(program_->wait(), 0);
  }

  scratch_folder folder_;
  scratch_folder folder_of_other_;
  answerer phone_;
  std::unique_ptr<process> program_;
  uint16_t port_ = 0;
};

TEST_F(trunk, calls_go_through_the_second_of_two_where_the_first_takes_none) {
  kamailio_options full;
  full.port = free_port();
  full.most = 0;
  const auto first = start_provider(folder_of_other_, full);
  kamailio_options usual;
  usual.port = free_port();
  usual.asks_callers = true;
  const auto second = start_provider(folder_, usual);
  serve("[[trunk]]\nname = \"first\"\nuri = \"sip:" + loopback(full.port) +
        "\"\noptions_every = \"30s\"\n"
        "[[trunk]]\nname = \"second\"\nuri = \"sip:" +
        loopback(usual.port) +
        "\"\nuser = \"user0\"\npassword = \"pw-user0\"\nregister = true\noptions_every = \"30s\"\n"
        "[[route]]\nprefix = \"+\"\ntrunks = [\"first\", \"second\"]\nstrip = 1\nprepend = "
        "\"00\"\n");
  wait_until_in_service("second");
  expect_all_completed(call_as_alice("+49123"), 3);
  const auto output = [](const process& p) { return p.standard_output() + p.standard_error(); };
  EXPECT_NE(output(*first).find("refused INVITE of alice"), std::string::npos);
  EXPECT_NE(output(*second).find("relayed BYE"), std::string::npos);
  const auto wrong = call_as_alice("+49123", "guessed");
  ASSERT_TRUE(wrong.summary.is_object());
  EXPECT_EQ(wrong.summary.at("calls").at("completed"), 0);
  EXPECT_EQ(wrong.summary.at("failures").at("auth_failed"), 3) << wrong.summary.at("failures");
  finish();
  const auto answered = phone_.finish();
  ASSERT_TRUE(answered.is_object());
  EXPECT_EQ(answered.at("calls").at("completed"), 3);
}

TEST_F(trunk, who_calls_the_registered_number_gets_into_the_queue) {
  kamailio_options options;
  options.port = free_port();
  const auto provider = start_provider(folder_, options);
  serve("[[queue]]\nname = \"support\"\nnumbers = [\"user0\"]\nmembers = \"all\"\n"
        "[[trunk]]\nname = \"only\"\nuri = \"sip:" +
        loopback(options.port) +
        "\"\nuser = \"user0\"\npassword = \"pw-user0\"\nregister = true\nfrom = [\"127.0.0.1\"]\n");
  wait_until_in_service("only");
  process agent{"agent", folder_,
                arguments{JACKFIELD_PROGRAM, "answer", "--users",
                          folder_.write("agents.csv", "user,password\nalice,pw\n"), "--register",
                          "sip:" + loopback(port_), "--duration", "1s"}};
  EXPECT_TRUE(agent.wait_for("registered 1 of 1"));
  const auto load = run_load(folder_, {sip_uri("user0", options.port), "-m", "2", "-r", "1",
                                       "--duration", "60s", "--callee-hangs-up", "expected"});
  ASSERT_TRUE(load.summary.is_object());
  EXPECT_EQ(load.summary.at("calls").at("completed"), 2) << load.summary.at("failures");
  agent.signal(SIGINT);
  (void)agent.wait();
  finish();
  const auto events = program_->standard_output();
  for (const auto* what : {"call.entered", "call.connected", "call.completed"})
    EXPECT_NE(events.find(what), std::string::npos) << what;
}

} // namespace
} // namespace jackfield::tests

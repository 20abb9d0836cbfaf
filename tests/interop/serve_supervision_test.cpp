#include <csignal>
#include <fstream>
#include <memory>
#include <string>

#include <gtest/gtest.h>

#include "tests/interop/http_client.hpp"
#include "tests/interop/peers.hpp"

namespace jackfield::tests {
namespace {

using json = nlohmann::json;

/// `jackfield serve` with an API, Alice who takes calls, and Carol who is in no queue.
class serve_supervision : public testing::Test {
protected:
  serve_supervision() {
    const std::string config = "[server]\nlisten = [\"udp:127.0.0.1:0\"]\nlanes = 2\n"
                               "[api]\nlisten = \"127.0.0.1:0\"\n"
                               "[[agent]]\nname = \"alice\"\npassword = \"pw-alice\"\n"
                               "[[agent]]\nname = \"carol\"\npassword = \"pw-carol\"\n"
                               "[[queue]]\nname = \"support\"\nnumbers = [\"100\"]\n"
                               "members = [\"alice\"]\nmusic = \"silence\"\n";
    program_ = std::make_unique<process>(
      "serve", folder_,
      arguments{JACKFIELD_PROGRAM, "serve", "-c", folder_.write("centre.toml", config)});
    sip_ = port_in(program_->wait_for_rest_of_line("listening on UDP "));
    const auto api = program_->wait_for_rest_of_line("API on ");
    port_ = port_in(api.substr(0, api.find(',')));
    std::getline(std::ifstream{folder_.file("api-token")}, token_);
    EXPECT_TRUE(program_->wait_for("serving "));
  }

  /// A phone that says a tone, and is to hear that.
  std::unique_ptr<process> phone(const std::string& name, const std::string& says,
                                 const std::string& hears, const arguments& more = {}) {
    arguments command{JACKFIELD_PROGRAM,
                      "answer",
                      "--users",
                      folder_.write(name + ".csv", "user,password\n" + name + ",pw-" + name + "\n"),
                      "--register",
                      "sip:" + loopback(sip_),
                      "--media",
                      "rtp",
                      "--audio",
                      says,
                      "--expect-sound",
                      hears};
    command.insert(command.end(), more.begin(), more.end());
    auto made = std::make_unique<process>(name, folder_, command);
    EXPECT_TRUE(made->wait_for("registered "));
    return made;
  }
  http_answer ask_api(const std::string& method, const std::string& target,
                      const std::string& body = {}) {
    return ask(port_, {method,
                       target,
                       {"Authorization: Bearer " + token_, "Content-Type: application/json"},
                       body});
  }
  /// The call that Alice talks to.
  std::string wait_for_talk() {
    for (uint64_t after = 0;;) {
      const auto told =
        ask_api("GET", "/v1/events?wait=30&limit=1&after=" + std::to_string(after)).json();
      if (!told.is_object() || told.at("events").empty())
        return {};
      const auto event = told.at("events").front();
      if (event.at("event") == "call.connected")
        return event.at("call");
      after = told.at("next");
    }
  }

  scratch_folder folder_;
  std::unique_ptr<process> program_;
  uint16_t sip_ = 0;
  uint16_t port_ = 0;
  std::string token_;
};

TEST_F(serve_supervision, a_supervisor_hears_both_and_neither_hears_the_supervisor) {
  const auto alice = phone("alice", "tone:1000", "tone:440", {"--duration", "4s"});
  const auto carol = phone("carol", "tone:1500", "tone:440+1000");
  auto load = start_load(folder_, {sip_uri("100", sip_), "-m", "1", "-r", "1", "--duration", "60s",
                                   "--callee-hangs-up", "expected", "--audio", "tone:440",
                                   "--codecs", "PCMU", "--expect-sound", "tone:1000"});
  const auto call = wait_for_talk();
  ASSERT_FALSE(call.empty());
  const auto at = "/v1/calls/" + call + "/monitor";
  EXPECT_EQ(ask_api("POST", at, R"({"supervisor":"carol","mode":"shout"})").status, 400);
  EXPECT_EQ(ask_api("POST", at, R"({"mode":"monitor"})").status, 400);
  EXPECT_EQ(ask_api("POST", at, R"({"supervisor":"alice","mode":"monitor"})").status, 409);
  EXPECT_EQ(ask_api("DELETE", at).status, 409);
  EXPECT_EQ(
    ask_api("POST", "/v1/calls/1234567/monitor", R"({"supervisor":"carol","mode":"barge"})").status,
    404);
  const auto begun = ask_api("POST", at, R"({"supervisor":"carol","mode":"monitor"})");
  EXPECT_EQ(begun.status, 202) << begun.body;
  EXPECT_EQ(begun.json(), (json{{"id", call}, {"mode", "monitor"}}));
  const auto outcome = load.finish();
  EXPECT_EQ(outcome.summary.at("calls").at("completed"), 1) << outcome.summary.at("failures");
  // Carol's call ends with the one that she heard.
  program_->signal(SIGTERM);
  EXPECT_EQ(program_->wait(), 0);
  for (const auto& each : {alice.get(), carol.get()}) {
    each->signal(SIGINT);
    EXPECT_EQ(each->wait(), 0) << "it heard what it was to";
    EXPECT_NE(each->standard_error().find("1 completed, 0 failed"), std::string::npos)
      << each->standard_error();
  }
}

} // namespace
} // namespace jackfield::tests

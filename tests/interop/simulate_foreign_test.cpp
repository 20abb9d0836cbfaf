// `jackfield simulate --live URI`: callers and agents of somebody else's queue, which Kamailio
// plays.

#include <filesystem>
#include <memory>
#include <string>
#include <string_view>
#include <utility>

#include <unistd.h>

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include <gtest/gtest.h>

#include "tests/interop/peers.hpp"

namespace jackfield::tests {
namespace {

/// Seconds by which callers wait longer, on average, at most. tests/interop/kamailio_queue.cfg
/// looks every 0.02 s who is free, and as long as callers wait each agent's delays add up.
constexpr double most_added_wait = 0.3;

struct outcome {
  int status = -1;
  std::string errors;
  nlohmann::json report; ///< null: there was none
};

/// On a busy machine a run may say that its times are not to be relied on.
bool ended_well(int status) {
  return status == 0 || status == 4;
}

class foreign_queue_refusals : public testing::Test {
protected:
  void SetUp() override {
    if (!installed("kamailio"))
      GTEST_SKIP() << "no kamailio here: script/install-packages test";
    port_ = free_port();
  }

  void start_queue(unsigned agents, const arguments& more = {}) {
    arguments command{access("/usr/sbin/kamailio", X_OK) == 0 ? "/usr/sbin/kamailio" : "kamailio",
                      "-f",
                      std::filesystem::absolute("tests/interop/kamailio_queue.cfg").string(),
                      "-DD",
                      "-E",
                      "-m",
                      "64",
                      "-M",
                      "16",
                      "-w",
                      folder_.path().string(),
                      "-Y",
                      folder_.path().string(),
                      "-P",
                      folder_.file("kamailio.pid"),
                      "-l",
                      "udp:" + loopback(port_),
                      "-l",
                      "tcp:" + loopback(port_),
                      "-A",
                      "AGENTS=" + std::to_string(agents)};
    command.insert(command.end(), more.begin(), more.end());
    queue_ = std::make_unique<process>("kamailio", folder_, command);
    // TCP comes last, in a process of its own, when those that serve UDP are there.
    ASSERT_TRUE(wait_until_bound(*queue_, false, port_) && wait_until_bound(*queue_, true, port_));
  }

  outcome simulate(const std::string& users, const arguments& more) {
    arguments command{JACKFIELD_PROGRAM, "simulate", "--live",     sip_uri("queue", port_),
                      "--users",         users,      "--arrivals", "2/s",
                      "--json",          "-"};
    command.insert(command.end(), more.begin(), more.end());
    process program{"simulate", folder_, command};
    outcome done{program.wait(), program.standard_error(), {}};
    if (const auto text = program.standard_output(); !text.empty())
      done.report = nlohmann::json::parse(text);
    return done;
  }

  /// How often the queue said that.
  [[nodiscard]] size_t said(std::string_view text) const {
    const auto output = queue_->standard_output() + queue_->standard_error();
    size_t count = 0;
    for (size_t at = 0; (at = output.find(text, at)) != std::string::npos; at += text.size())
      ++count;
    return count;
  }

  scratch_folder folder_;
  uint16_t port_ = 0;
  std::unique_ptr<process> queue_;
};

class foreign_queue : public foreign_queue_refusals {};

/// Figures that hold for a queue that serves callers in the order in which they came.
void expect_as_twin(const nlohmann::json& report) {
  const auto& calls = report.at("calls");
  EXPECT_EQ(calls.at("offered"), report.at("twin_calls").at("offered"));
  EXPECT_EQ(calls.at("waiting"), 0);
  EXPECT_EQ(calls.at("refused"), 0);
  EXPECT_EQ(calls.at("overflowed"), 0);
  EXPECT_EQ(calls.at("agent_failed"), 0);
  EXPECT_EQ(calls.at("offered").get<uint64_t>(),
            calls.at("answered").get<uint64_t>() + calls.at("abandoned").get<uint64_t>());
  EXPECT_TRUE(report.at("failures").empty()) << report.at("failures");
  // Nobody is served before the policies would serve it, but by how late it called.
  EXPECT_GT(report.at("added_wait_s").at("mean").get<double>(), -0.005);
  if (!report.at("valid").get<bool>())
    return; // the machine was busy
  EXPECT_LT(report.at("added_wait_s").at("mean").get<double>(), most_added_wait);
  const auto differ = [&](const char* figure) {
    const auto& f = report.at(figure);
    return f.at("mean").get<double>() - f.at("twin").get<double>();
  };
  EXPECT_NEAR(differ("occupancy"), 0, 0.05);
  EXPECT_GT(differ("asa_s"), -0.005);
  EXPECT_LT(differ("asa_s"), most_added_wait);
}

void expect_audio(const nlohmann::json& report) {
  EXPECT_EQ(report.at("lost_share"), 0);
  EXPECT_GT(report.at("mos_mean").get<double>(), report.at("valid").get<bool>() ? 4.0 : 1.0);
}

struct speech {
  const char* name;
  arguments queue;
  arguments options;
};

class foreign_queue_over : public foreign_queue, public testing::WithParamInterface<speech> {};

TEST_P(foreign_queue_over, hands_each_caller_to_an_agent_as_policies_would) {
  ASSERT_NO_FATAL_FAILURE(start_queue(6, GetParam().queue));
  arguments options{"--agents", "6", "--aht", "2", "--warm-up", "2s", "--duration", "15s"};
  options.insert(options.end(), GetParam().options.begin(), GetParam().options.end());
  const auto done = simulate(write_kamailio_users(folder_, 8), options);
  ASSERT_TRUE(ended_well(done.status)) << done.errors;
  ASSERT_TRUE(done.report.is_object());
  expect_as_twin(done.report);
  expect_audio(done.report);
  EXPECT_EQ(done.report.at("calls").at("answered"), 30);
  EXPECT_EQ(done.report.at("ended_alike").at("calls"), 30);
  const auto all = 30 + done.report.at("warm_up_calls").get<size_t>();
  EXPECT_EQ(done.report.at("caller_id").at("matched"), all);
  EXPECT_EQ(done.report.at("caller_id").at("in_order"), 0);
  EXPECT_EQ(said("waits: "), all);
  EXPECT_EQ(said("rings: "), all);
}

const speech kinds_of_speech[] = {
  {"udp",
   {"-A", "WITH_PROXY_AUTH=1"},
   {"--auth-user", "user7", "--auth-password", "pw-user7", "--media", "rtp", "--agent-media",
    "rtp"}},
  {"ws", {}, {"--agent-transport", "ws", "--media", "webrtc", "--agent-media", "webrtc"}},
};

INSTANTIATE_TEST_SUITE_P(each, foreign_queue_over, testing::ValuesIn(kinds_of_speech),
                         [](const auto& one) { return std::string{one.param.name}; });

TEST_F(foreign_queue, that_hides_who_calls_is_understood_by_the_order_of_callers) {
  ASSERT_NO_FATAL_FAILURE(start_queue(6, {"-A", "WITH_HIDDEN_CALLERS=1"}));
  const auto done =
    simulate(write_kamailio_users(folder_, 6),
             {"--agents", "6", "--aht", "2", "--warm-up", "2s", "--duration", "10s"});
  ASSERT_TRUE(ended_well(done.status)) << done.errors;
  ASSERT_TRUE(done.report.is_object());
  expect_as_twin(done.report);
  EXPECT_EQ(done.report.at("calls").at("answered"), 20);
  EXPECT_EQ(done.report.at("caller_id").at("matched"), 0);
  EXPECT_EQ(done.report.at("caller_id").at("in_order"),
            20 + done.report.at("warm_up_calls").get<size_t>());
}

TEST_F(foreign_queue, loses_callers_who_do_not_wait) {
  ASSERT_NO_FATAL_FAILURE(start_queue(5));
  const auto done =
    simulate(write_kamailio_users(folder_, 5), {"--agents", "5", "--aht", "4", "--patience", "1s",
                                                "--warm-up", "2s", "--duration", "10s"});
  ASSERT_TRUE(ended_well(done.status)) << done.errors;
  ASSERT_TRUE(done.report.is_object());
  expect_as_twin(done.report);
  EXPECT_GT(done.report.at("calls").at("abandoned").get<size_t>(), 0U);
  const auto all = 20 + done.report.at("warm_up_calls").get<size_t>();
  // Whoever the queue rang an agent for talked; the others cancelled, and it knows.
  EXPECT_EQ(said("waits: "), all);
  EXPECT_EQ(said("rings: ") + said("gave up: "), all);
  EXPECT_EQ(done.report.at("caller_id").at("matched"), said("rings: "));
}

TEST_F(foreign_queue_refusals, are_counted_and_end_with_1) {
  for (const auto& [code, cause] :
       {std::pair{"486", "486 Busy Here"}, std::pair{"503", "503 Service Unavailable"}}) {
    ASSERT_NO_FATAL_FAILURE(start_queue(3, {"-A", fmt::format("REFUSAL=\"{}\"", code)}));
    const auto done = simulate(write_kamailio_users(folder_, 3),
                               {"--agents", "3", "--aht", "1", "--duration", "3s"});
    EXPECT_TRUE(done.status == 1 || done.status == 4) << done.status << ": " << done.errors;
    ASSERT_TRUE(done.report.is_object());
    EXPECT_EQ(done.report.at("calls").at("refused"), 6);
    EXPECT_EQ(done.report.at("calls").at("answered"), 0);
    const nlohmann::json failures{{cause, 6 + done.report.at("warm_up_calls").get<size_t>()}};
    EXPECT_EQ(done.report.at("failures"), failures);
    queue_.reset();
    port_ = free_port();
  }
}

// It has no agents, as where ours register but are no members of the queue.
TEST_F(foreign_queue_refusals, to_ring_anybody_end_a_run_whose_callers_would_wait_for_ever) {
  ASSERT_NO_FATAL_FAILURE(start_queue(0));
  const auto done =
    simulate(write_kamailio_users(folder_, 3),
             {"--agents", "3", "--aht", "1", "--warm-up", "0s", "--duration", "3s"});
  EXPECT_TRUE(done.status == 1 || done.status == 4) << done.status << ": " << done.errors;
  ASSERT_TRUE(done.report.is_object());
  const nlohmann::json failures{{"nobody was rung for a minute, and agents were free", 6}};
  EXPECT_EQ(done.report.at("failures"), failures);
  EXPECT_EQ(done.report.at("cut"), true);
  EXPECT_EQ(done.report.at("calls").at("waiting"), 6);
  EXPECT_EQ(said("gave up: "), 6U);
}

TEST_F(foreign_queue_refusals, to_renew_a_registration_are_failures_of_the_run) {
  ASSERT_NO_FATAL_FAILURE(start_queue(3, {"-A", "WITH_LOCK_OUT=1"}));
  const auto done =
    simulate(write_kamailio_users(folder_, 3),
             {"--agents", "3", "--aht", "1", "--warm-up", "0s", "--duration", "12s"});
  EXPECT_TRUE(done.status == 1 || done.status == 4) << done.status << ": " << done.errors;
  ASSERT_TRUE(done.report.is_object());
  EXPECT_GE(done.report.at("failures").value("an agent's registration was not renewed", 0U), 3U)
    << done.report.at("failures");
}

TEST_F(foreign_queue_refusals, of_an_agent_end_the_run_before_anybody_calls) {
  ASSERT_NO_FATAL_FAILURE(start_queue(3));
  const auto users =
    folder_.write("users.csv", "user,password\nuser0,pw-user0\nuser1,wrong\nuser2,pw-user2\n");
  const auto done = simulate(users, {"--agents", "3", "--aht", "1", "--duration", "3s"});
  EXPECT_EQ(done.status, 1) << done.errors;
  EXPECT_TRUE(done.report.is_null());
  EXPECT_NE(done.errors.find("user1"), std::string::npos) << done.errors;
  EXPECT_EQ(said("waits: "), 0U);
}

TEST_F(foreign_queue_refusals, of_too_few_users_come_before_anything) {
  const auto users = write_kamailio_users(folder_, 3);
  const auto done = simulate(users, {"--agents", "4", "--aht", "1"});
  EXPECT_EQ(done.status, 2);
  EXPECT_EQ(done.errors,
            "--users: " + users + " has 3 users, expected 4 or more: one for each of --agents\n");
}

} // namespace
} // namespace jackfield::tests

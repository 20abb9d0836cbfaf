#include <string>
#include <string_view>

#include <gtest/gtest.h>

#include "tests/interop/peers.hpp"

namespace jackfield::tests {
namespace {

constexpr uint64_t call_count = 10'000;

class sipp : public testing::Test {
protected:
  void SetUp() override {
    if (!installed("sipp"))
      GTEST_SKIP() << "no sipp here: script/install-packages test";
  }

  /// SIPp answers, and ends once it has seen all calls to their end.
  std::unique_ptr<process> start_uas(std::string_view transport, uint16_t port,
                                     const arguments& more = {}) {
    arguments all{"-p", std::to_string(port), "-m", std::to_string(call_count)};
    all.insert(all.end(), more.begin(), more.end());
    auto uas = start_sipp(folder_, "uas", transport, all);
    EXPECT_TRUE(wait_until_bound(*uas, transport != "u1", port));
    return uas;
  }

  void expect_all_answered(process& uas) {
    EXPECT_EQ(uas.wait(), 0);
    expect_counts("uas");
  }

  /// SIPp calls `port`.
  void call(std::string_view transport, uint16_t port, unsigned rate, const arguments& more = {}) {
    arguments all{loopback(port),
                  "-p",
                  std::to_string(free_port()),
                  "-m",
                  std::to_string(call_count),
                  "-r",
                  std::to_string(rate)};
    all.insert(all.end(), more.begin(), more.end());
    auto uac = start_sipp(folder_, "uac", transport, all);
    EXPECT_EQ(uac->wait(), 0);
    expect_counts("uac");
  }

  void expect_counts(std::string_view scenario) {
    const auto counts = read_sipp_counts(folder_, scenario);
    EXPECT_EQ(counts.successful, call_count);
    EXPECT_EQ(counts.failed, 0U);
    EXPECT_EQ(counts.current, 0U);
  }

  load_outcome load(uint16_t port, std::string_view transport, unsigned rate,
                    const arguments& more = {}) {
    arguments all{
      sip_uri("service", port),   "-t", std::string{transport}, "--media",    "none", "-m",
      std::to_string(call_count), "-r", std::to_string(rate),   "--duration", "0"};
    all.insert(all.end(), more.begin(), more.end());
    return run_load(folder_, all);
  }

  static void expect_answered(const nlohmann::json& summary) {
    ASSERT_TRUE(summary.is_object());
    EXPECT_EQ(summary.at("calls").at("answered"), call_count);
    EXPECT_EQ(summary.at("calls").at("completed"), call_count);
    EXPECT_EQ(summary.at("calls").at("failed"), 0);
  }

  scratch_folder folder_;
};

TEST_F(sipp, answers_ten_thousand_calls_over_udp) {
  const auto port = free_port();
  auto uas = start_uas("u1", port);
  const auto outcome = load(port, "udp", 1000);
  expect_all_completed(outcome, call_count);
  expect_all_answered(*uas);
}

TEST_F(sipp, answers_ten_thousand_calls_over_tcp) {
  const auto port = free_port();
  auto uas = start_uas("t1", port);
  const auto outcome = load(port, "tcp", 1000);
  expect_all_completed(outcome, call_count);
  expect_all_answered(*uas);
}

TEST_F(sipp, answers_ten_thousand_calls_over_tls) {
  const auto tls = make_certificate(folder_);
  const auto port = free_port();
  // Debian 12's SIPp was built without TLS, and Debian 13's (3.7.3) fails every call over TLS even
  // with itself at the other end: Kamailio ends it, and passes calls on.
  auto uas = start_uas("u1", port);
  kamailio_options proxy{free_port(), free_port(), "sip:" + loopback(port), "MD5", tls};
  auto kamailio = start_kamailio(folder_, proxy);
  const auto outcome = load(proxy.tls_port, "tls", 500, {"--ca-file", tls.certificate});
  expect_all_completed(outcome, call_count);
  expect_all_answered(*uas);
}

TEST_F(sipp, places_ten_thousand_calls_over_udp) {
  auto answer = start_answerer(folder_, "udp:127.0.0.1:0", {"--media", "none"});
  call("u1", answer.port, 1000);
  expect_answered(answer.finish());
}

TEST_F(sipp, places_ten_thousand_calls_over_tcp) {
  auto answer = start_answerer(folder_, "tcp:127.0.0.1:0", {"--media", "none"});
  call("t1", answer.port, 1000);
  expect_answered(answer.finish());
}

TEST_F(sipp, places_ten_thousand_calls_over_tls) {
  const auto tls = make_certificate(folder_);
  auto answer = start_answerer(folder_, "tls:127.0.0.1:0",
                               {"--media", "none", "--cert", tls.certificate, "--key", tls.key});
  kamailio_options proxy{free_port(), free_port(),
                         "sip:" + loopback(answer.port) + ";transport=tls", "MD5", tls};
  auto kamailio = start_kamailio(folder_, proxy);
  call("u1", proxy.port, 500);
  expect_answered(answer.finish());
}

// -- lanes that serve together -----------------------------------------------------

void expect_both_lanes_used(const nlohmann::json& summary) {
  ASSERT_TRUE(summary.is_object());
  EXPECT_EQ(summary.at("lanes"), 2);
  const auto lanes = summary.at("calls_by_lane").get<std::vector<uint64_t>>();
  ASSERT_EQ(lanes.size(), 2U);
  EXPECT_EQ(lanes[0] + lanes[1], call_count);
  for (const auto taken : lanes)
    EXPECT_LE(taken, call_count * 6 / 10) << "no lane takes more than 60 of 100";
}

TEST_F(sipp, places_ten_thousand_calls_from_one_address_at_two_lanes_over_udp) {
  auto answer = start_answerer(folder_, "udp:127.0.0.1:0", {"--media", "none", "--lanes", "2"});
  call("u1", answer.port, 1000);
  const auto summary = answer.finish();
  expect_answered(summary);
  expect_both_lanes_used(summary);
}

TEST_F(sipp, places_ten_thousand_calls_over_one_connection_at_two_lanes) {
  auto answer = start_answerer(folder_, "tcp:127.0.0.1:0", {"--media", "none", "--lanes", "2"});
  call("t1", answer.port, 1000);
  const auto summary = answer.finish();
  expect_answered(summary);
  expect_both_lanes_used(summary);
}

TEST_F(sipp, places_ten_thousand_calls_over_a_connection_each_at_two_lanes) {
  auto answer = start_answerer(folder_, "tcp:127.0.0.1:0", {"--media", "none", "--lanes", "2"});
  // With more calls at once than sockets SIPp shares them, and breaks its own calls as it closes
  // one: also with one lane. A machine that stalls for a second is enough for that.
  call("tn", answer.port, 500, {"-max_socket", std::to_string(call_count)});
  const auto summary = answer.finish();
  expect_answered(summary);
  expect_both_lanes_used(summary);
}

TEST(lanes, see_ten_thousand_registrations_as_one_registrar) {
  const scratch_folder folder;
  auto answer = start_answerer(folder, "udp:127.0.0.1:0", {"--lanes", "2"});
  std::string users{"user\n"};
  for (uint64_t i = 0; i < call_count; ++i)
    users += "user" + std::to_string(i) + "\n";
  // They stay until the test has seen them: it ends before they do.
  process load{"load",
               folder,
               {JACKFIELD_PROGRAM, "load", sip_uri("service", answer.port), "--flow", "register",
                "--users", folder.write("users.csv", users), "-m", std::to_string(call_count), "-r",
                "2000", "--duration", "10m"}};
  EXPECT_TRUE(load.wait_for("registered 10,000"));
  const auto summary = answer.finish();
  ASSERT_TRUE(summary.is_object());
  EXPECT_EQ(summary.at("lanes"), 2);
  const auto& registrations = summary.at("registrations");
  EXPECT_EQ(registrations.at("current"), call_count);
  EXPECT_EQ(registrations.at("attempted"), call_count);
  EXPECT_EQ(registrations.at("succeeded"), call_count);
  EXPECT_EQ(registrations.at("refreshed"), 0);
  EXPECT_EQ(registrations.at("failed"), 0);
}

} // namespace
} // namespace jackfield::tests

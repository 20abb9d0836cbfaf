#include <csignal>
#include <string>
#include <string_view>

#include <gtest/gtest.h>

#include "tests/interop/peers.hpp"

namespace jackfield::tests {
namespace {

constexpr uint64_t user_count = 100;
constexpr uint64_t call_count = 500;

/// `jackfield answer --register`: `user0` and so on, with the passwords that they have at Kamailio.
class answering_users : public testing::Test {
protected:
  /// Waits until all of them have had an answer: "100 of 100".
  std::string start(const std::string& pbx, const arguments& more) {
    json_ = folder_.file("users.json");
    arguments command{JACKFIELD_PROGRAM, "answer",
                      "--register",      pbx,
                      "--users",         write_kamailio_users(folder_, user_count),
                      "--json",          json_};
    command.insert(command.end(), more.begin(), more.end());
    answer_ = std::make_unique<process>("users", folder_, command);
    return answer_->wait_for_rest_of_line("registered ");
  }
  nlohmann::json finish(int expected = 0) {
    answerer ending;
    ending.program = std::move(answer_);
    ending.json = json_;
    return ending.finish(expected);
  }
  /// Calls these users in turn, through a proxy.
  load_outcome call(uint16_t port, const arguments& more) {
    std::string callees = "user,to\n";
    for (uint64_t i = 0; i < user_count; ++i)
      callees += "caller" + std::to_string(i) + ",user" + std::to_string(i) + "\n";
    arguments all{"sip:" + loopback(port), "--users", folder_.write("callees.csv", callees), "-m",
                  std::to_string(call_count)};
    all.insert(all.end(), more.begin(), more.end());
    return run_load(folder_, all);
  }
  static void expect_registered(const nlohmann::json& summary) {
    const auto& users = summary.at("users");
    EXPECT_EQ(users.at("succeeded"), user_count);
    EXPECT_EQ(users.at("failed"), 0) << users.at("failures");
    EXPECT_EQ(users.at("current"), 0) << "not removed";
  }
  static uint64_t count(const nlohmann::json& summary, const char* what) {
    return summary.at("calls").at(what).get<uint64_t>();
  }
  static void expect_accounted_for(const nlohmann::json& summary) {
    EXPECT_EQ(count(summary, "started"), call_count);
    EXPECT_EQ(count(summary, "completed") + count(summary, "busy") + count(summary, "unanswered") +
                count(summary, "failed"),
              call_count);
  }

  scratch_folder folder_;
  std::unique_ptr<process> answer_;
  std::string json_;
};

// -- Kamailio ------------------------------------------------------------------------

class answering_users_at_kamailio : public answering_users,
                                    public testing::WithParamInterface<const char*> {
protected:
  void SetUp() override {
    if (!installed("kamailio"))
      GTEST_SKIP() << "no kamailio here: script/install-packages test";
    pbx_.port = free_port();
    if (std::string_view{GetParam()} == "tls") {
      pbx_.tls = make_certificate(folder_);
      pbx_.tls_port = free_port();
    }
    kamailio_ = start_kamailio(folder_, pbx_);
  }
  std::string register_at(const arguments& more) {
    arguments all{"-t", GetParam()};
    if (pbx_.tls_port != 0)
      all.insert(all.end(), {"--ca-file", pbx_.tls.certificate});
    all.insert(all.end(), more.begin(), more.end());
    return start("sip:" + loopback(pbx_.tls_port != 0 ? pbx_.tls_port : pbx_.port), all);
  }

  kamailio_options pbx_;
  std::unique_ptr<process> kamailio_;
};

TEST_P(answering_users_at_kamailio, answer_all_calls) {
  ASSERT_EQ(register_at({"--answer-after", "uniform:0s..500ms"}), "100 of 100");
  const auto outcome = call(pbx_.port, {"-r", "50", "-d", "2000"});
  expect_all_completed(outcome, call_count);
  const auto users = finish();
  ASSERT_TRUE(users.is_object());
  expect_registered(users);
  expect_accounted_for(users);
  EXPECT_EQ(count(users, "completed"), call_count);
}

INSTANTIATE_TEST_SUITE_P(over, answering_users_at_kamailio,
                         testing::Values("udp", "tcp", "tls", "ws"),
                         [](const auto& one) { return std::string{one.param}; });

class answering_users_in_shares : public answering_users_at_kamailio {};

TEST_P(answering_users_in_shares, are_accounted_for_on_both_sides) {
  ASSERT_EQ(register_at({"--busy-share", "20%", "--answer-share", "60%", "--seed", "7"}),
            "100 of 100");
  const auto outcome = call(pbx_.port, {"-r", "50", "-d", "1000", "--ring-limit", "2s"});
  ASSERT_TRUE(outcome.summary.is_object());
  const auto users = finish();
  ASSERT_TRUE(users.is_object());
  expect_registered(users);
  expect_accounted_for(users);
  EXPECT_EQ(count(users, "failed"), 0U) << users.at("failures");
  EXPECT_EQ(count(users, "completed"), count(outcome.summary, "completed"));
  const auto& failures = outcome.summary.at("failures");
  EXPECT_EQ(count(users, "busy"), failures.at("sip_486").get<uint64_t>());
  EXPECT_EQ(count(users, "unanswered"), failures.at("ring_timeout").get<uint64_t>());
  EXPECT_EQ(count(outcome.summary, "completed") + count(outcome.summary, "failed"), call_count);
  EXPECT_NEAR(static_cast<double>(count(users, "completed")), 300, 44) << "four deviations";
  EXPECT_NEAR(static_cast<double>(count(users, "busy")), 100, 36);
}

INSTANTIATE_TEST_SUITE_P(over, answering_users_in_shares, testing::Values("udp", "tcp"),
                         [](const auto& one) { return std::string{one.param}; });

class answering_users_refused : public answering_users_at_kamailio {};

TEST_P(answering_users_refused, are_named) {
  const auto users = folder_.write("some.csv", "user,password,auth_user\nuser1,pw-user1,user1\n"
                                               "user2,wrong,user2\nuser3,pw-user1,user1\n");
  json_ = folder_.file("users.json");
  answer_ = std::make_unique<process>("users", folder_,
                                      arguments{JACKFIELD_PROGRAM, "answer", "--register",
                                                "sip:" + loopback(pbx_.port), "--users", users,
                                                "--json", json_});
  EXPECT_EQ(answer_->wait_for_rest_of_line("registered "), "1 of 3");
  const auto said = answer_->standard_error();
  EXPECT_NE(said.find("sip:user2@" + loopback(pbx_.port) + " is not registered: "),
            std::string::npos);
  EXPECT_NE(said.find("sip:user3@" + loopback(pbx_.port) + " is not registered: 403"),
            std::string::npos);
  const auto summary = finish(1);
  ASSERT_TRUE(summary.is_object());
  EXPECT_EQ(summary.at("users").at("succeeded"), 1);
  EXPECT_EQ(summary.at("users").at("failed"), 2);
}

INSTANTIATE_TEST_SUITE_P(over, answering_users_refused, testing::Values("udp"),
                         [](const auto& one) { return std::string{one.param}; });

// -- SIPp ------------------------------------------------------------------------------

/// A PBX for one user: takes the REGISTER with digest, calls the Contact five times, and takes the
/// removal of the binding. SIPp takes no second answer to a request that it repeated, so it repeats
/// late.
constexpr std::string_view pbx_scenario = R"(<?xml version="1.0" encoding="UTF-8"?>
<!DOCTYPE scenario SYSTEM "sipp.dtd">
<scenario name="pbx">
<recv request="REGISTER" crlf="true"></recv>
<send><![CDATA[
SIP/2.0 401 Unauthorized
[last_Via:]
[last_From:]
[last_To:];tag=[pid]r[call_number]
[last_Call-ID:]
[last_CSeq:]
WWW-Authenticate: Digest realm="pbx", nonce="[pid]n[call_number]", algorithm=MD5, qop="auth"
Content-Length: 0

]]></send>
<recv request="REGISTER" crlf="true"><action>
<ereg regexp="sip:[^>]*" search_in="hdr" header="Contact:" check_it="true" assign_to="where"/>
<ereg regexp="username=.user[0-9]+.*response=" search_in="hdr" header="Authorization:" check_it="true" assign_to="who"/>
<log message="contact [$where] of [$who]"/>
</action></recv>
<send><![CDATA[
SIP/2.0 200 OK
[last_Via:]
[last_From:]
[last_To:];tag=[pid]r[call_number]
[last_Call-ID:]
[last_CSeq:]
[last_Contact:]
Content-Length: 0

]]></send>
<nop><action><assign assign_to="calls" value="0"/></action></nop>
<label id="1"/>
<nop><action><add assign_to="calls" value="1"/></action></nop>
<send retrans="8000"><![CDATA[
INVITE [$where] SIP/2.0
Via: SIP/2.0/[transport] [local_ip]:[local_port];branch=[branch]-[$calls]
From: <sip:queue@[local_ip]:[local_port]>;tag=[pid]c[call_number]-[$calls]
To: <[$where]>
[last_Call-ID:]
CSeq: 1 INVITE
Contact: <sip:queue@[local_ip]:[local_port];transport=[transport]>
Max-Forwards: 70
Content-Type: application/sdp
Content-Length: [len]

v=0
o=queue 1 1 IN IP[local_ip_type] [local_ip]
s=-
c=IN IP[media_ip_type] [media_ip]
t=0 0
m=audio [media_port] RTP/AVP 0
a=rtpmap:0 PCMU/8000

]]></send>
<recv response="100" optional="true"></recv>
<recv response="180"></recv>
<recv response="200"></recv>
<send><![CDATA[
ACK [$where] SIP/2.0
Via: SIP/2.0/[transport] [local_ip]:[local_port];branch=[branch]-[$calls]
From: <sip:queue@[local_ip]:[local_port]>;tag=[pid]c[call_number]-[$calls]
[last_To:]
[last_Call-ID:]
CSeq: 1 ACK
Max-Forwards: 70
Content-Length: 0

]]></send>
<pause milliseconds="500"/>
<send retrans="8000"><![CDATA[
BYE [$where] SIP/2.0
Via: SIP/2.0/[transport] [local_ip]:[local_port];branch=[branch]-[$calls]
From: <sip:queue@[local_ip]:[local_port]>;tag=[pid]c[call_number]-[$calls]
[last_To:]
[last_Call-ID:]
CSeq: 2 BYE
Max-Forwards: 70
Content-Length: 0

]]></send>
<recv response="200"></recv>
<nop><action><test assign_to="more" variable="calls" compare="less_than" value="5"/></action></nop>
<nop next="1" test="more"></nop>
<nop><action><log message="called user [call_number]."/></action></nop>
<recv request="REGISTER" crlf="true"><action>
<ereg regexp="expires=0" search_in="hdr" header="Contact:" check_it="true" assign_to="gone"/>
<log message="[$gone]"/>
</action></recv>
<send><![CDATA[
SIP/2.0 200 OK
[last_Via:]
[last_From:]
[last_To:];tag=[pid]r[call_number]
[last_Call-ID:]
[last_CSeq:]
Content-Length: 0

]]></send>
</scenario>
)";

class answering_users_at_sipp : public answering_users,
                                public testing::WithParamInterface<const char*> {
protected:
  void SetUp() override {
    if (!installed("sipp"))
      GTEST_SKIP() << "no sipp here: script/install-packages test";
  }
};

TEST_P(answering_users_at_sipp, answer_all_calls) {
  const bool tcp = std::string_view{GetParam()} == "tcp";
  const auto port = free_port();
  auto pbx = start_sipp(folder_, folder_.write("pbx.xml", pbx_scenario), tcp ? "t1" : "u1",
                        {"-p", std::to_string(port), "-m", std::to_string(user_count),
                         "-trace_logs", "-log_file", "/dev/stdout"});
  ASSERT_TRUE(wait_until_bound(*pbx, tcp, port));
  ASSERT_EQ(start("sip:" + loopback(port), {"-t", GetParam()}), "100 of 100");
  for (uint64_t i = 1; i <= user_count; ++i)
    ASSERT_TRUE(pbx->wait_for("called user " + std::to_string(i) + "."));
  const auto users = finish();
  EXPECT_EQ(pbx->wait(), 0);
  ASSERT_TRUE(users.is_object());
  expect_registered(users);
  expect_accounted_for(users);
  EXPECT_EQ(count(users, "completed"), call_count);
  const auto counts = read_sipp_counts(folder_, "pbx");
  EXPECT_EQ(counts.successful, user_count);
  EXPECT_EQ(counts.failed, 0U);
}

INSTANTIATE_TEST_SUITE_P(over, answering_users_at_sipp, testing::Values("udp", "tcp"),
                         [](const auto& one) { return std::string{one.param}; });

} // namespace
} // namespace jackfield::tests

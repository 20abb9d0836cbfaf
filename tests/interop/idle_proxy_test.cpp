#include <string>

#include <gtest/gtest.h>

#include "tests/interop/peers.hpp"

namespace jackfield::tests {
namespace {

constexpr uint64_t call_count = 100;
constexpr uint64_t user_count = 500;

struct way {
  const char* transport;
  bool restarted; ///< in mid-call
};

/// A proxy that closes connections which are idle for 4 s, as many do after minutes.
class idle_proxy : public testing::TestWithParam<way> {
protected:
  void SetUp() override {
    if (!installed("kamailio"))
      GTEST_SKIP() << "no kamailio here: script/install-packages test";
  }

  scratch_folder folder_;
};

// A connection is no dialog (RFC 3261 §18.1.1), and who is registered over one that is lost
// registers over another (RFC 5626 §4.5).
TEST_P(idle_proxy, loses_no_call_and_no_user) {
  const std::string transport = GetParam().transport;
  const bool tls = transport == "tls";
  auto answer = start_answerer(folder_, "tcp:127.0.0.1:0");
  kamailio_options options;
  options.port = free_port();
  options.lifetime = 4;
  options.callee = "sip:" + loopback(answer.port) + ";transport=tcp";
  options.tls = make_certificate(folder_);
  options.tls_port = free_port();
  auto proxy = start_kamailio(folder_, options);
  const auto port = tls ? options.tls_port : options.port;
  arguments way{"-t", transport};
  if (tls)
    way.insert(way.end(), {"--ca-file", options.tls.certificate});

  arguments register_them{"sip:" + loopback(port),
                          "--flow",
                          "register",
                          "--users",
                          write_kamailio_users(folder_, user_count),
                          "-m",
                          std::to_string(user_count),
                          "-r",
                          "250",
                          "--duration",
                          "45",
                          "--expires",
                          "600"};
  register_them.insert(register_them.end(), way.begin(), way.end());
  scratch_folder other;
  auto registrations = start_load(other, register_them);

  std::string callers = "user,to\n";
  for (uint64_t i = 0; i < call_count; ++i)
    callers += "caller,callee" + std::to_string(i) + "\n";
  arguments call_them{sip_uri("service", port),
                      "--users",
                      folder_.write("callers.csv", callers),
                      "-m",
                      std::to_string(call_count),
                      "-r",
                      "50",
                      "--duration",
                      "12"};
  call_them.insert(call_them.end(), way.begin(), way.end());
  auto calls = start_load(folder_, call_them);

  if (GetParam().restarted) {
    // A first registration that finds nobody has failed: those are all made before.
    for (uint64_t i = 0; i < user_count; ++i)
      ASSERT_TRUE(proxy->wait_for("registered user" + std::to_string(i) + " here"));
    for (uint64_t i = 0; i < call_count; ++i) // whichever of its processes relays it
      ASSERT_TRUE(proxy->wait_for("relayed ACK of callee" + std::to_string(i) + "\n"));
    proxy->kill_all();
    proxy->wait();
    proxy = start_kamailio(folder_, options);
  }
  // Whether all left in time, on a machine that runs other tests beside, is not judged.
  const auto called = calls.finish();
  ASSERT_TRUE(called.summary.is_object());
  EXPECT_EQ(called.summary.at("calls").at("completed"), call_count)
    << called.summary.at("failures");
  const auto registered = registrations.finish();
  ASSERT_TRUE(registered.summary.is_object());
  const auto& counts = registered.summary.at("registrations");
  EXPECT_EQ(counts.at("succeeded"), user_count);
  EXPECT_EQ(counts.at("failed"), 0) << registered.summary.at("failures");
  if (GetParam().restarted) { // it had forgotten all of them
    const auto said = proxy->standard_output() + proxy->standard_error();
    for (uint64_t i = 0; i < user_count; ++i)
      EXPECT_NE(said.find("registered user" + std::to_string(i) + " here"), std::string::npos) << i;
  } else {
    EXPECT_GE(counts.at("refreshed").get<uint64_t>(), user_count) << "over another connection";
  }
  const auto answered = answer.finish();
  ASSERT_TRUE(answered.is_object());
  EXPECT_EQ(answered.at("calls").at("completed"), call_count) << answered.at("failures");
}

INSTANTIATE_TEST_SUITE_P(over, idle_proxy,
                         testing::Values(way{"tcp", false}, way{"tls", false}, way{"ws", false},
                                         way{"tcp", true}, way{"tls", true}, way{"ws", true}),
                         [](const auto& one) {
                           return std::string{one.param.transport} +
                                  (one.param.restarted ? "_restarted" : "");
                         });

} // namespace
} // namespace jackfield::tests

#include <string>
#include <string_view>

#include <gtest/gtest.h>

#include "tests/interop/peers.hpp"

namespace jackfield::tests {
namespace {

class kamailio : public testing::Test {
protected:
  void SetUp() override {
    if (!installed("kamailio"))
      GTEST_SKIP() << "no kamailio here: script/install-packages test";
  }

  static size_t lines_with(std::string_view text, const process& program) {
    const auto output = program.standard_output() + program.standard_error();
    size_t count = 0;
    for (size_t at = 0; (at = output.find(text, at)) != std::string::npos; at += text.size())
      ++count;
    return count;
  }

  scratch_folder folder_;
};

constexpr uint64_t user_count = 10'000;

struct registering {
  const char* transport;
  const char* digest;
};

class kamailio_registrar : public kamailio, public testing::WithParamInterface<registering> {};

TEST_P(kamailio_registrar, takes_ten_thousand_users_with_digest_and_their_refreshes) {
  kamailio_options options;
  options.port = free_port();
  options.digest = GetParam().digest;
  auto registrar = start_kamailio(folder_, options);
  const auto outcome = run_load(
    folder_, {"sip:" + loopback(options.port), "--flow", "register", "--users",
              write_kamailio_users(folder_, user_count), "-t", GetParam().transport, "-m",
              std::to_string(user_count), "-r", "1000", "--expires", "15", "--refreshes", "1"});
  EXPECT_EQ(outcome.status, 0);
  ASSERT_TRUE(outcome.summary.is_object());
  EXPECT_TRUE(outcome.summary.at("valid").get<bool>()) << outcome.summary.at("invalid_reasons");
  const auto& registrations = outcome.summary.at("registrations");
  EXPECT_EQ(registrations.at("succeeded"), user_count);
  EXPECT_EQ(registrations.at("failed"), 0) << outcome.summary.at("failures");
  EXPECT_GE(registrations.at("refreshed").get<uint64_t>(), user_count);
  // Each was challenged once: what came later used the nonce again, with a count that grew.
  EXPECT_EQ(lines_with("challenged user", *registrar), user_count);
}

INSTANTIATE_TEST_SUITE_P(over, kamailio_registrar,
                         testing::Values(registering{"udp", "MD5"}, registering{"tcp", "SHA-256"},
                                         registering{"ws", "MD5"}),
                         [](const auto& one) { return std::string{one.param.transport}; });

TEST_F(kamailio, stays_in_the_path_of_a_thousand_calls_with_audio) {
  constexpr uint64_t call_count = 1000;
  auto answer = start_answerer(folder_, "udp:127.0.0.1:0");
  kamailio_options options;
  options.port = free_port();
  options.callee = "sip:" + loopback(answer.port);
  auto proxy = start_kamailio(folder_, options);
  const auto outcome = run_load(folder_, {sip_uri("service", options.port), "-m",
                                          std::to_string(call_count), "-r", "100", "-d", "3000"});
  expect_all_completed(outcome, call_count);
  ASSERT_TRUE(outcome.summary.is_object());
  EXPECT_GE(outcome.summary.at("media").at("mos_p5").get<double>(), 4.0);
  EXPECT_EQ(lines_with("relayed BYE", *proxy), call_count);
  const auto answered = answer.finish();
  ASSERT_TRUE(answered.is_object());
  EXPECT_EQ(answered.at("calls").at("completed"), call_count);
}

} // namespace
} // namespace jackfield::tests

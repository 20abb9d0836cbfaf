#include <fstream>
#include <iterator>
#include <string>
#include <string_view>

#include <arpa/inet.h>
#include <gtest/gtest.h>
#include <netinet/in.h>
#include <sys/socket.h>

#include "tests/interop/peers.hpp"
#include "tests/relay/path/relay.hpp" // owned_fd

namespace jackfield::tests {
namespace {

constexpr uint64_t call_count = 5;

/// Calls over WebRTC to the embedded engine, both ends with these servers.
load_outcome run_calls(const scratch_folder& folder, const arguments& servers) {
  arguments all{"--media", "webrtc", "-m", std::to_string(call_count), "-r", "5", "-d", "1000"};
  all.insert(all.end(), servers.begin(), servers.end());
  return run_load(folder, all);
}

std::string turn_at(uint16_t port) {
  return "turn:caller:turn:s3cret@@" + loopback(port);
}

void expect_heard_both_ways(const load_outcome& outcome) {
  EXPECT_EQ(outcome.summary.at("calls").at("completed"), call_count)
    << outcome.summary.at("failures"); // whether the machine kept up is not asked
  const auto& media = outcome.summary.at("media");
  for (const auto* way : {"received", "sent"}) {
    EXPECT_GT(media.at(way).at("packets_received"), call_count * 30) << way;
    EXPECT_EQ(media.at(way).at("streams"), call_count) << way;
  }
}

TEST(ice_servers, that_do_not_answer_are_not_waited_for) {
  const scratch_folder folder;
  const auto port = free_port();
  const owned_fd silent{socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0)};
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_port = htons(port);
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  ASSERT_EQ(bind(silent.get(), reinterpret_cast<sockaddr*>(&address), sizeof address), 0);
  const auto outcome = run_calls(folder, {"--stun", loopback(port), "--turn", turn_at(port)});
  expect_heard_both_ways(outcome);
  // Before libnice gives a server up, the median of five would have waited for longer.
  EXPECT_LT(outcome.summary.at("ms").at("ice_gathering").at("p50"), 500);
}

class coturn : public testing::Test {
protected:
  void SetUp() override {
    if (!installed("turnserver"))
      GTEST_SKIP() << "no coturn here: script/install-packages test";
  }
  scratch_folder folder_;
};

class coturn_transport : public coturn, public testing::WithParamInterface<const char*> {};

TEST_P(coturn_transport, relays_calls_that_have_no_other_way) {
  const auto port = free_port();
  const auto server = start_coturn(folder_, port);
  const auto outcome =
    run_calls(folder_, {"--turn", turn_at(port) + "?transport=" + GetParam(), "--relay-only"});
  expect_heard_both_ways(outcome);
  EXPECT_EQ(outcome.summary.dump().find("s3cret"), std::string::npos);
}

INSTANTIATE_TEST_SUITE_P(over, coturn_transport, testing::Values("udp", "tcp"),
                         [](const auto& way) { return std::string{way.param}; });

TEST_F(coturn, that_knows_no_such_user_ends_the_call_by_name) {
  const auto port = free_port();
  const auto server = start_coturn(folder_, port);
  const auto outcome =
    run_calls(folder_, {"--turn", "turn:caller:wrong@" + loopback(port), "--relay-only"});
  EXPECT_NE(outcome.status, 0);
  EXPECT_EQ(outcome.summary.at("failures").at("ice_gathering"), call_count);
}

/// How often `text` stands in what the run traced.
size_t count_in(const std::string& trace, std::string_view text) {
  size_t count = 0;
  for (auto at = trace.find(text); at != std::string::npos; at = trace.find(text, at + 1))
    ++count;
  return count;
}

// RFC 8840: what there is to tell after the description has left goes in INFO, to a peer that says
// that it takes such. Here that is that there is no more: the hosts' own addresses did.
TEST_F(coturn, that_answers_late_is_not_waited_for_and_the_end_is_told_in_info) {
  const auto port = free_port();
  const auto server = start_coturn(folder_, port);
  const auto relay = start_relay(folder_, port, {"--delay-ms", "80"});
  const auto trace = folder_.file("trace.txt");
  const auto outcome =
    run_calls(folder_, {"--turn", turn_at(relay.port), "--trace", trace, "--trace-all"});
  expect_heard_both_ways(outcome);
  std::ifstream in{trace};
  const std::string told{std::istreambuf_iterator<char>{in}, {}};
  EXPECT_EQ(count_in(told, "Recv-Info: trickle-ice\r\n"),
            count_in(told, "Supported: trickle-ice\r\n"));
  EXPECT_GE(count_in(told, "Info-Package: trickle-ice\r\n"), call_count) << told;
  EXPECT_GE(count_in(told, "a=end-of-candidates\r\n"), call_count);
}

} // namespace
} // namespace jackfield::tests

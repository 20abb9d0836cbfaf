#include <csignal>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/interop/peers.hpp"

namespace jackfield::tests {
namespace {

using testing::Contains;
using testing::HasSubstr;

constexpr int invalid = 4;
constexpr std::string_view unequipped =
  " not made for want of the generator's own: room, ports of media (--media-ports) or file "
  "descriptors (ulimit -n)";

/// A port of 127.0.0.1 that no UDP socket has, an even one, for one stream's audio; its RTCP goes
/// the same way. From 10000 on, as the options want it.
std::string one_pair() {
  for (int tries = 0; tries < 100; ++tries) {
    const int fd = ::socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    socklen_t size = sizeof address;
    auto* const any = reinterpret_cast<sockaddr*>(&address);
    const bool bound = ::bind(fd, any, size) == 0 && ::getsockname(fd, any, &size) == 0;
    ::close(fd);
    const unsigned port = ntohs(address.sin_port);
    if (bound && port % 2 == 0 && port >= 10'000)
      return std::to_string(port) + '-' + std::to_string(port + 1);
  }
  ADD_FAILURE() << "no port is free";
  return "10000-10001";
}

void expect_invalid(const nlohmann::json& summary, std::string_view cause) {
  ASSERT_TRUE(summary.is_object());
  EXPECT_FALSE(summary.at("valid").get<bool>());
  EXPECT_EQ(summary.at("verdict"), "invalid");
  EXPECT_THAT(summary.at("invalid_reasons").get<std::vector<std::string>>(),
              Contains(HasSubstr(std::string{cause})));
}

/// As `expect_invalid`, and it says so first.
void expect_invalid(const load_outcome& outcome, std::string_view cause) {
  EXPECT_EQ(outcome.status, invalid);
  expect_invalid(outcome.summary, cause);
  EXPECT_EQ(outcome.summary.at("exit_code"), invalid);
  EXPECT_THAT(outcome.program->standard_output(), testing::StartsWith("INVALID"));
  EXPECT_THAT(outcome.program->standard_output(), HasSubstr(std::string{cause}));
}

TEST(invalid_run, of_load_for_want_of_ports) {
  const scratch_folder folder;
  expect_invalid(run_load(folder, {"--media", "rtp", "--media-ports", one_pair(), "--lanes", "1",
                                   "-m", "4", "-r", "50", "-d", "1000"}),
                 unequipped);
}

TEST(invalid_run, of_load_for_want_of_descriptors) {
  const scratch_folder folder;
  running_load load;
  load.json = folder.file("load.json");
  load.program = std::make_unique<process>(
    "load", folder,
    arguments{"sh", "-c", "ulimit -n 64; exec \"$0\" \"$@\"", JACKFIELD_PROGRAM, "load", "--media",
              "rtp", "--lanes", "1", "-m", "60", "-r", "100", "-d", "1000", "--json", load.json});
  expect_invalid(load.finish(), unequipped);
}

/// The machine takes the core away, for longer than the bound of what stands still at once.
TEST(invalid_run, of_load_that_stood_still) {
  const scratch_folder folder;
  auto load =
    start_load(folder, {"--media", "none", "--lanes", "1", "-m", "150", "-r", "50", "-d", "100"});
  ASSERT_TRUE(load.program->wait_for("running: "));
  load.program->signal(SIGSTOP);
  EXPECT_FALSE(load.program->ended_within(2'700));
  load.program->signal(SIGCONT);
  const auto outcome = load.finish();
  expect_invalid(outcome, "lanes stood still for ");
  expect_invalid(outcome, "not started because the generator could not keep up");
}

TEST(invalid_run, of_answer_for_want_of_ports) {
  const scratch_folder folder;
  auto answering = start_answerer(folder, "udp:127.0.0.1:0",
                                  {"--media", "rtp", "--lanes", "1", "--media-ports", one_pair()});
  const auto called = run_load(folder, {sip_uri("service", answering.port), "--media", "rtp",
                                        "--lanes", "1", "-m", "4", "-r", "50", "-d", "1000"});
  EXPECT_EQ(called.summary.at("calls").at("completed"), 1) << "one had the ports";
  expect_invalid(answering.finish(invalid), unequipped);
}

} // namespace
} // namespace jackfield::tests

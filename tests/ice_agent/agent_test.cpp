#include "engine/ice/agent.hpp"

#include <array>
#include <filesystem>
#include <memory>
#include <string>
#include <vector>

#include <gtest/gtest.h>
#include <poll.h>
#include <sys/socket.h>

#include "engine/ice/agent_loop.hpp"
#include "engine/ice/random_source.hpp"
#include "engine/ice/stun.hpp"
#include "engine/lane/sim_random.hpp"
#include "tests/ice_agent/recording_observer.hpp"

namespace jackfield::ice {
namespace {

using tests::recording_observer;

credentials fresh_credentials() {
  std::array<std::byte, credential_bytes> bytes{};
  system_random().fill(bytes);
  return make_credentials(bytes);
}

agent_settings on_loopback(bool controlling) {
  agent_settings s;
  s.local_address = lane::endpoint::loopback_v4(0);
  s.controlling = controlling;
  s.local = fresh_credentials();
  return s;
}

/// Two agents that want each other.
struct agent_pair {
  explicit agent_pair(agent_loop& loop, agent_settings caller = on_loopback(true),
                      agent_settings callee = on_loopback(false))
      : settings{std::move(caller), std::move(callee)}, agents{
                                                          loop.make(settings[0], observers[0]),
                                                          loop.make(settings[1], observers[1])} {}

  void connect(bool callee_tells_candidates = true) {
    agents[0].set_remote(settings[1].local, callee_tells_candidates ? observers[1].candidates()
                                                                    : std::vector<candidate>{});
    agents[1].set_remote(settings[0].local, observers[0].candidates());
  }

  void wait_until_selected() {
    for (auto& o : observers)
      o.wait([](const auto& x) { return x.taken || x.failed || x.relayed; });
  }

  std::array<recording_observer, 2> observers;
  std::array<agent_settings, 2> settings;
  std::array<agent, 2> agents;
};

size_t open_files() {
  size_t n = 0;
  for ([[maybe_unused]] const auto& entry : std::filesystem::directory_iterator{"/proc/self/fd"})
    ++n;
  return n;
}

void send(const taken_socket& from, const std::string& text) {
  sockaddr_storage to{};
  const socklen_t length = from.remote.to_sockaddr(to);
  ASSERT_EQ(sendto(from.socket.get(), text.data(), text.size(), 0,
                   reinterpret_cast<const sockaddr*>(&to), length),
            static_cast<ssize_t>(text.size()));
}

/// The next datagram that is no check.
std::string receive(const taken_socket& at) {
  std::array<char, 2048> buffer{};
  for (;;) {
    pollfd p{at.socket.get(), POLLIN, 0};
    if (poll(&p, 1, -1) != 1)
      return {};
    const auto n = recv(at.socket.get(), buffer.data(), buffer.size(), 0);
    if (n <= 0)
      return {};
    const std::string text{buffer.data(), static_cast<size_t>(n)};
    if (!is_stun(std::as_bytes(std::span{text})))
      return text;
  }
}

void expect_media_both_ways(const agent_pair& pair) {
  for (int i = 0; i < 2; ++i)
    ASSERT_TRUE(pair.observers[static_cast<size_t>(i)].taken);
  const auto& a = *pair.observers[0].taken;
  const auto& b = *pair.observers[1].taken;
  EXPECT_EQ(a.local, b.remote);
  EXPECT_EQ(a.remote, b.local);
  send(a, "\x80 from a");
  EXPECT_EQ(receive(b), "\x80 from a");
  send(b, "\x80 from b");
  EXPECT_EQ(receive(a), "\x80 from b");
}

TEST(ice_agent, selects_a_pair_whose_sockets_carry_datagrams_after_the_take_over) {
  agent_loop loop;
  agent_pair pair{loop};
  pair.connect();
  pair.wait_until_selected();
  expect_media_both_ways(pair);
  EXPECT_TRUE(pair.observers[0].taken->controlling);
  EXPECT_FALSE(pair.observers[1].taken->controlling);
  EXPECT_EQ(pair.observers[0].taken->local_type, candidate_type::host);
}

TEST(ice_agent, selects_a_pair_where_one_end_tells_no_candidates) {
  agent_loop loop;
  agent_pair pair{loop};
  pair.connect(false);
  pair.wait_until_selected();
  expect_media_both_ways(pair);
  EXPECT_EQ(pair.observers[0].taken->remote_type, candidate_type::peer_reflexive);
}

TEST(ice_agent, skips_candidates_it_cannot_use) {
  agent_loop loop;
  agent_pair pair{loop};
  const auto name = candidate::parse("1 1 udp 99 f3b1.local 4000 typ host");
  const auto tcp = candidate::parse("2 1 tcp 99 127.0.0.1 9 typ host tcptype active");
  ASSERT_TRUE(name && tcp);
  pair.agents[0].set_remote(pair.settings[1].local, {*name, *tcp});
  pair.agents[1].set_remote(pair.settings[0].local, {});
  for (const auto& c : pair.observers[0].candidates())
    pair.agents[1].add_remote_candidate(c);
  pair.agents[1].end_remote_candidates();
  pair.wait_until_selected();
  expect_media_both_ways(pair);
}

TEST(ice_agent, selects_a_pair_by_candidates_that_come_after_the_descriptions) {
  agent_loop loop;
  agent_pair pair{loop};
  pair.agents[0].set_remote(pair.settings[1].local, {});
  pair.agents[1].set_remote(pair.settings[0].local, {});
  for (const size_t i : {0U, 1U}) {
    for (const auto& c : pair.observers[1 - i].candidates())
      pair.agents[i].add_remote_candidate(c);
    pair.agents[i].end_remote_candidates();
  }
  pair.wait_until_selected();
  expect_media_both_ways(pair);
}

TEST(ice_agent, tells_host_candidates_without_waiting_for_a_stun_server) {
  const int silent = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
  const unique_fd owned{silent};
  sockaddr_in address{};
  socklen_t length = sizeof address;
  address.sin_family = AF_INET;
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  ASSERT_EQ(bind(silent, reinterpret_cast<sockaddr*>(&address), length), 0);
  ASSERT_EQ(getsockname(silent, reinterpret_cast<sockaddr*>(&address), &length), 0);
  agent_loop loop;
  auto settings = on_loopback(true);
  settings.stun_server =
    lane::endpoint::from_sockaddr(reinterpret_cast<const sockaddr*>(&address), length);
  recording_observer observer;
  auto end = loop.make(settings, observer);
  observer.wait([](const auto& o) { return !o.found.empty(); });
  EXPECT_FALSE(observer.gathered);
  EXPECT_EQ(observer.found.at(0).type, candidate_type::host);
  EXPECT_EQ(observer.found.at(0).address.address(), "127.0.0.1");
  end.close();
}

TEST(ice_agent, takes_its_port_from_the_range) {
  agent_loop loop;
  auto settings = on_loopback(true);
  settings.first_port = 41'000;
  settings.last_port = 41'999;
  recording_observer observer;
  const auto end = loop.make(settings, observer);
  const auto found = observer.candidates();
  ASSERT_FALSE(found.empty());
  EXPECT_GE(found[0].address.port(), 41'000);
  EXPECT_LE(found[0].address.port(), 41'999);
}

TEST(ice_agent, says_which_phase_failed) {
  agent_loop loop;
  recording_observer observer;
  auto settings = on_loopback(true);
  settings.local_address = *lane::endpoint::parse("192.0.2.1", 0); // nobody's
  auto end = loop.make(settings, observer);
  observer.wait([](const auto& o) { return o.failed.has_value(); });
  EXPECT_EQ(observer.failed->place, "ice gathering");

  recording_observer other;
  settings = on_loopback(true);
  settings.patience = std::chrono::milliseconds{1};
  end = loop.make(settings, other);
  end.set_remote(fresh_credentials(), {});
  other.wait([](const auto& o) { return o.failed.has_value(); });
  EXPECT_EQ(other.failed->place, "ice checks");

  recording_observer third;
  end = loop.make(on_loopback(true), third);
  end.set_remote({"abc", "short"}, {});
  third.wait([](const auto& o) { return o.failed.has_value(); });
  EXPECT_EQ(third.failed->place, "ice checks");
  EXPECT_EQ(third.failed->cause.find("short"), std::string::npos);
}

TEST(ice_agent, leaves_no_open_files_after_two_hundred_pairs_at_once) {
  agent_loop loop;
  {
    agent_pair warm{loop};
    warm.connect();
    warm.wait_until_selected();
  }
  const size_t before = open_files();
  {
    std::vector<std::unique_ptr<agent_pair>> pairs;
    for (int i = 0; i < 200; ++i)
      pairs.push_back(std::make_unique<agent_pair>(loop));
    for (auto& pair : pairs)
      pair->connect();
    for (auto& pair : pairs) {
      pair->wait_until_selected();
      EXPECT_TRUE(pair->observers[0].taken && pair->observers[1].taken);
    }
    EXPECT_EQ(open_files(), before + 400); // the sockets taken over alone
  }
  EXPECT_EQ(open_files(), before);
}

TEST(ice_agent, sec_06_tells_nothing_after_it_was_closed_at_any_moment) {
  { const agent_loop first; } // GLib opens a file for the process at its first use
  const size_t before = open_files();
  {
    agent_loop loop;
    lane::sim_random random{1};
    for (int i = 0; i < 100; ++i) {
      auto pair = std::make_unique<agent_pair>(loop);
      if (random.below(4) != 0)
        pair->connect(random.below(2) == 0);
      // Some moment: after so many calls of the observers.
      const auto calls = static_cast<int>(random.below(4));
      if (calls != 0)
        pair->observers[0].candidates();
      for (uint64_t spin = random.below(2000); spin > 0; --spin)
        static_cast<void>(pair->observers[0].calls());
      for (auto& a : pair->agents)
        a.close();
      const int heard = pair->observers[0].calls() + pair->observers[1].calls();
      agent_pair other{loop};
      other.observers[1].candidates(); // the loop has gone on
      EXPECT_EQ(pair->observers[0].calls() + pair->observers[1].calls(), heard);
    }
  }
  EXPECT_EQ(open_files(), before);
}

TEST(ice_agent, may_outlive_its_loop) {
  recording_observer observer;
  agent end;
  {
    agent_loop loop;
    end = loop.make(on_loopback(true), observer);
  }
  const int heard = observer.calls();
  end.set_remote(fresh_credentials(), {});
  end.close();
  EXPECT_EQ(observer.calls(), heard);
}

} // namespace
} // namespace jackfield::ice

#include "engine/lane/sim_lane.hpp"

#include <memory>
#include <string>
#include <vector>

#include <benchmark/benchmark.h>
#include <caf/actor_system.hpp>
#include <caf/actor_system_config.hpp>

namespace jackfield::lane {
namespace {

/// One of many that throw a datagram of an INVITE's size back and forth.
struct player : datagram_handler {
  void on_datagram(const endpoint& from, std::span<const std::byte> bytes, time_point) override {
    if (--*left > 0)
      socket->send(from, {reinterpret_cast<const char*>(bytes.data()), bytes.size()});
  }
  std::unique_ptr<datagram_socket> socket;
  int64_t* left = nullptr;
};

/// Real time of a simulated datagram, from send to handler.
void simulated_datagram(benchmark::State& state) {
  caf::actor_system_config config;
  caf::actor_system system{config};
  sim_lane home{system, 1};
  home.set_link({.delay = std::chrono::milliseconds{40}, .jitter = std::chrono::milliseconds{20}});
  std::vector<std::unique_ptr<player>> players;
  int64_t left = 0;
  for (uint16_t i = 0; i < state.range(0); ++i) {
    auto p = std::make_unique<player>();
    p->left = &left;
    const auto local =
      endpoint::parse("10.0." + std::to_string(i / 250) + "." + std::to_string(1 + i % 250), 5060);
    p->socket = home.open_datagram(local.value(), *p, {}).value();
    players.push_back(std::move(p));
  }
  const std::string payload(800, 'x');
  constexpr int64_t batch = 100'000;
  for (auto _ : state) {
    left = batch;
    for (size_t i = 0; i + 1 < players.size(); i += 2)
      players[i]->socket->send(players[i + 1]->socket->local(), payload);
    home.run();
  }
  state.SetItemsProcessed(state.iterations() * batch);
}
BENCHMARK(simulated_datagram)->Arg(2)->Arg(2000)->Unit(benchmark::kMillisecond);

} // namespace
} // namespace jackfield::lane

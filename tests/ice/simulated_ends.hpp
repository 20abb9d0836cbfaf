#pragma once

#include <array>
#include <chrono>
#include <functional>
#include <map>
#include <string>
#include <utility>
#include <vector>

#include "engine/ice/connectivity.hpp"
#include "engine/lane/sim_random.hpp"

namespace jackfield::ice::tests {

using lane::time_point;
using namespace std::chrono_literals;

class seeded_random final : public random_source {
public:
  explicit seeded_random(uint64_t seed) : random_(seed) {}
  void fill(std::span<std::byte> out) noexcept override {
    for (auto& b : out)
      b = static_cast<std::byte>(random_.next());
  }

private:
  lane::sim_random random_;
};

struct sent_message {
  lane::endpoint to;
  std::string bytes;

  [[nodiscard]] std::span<const std::byte> view() const { return std::as_bytes(std::span{bytes}); }
  [[nodiscard]] binding_message read() const { return read_stun(view()).value(); }
};

/// Keeps what a `connectivity` does.
class recorder final : public connectivity_host {
public:
  void send(const lane::endpoint& to, std::span<const std::byte> message) override {
    sent.push_back({to, {reinterpret_cast<const char*>(message.data()), message.size()}});
  }
  void on_remote_changed(const lane::endpoint& remote) override { remotes.push_back(remote); }
  void on_consent_lost() override { ++lost; }

  /// What was sent since the last call.
  std::vector<sent_message> take() { return std::exchange(sent, {}); }

  std::vector<sent_message> sent;
  std::vector<lane::endpoint> remotes;
  int lost = 0;
};

inline const credentials near_credentials{"near", "nearPasswordOf24Letters+"};
inline const credentials far_credentials{"farr", "farrPasswordOf24Letters/"};
inline const lane::endpoint near_address = *lane::endpoint::parse("192.0.2.1", 4000);
inline const lane::endpoint far_address = *lane::endpoint::parse("192.0.2.2", 5000);
inline const lane::endpoint other_address = *lane::endpoint::parse("192.0.2.3", 6000);

inline connectivity_settings near_end(bool controlling) {
  connectivity_settings s;
  s.local = near_credentials;
  s.remote = far_credentials;
  s.remote_address = far_address;
  s.tie_breaker = 1000;
  s.controlling = controlling;
  return s;
}

inline connectivity_settings far_end(bool controlling) {
  connectivity_settings s;
  s.local = far_credentials;
  s.remote = near_credentials;
  s.remote_address = near_address;
  s.tie_breaker = 2000;
  s.controlling = controlling;
  return s;
}

/// Two ends and a path between them that loses and delays, in simulated time.
class simulated_ends {
public:
  simulated_ends(connectivity_settings near_settings, connectivity_settings far_settings,
                 uint64_t seed, double loss)
      : source_(seed), path_(seed + 1), loss_(loss),
        near(std::move(near_settings), time_point{}, source_),
        far(std::move(far_settings), time_point{}, source_) {}

  /// Runs until `end`; after each event `seen` is called.
  void run_until(
    time_point end, const std::function<void(time_point)>& seen = [](time_point) {}) {
    for (;;) {
      auto next = std::min(near.deadline(), far.deadline());
      if (!under_way_.empty())
        next = std::min(next, under_way_.begin()->first);
      if (next > end)
        break;
      now_ = std::max(now_, next);
      while (!under_way_.empty() && under_way_.begin()->first <= now_) {
        const auto [to_far, message] = under_way_.begin()->second;
        under_way_.erase(under_way_.begin());
        if (to_far)
          far.on_stun(near_address, message.view(), now_, far_host);
        else
          near.on_stun(far_address, message.view(), now_, near_host);
      }
      near.on_timer(now_, near_host);
      far.on_timer(now_, far_host);
      carry(near_host, true);
      carry(far_host, false);
      seen(now_);
    }
    now_ = end;
  }

  /// From now on nothing arrives.
  void cut() { loss_ = lane::sim_chance{1}; }

private:
  void carry(recorder& host, bool to_far) {
    for (auto& message : host.take()) {
      if (!loss_.draw(path_))
        under_way_.emplace(now_ + 10ms + std::chrono::milliseconds{path_.below(30)},
                           std::pair{to_far, std::move(message)});
    }
  }

  seeded_random source_;
  lane::sim_random path_;
  lane::sim_chance loss_;
  time_point now_{};
  std::multimap<time_point, std::pair<bool, sent_message>> under_way_;

public:
  recorder near_host;
  recorder far_host;
  connectivity near;
  connectivity far;
};

} // namespace jackfield::ice::tests

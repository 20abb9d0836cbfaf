#pragma once

#include <array>
#include <atomic>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "engine/error/error.hpp"
#include "tests/relay/path/impairment.hpp"
#include "tests/relay/path/options.hpp"

namespace jackfield::tests {

/// A file descriptor that is closed with its owner.
class owned_fd {
public:
  explicit owned_fd(int fd = -1) noexcept : fd_(fd) {}
  ~owned_fd();
  owned_fd(owned_fd&& other) noexcept;
  owned_fd& operator=(owned_fd&& other) noexcept;

  [[nodiscard]] int get() const noexcept { return fd_; }

private:
  int fd_;
};

/// What one direction did, in datagrams. `received + duplicated` = `lost + too_big + sent +
/// failed + overflowed` + those still on their way.
struct relay_counters {
  std::uint64_t received = 0;
  std::uint64_t lost = 0;
  std::uint64_t too_big = 0;
  std::uint64_t duplicated = 0;
  std::uint64_t held_back = 0;
  std::uint64_t overtaken = 0; ///< sent after one that had come later on the same flow
  std::uint64_t sent = 0;
  std::uint64_t failed = 0;     ///< the kernel refused to send them
  std::uint64_t overflowed = 0; ///< dropped because too many were on their way
};

struct relay_statistics {
  std::uint64_t seed = 0;
  relay_counters to_target;
  relay_counters to_client;
  std::uint64_t flows = 0;
  std::uint64_t flows_refused = 0; ///< datagrams of clients beyond `relay::max_flows`
  std::uint64_t on_their_way = 0;  ///< neither sent nor dropped when the run ended

  /// One line of JSON without the line's end.
  [[nodiscard]] std::string to_json() const;
};

/// What became of one datagram: it left, or its fate was to be lost.
struct relay_event {
  impairment::direction way = impairment::direction::to_target;
  bool lost = false;
  std::uint32_t flow = 0; ///< the client, counted from 0 in the order in which they came
  std::chrono::steady_clock::time_point at; ///< as it left; if lost, as it came
  std::string_view payload;                 ///< as long as the observer runs
};

/// Sits between clients and one target: what comes to its listening socket leaves for the target
/// from a socket of its client's own, and the target's answers go back from the listening socket.
/// One thread, real time.
class relay {
public:
  static constexpr std::size_t max_flows = 16'384;
  /// Datagrams on their way at once, either direction.
  static constexpr std::size_t max_queued = 200'000;

  /// Binds the listening socket. The error's place is the option at fault.
  static result<std::unique_ptr<relay>> open(const relay_options& options);

  /// Where clients send to.
  [[nodiscard]] const socket_address& listening() const noexcept { return listening_; }

  ~relay();

  /// Tells of each datagram that is sent or lost, on the thread of `run`; to be set before that.
  void set_observer(std::function<void(const relay_event&)> observer);

  /// Relays until `stop`.
  result<void> run();

  /// Ends `run` soon; from any thread or signal handler.
  void stop() noexcept;

  /// To be called when `run` has returned.
  [[nodiscard]] relay_statistics statistics() const;

private:
  using clock = std::chrono::steady_clock;
  using direction = impairment::direction;

  struct flow {
    socket_address client;
    owned_fd upstream;
    std::array<std::uint64_t, 2> latest_sent{}; ///< the highest arrival, by direction
  };

  struct queued {
    clock::time_point due;
    std::uint64_t arrival = 0; ///< counted; equal times leave in this order
    std::uint32_t flow = 0;
    direction way = direction::to_target;
    std::string payload;

    /// For std::push_heap: the earliest comes out first.
    friend bool operator<(const queued& a, const queued& b) noexcept {
      return a.due != b.due ? a.due > b.due : a.arrival > b.arrival;
    }
  };

  struct receive_batch;

  explicit relay(const relay_options& options);

  result<void> prepare();
  [[nodiscard]] result<void> watch(int fd, std::uint64_t tag) const;
  void receive(int fd, direction way, std::uint32_t flow_index);
  /// The client's flow, a new one if need be; nothing if there are too many.
  std::optional<std::uint32_t> flow_of(const socket_address& client);
  void accept(std::string_view payload, direction way, std::uint32_t flow_index,
              clock::time_point now);
  void send_due(clock::time_point now);
  void send(queued&& item);
  void arm_timer(clock::time_point now);
  relay_counters& counters(direction way) noexcept;
  [[nodiscard]] bool in_time_of_loss(clock::time_point now) noexcept;

  relay_options options_;
  socket_address listening_;
  owned_fd epoll_;
  owned_fd timer_;
  owned_fd stopper_;
  owned_fd listener_;
  std::array<impairment, 2> paths_;
  std::unique_ptr<receive_batch> batch_;
  std::vector<flow> flows_;
  std::unordered_map<std::string, std::uint32_t> flow_by_client_;
  std::vector<queued> queue_; ///< a heap
  std::uint64_t arrivals_ = 0;
  std::optional<clock::time_point> first_; ///< datagram
  std::function<void(const relay_event&)> observer_;
  relay_statistics statistics_;
};

} // namespace jackfield::tests

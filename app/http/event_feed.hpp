#pragma once

#include <chrono>
#include <cstdint>
#include <mutex>
#include <optional>
#include <string>
#include <vector>

#include "app/http/event_ring.hpp"
#include "app/http/server.hpp"

namespace jackfield::http {

/// Events for clients that read on from where they were, or wait for the next one. From any thread.
class event_feed {
public:
  using clock = std::chrono::steady_clock;
  /// Who waits beyond that gets 503.
  static constexpr size_t most_waiting = 64;

  explicit event_feed(size_t kept) : ring_(kept) {}

  /// `seq` is one more than that of the last one. Answers who waits.
  void add(uint64_t seq, std::string line);
  struct wish {
    std::optional<uint64_t> after; ///< nothing: from the oldest that is kept
    size_t limit = 100;
    std::optional<clock::time_point> until; ///< waits for an event until then
  };
  /// Answers now, or with the next event, or by `on_time`.
  void read(const wish& what, handler::reply answer_with);
  void on_time(clock::time_point now);
  /// Lets all go who wait, without an answer.
  void clear();

private:
  struct waiter {
    uint64_t after;
    size_t limit;
    clock::time_point until;
    handler::reply answer_with;
  };
  [[nodiscard]] answer told(uint64_t after, size_t limit) const;

  std::mutex mutex_;
  event_ring ring_;
  std::vector<waiter> waiting_;
};

} // namespace jackfield::http

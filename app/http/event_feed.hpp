#pragma once

#include <chrono>
#include <cstdint>
#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <vector>

#include "app/http/event_ring.hpp"
#include "app/http/message_source.hpp"
#include "app/http/server.hpp"

namespace jackfield::http {

/// Events for clients that read on from where they were, or wait for the next one. From any thread.
class event_feed {
public:
  using clock = std::chrono::steady_clock;
  /// Who waits beyond that gets 503.
  static constexpr size_t most_waiting = 64;

  explicit event_feed(size_t kept) : ring_(kept) {}

  /// There were events up to `last`. Before the first one, and before anybody reads.
  void start_behind(uint64_t last) noexcept { ring_.start_behind(last); }
  /// `seq` is one more than that of the last one. Answers who waits.
  void add(uint64_t seq, std::string line);
  struct wish {
    std::optional<uint64_t> after; ///< nothing: from the oldest that is kept
    size_t limit = 100;
    std::optional<clock::time_point> until; ///< waits for an event until then
  };
  /// Answers now, or with the next event, or by `on_time`.
  void read(const wish& what, reply answer_with);
  /// For a WebSocket: what is behind `after`, as `read` would answer, whenever there is something.
  /// May not outlive the feed. Or a problem: events behind it are gone.
  [[nodiscard]] tl::expected<std::unique_ptr<message_source>, answer>
  follow(std::optional<uint64_t> after);
  void on_time(clock::time_point now);
  /// Lets all go who wait, without an answer.
  void clear();

private:
  class following;
  /// With it, after which event to read on.
  using told_with = std::function<void(answer, uint64_t)>;
  struct waiter {
    uint64_t after;
    size_t limit;
    clock::time_point until;
    told_with tell;
    const following* whose;
  };
  struct part {
    answer what;
    uint64_t next;
  };
  void read(const wish& what, told_with tell, const following* whose);
  void forget(const following* whose);
  [[nodiscard]] part told(uint64_t after, size_t limit) const;
  [[nodiscard]] answer gone(uint64_t after) const;

  std::mutex mutex_;
  event_ring ring_;
  std::vector<waiter> waiting_;
};

} // namespace jackfield::http

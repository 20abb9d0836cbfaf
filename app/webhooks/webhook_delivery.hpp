#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <random>
#include <string>
#include <string_view>
#include <vector>

#include "app/webhooks/event_backlog.hpp"

namespace jackfield::webhooks {

/// How far a webhook has come. What is kept of it.
struct webhook_cursor {
  uint64_t after = 0;   ///< it has been told of all events up to this one
  uint64_t dropped = 0; ///< events that were gone before it, and of which it has not been told yet
  uint64_t stream = 0;  ///< a random number: part of its messages' ids, which no other hook gives

  friend bool operator==(const webhook_cursor&, const webhook_cursor&) = default;
};

/// What a webhook sends, and when: each event at least once, in order, several in a message, one
/// message at a time. A message that was not taken is sent again, the same, until it is: 1 s to
/// 1.5 s later, and each time twice as late, up to 200 s to 300 s. 410 stops it.
class webhook_delivery {
public:
  using clock = std::chrono::steady_clock;
  static constexpr size_t most_events = 100; ///< in a message
  static constexpr size_t most_bytes = size_t{256} << 10U;
  static constexpr std::chrono::milliseconds first_pause{1'000};
  static constexpr std::chrono::milliseconds longest_pause{200'000};

  /// `events`: how names of those begin that are told; none: all.
  webhook_delivery(std::vector<std::string> events, const webhook_cursor& from)
      : events_(std::move(events)), cursor_(from),
        random_(static_cast<uint_fast32_t>(from.stream)) {}

  struct message {
    std::string id;
    std::string body; ///< {"events":[...],"next":N,"dropped":N}
    uint64_t next;    ///< the last event that it tells of, or passes over
    uint64_t dropped;
    size_t count;
  };
  /// What is to be sent now; then `on_answer` or `on_failure` follows. Null: nothing is, before
  /// `next_try`, or until an event comes. Events that it is not told of are passed over.
  const message* begin(clock::time_point now, const event_backlog& from);
  void on_answer(unsigned status, clock::time_point now);
  /// There was no answer, for `why`.
  void on_failure(std::string why, clock::time_point now);
  /// Sends what there is now, without waiting; also after 410, and where an answer is out: that is
  /// not waited for. Other events are told from now.
  void begin_anew(std::vector<std::string> events);

  [[nodiscard]] const webhook_cursor& cursor() const noexcept { return cursor_; }
  /// Nothing: as soon as there is something.
  [[nodiscard]] std::optional<clock::time_point> next_try() const noexcept { return next_try_; }
  [[nodiscard]] bool is_sending() const noexcept { return sending_; }
  [[nodiscard]] bool is_stopped() const noexcept { return stopped_; }
  /// Of the last attempt; empty: it was well, or there was none.
  [[nodiscard]] const std::string& last_error() const noexcept { return last_error_; }
  // Since it began:
  [[nodiscard]] uint64_t deliveries() const noexcept { return deliveries_; }
  [[nodiscard]] uint64_t failures() const noexcept { return failures_; }
  [[nodiscard]] uint64_t dropped() const noexcept { return dropped_; }

private:
  [[nodiscard]] bool tells(std::string_view name) const;
  void gather(const event_backlog& from);
  void fail(std::string why, clock::time_point now);

  std::vector<std::string> events_;
  webhook_cursor cursor_;
  std::optional<message> message_; // until it is taken
  std::optional<clock::time_point> next_try_;
  unsigned tries_ = 0; // of the message
  bool sending_ = false;
  bool stopped_ = false;
  std::string last_error_;
  uint64_t deliveries_ = 0;
  uint64_t failures_ = 0;
  uint64_t dropped_ = 0;
  std::minstd_rand random_;
};

} // namespace jackfield::webhooks

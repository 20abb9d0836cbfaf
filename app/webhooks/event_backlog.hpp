#pragma once

#include <cstddef>
#include <cstdint>
#include <deque>
#include <string>

namespace jackfield::webhooks {

/// The last events, by their numbers, as webhooks tell them: bounded by how many they are, and by
/// their bytes.
class event_backlog {
public:
  struct event {
    std::string name; ///< "call.entered"
    std::string line; ///< JSON
  };

  event_backlog(size_t most, size_t most_bytes) : most_(most), most_bytes_(most_bytes) {}

  /// `seq` is more than that of the last one; where it is more by more than one, those before are
  /// forgotten: nobody can say what stood between.
  void add(uint64_t seq, event what);

  /// There were events up to `last`, whether they were added or not: those are forgotten if not.
  void pass(uint64_t last);

  /// Of the oldest that is kept; one more than `last` if none is.
  [[nodiscard]] uint64_t first() const noexcept { return last_ + 1 - events_.size(); }
  [[nodiscard]] uint64_t last() const noexcept { return last_; }
  /// `seq`: from `first` to `last`.
  [[nodiscard]] const event& at(uint64_t seq) const {
    return events_[static_cast<size_t>(seq - first())];
  }

private:
  void drop_first();

  size_t most_;
  size_t most_bytes_;
  std::deque<event> events_;
  size_t bytes_ = 0;
  uint64_t last_ = 0;
};

} // namespace jackfield::webhooks

#pragma once

#include <cstdint>
#include <deque>
#include <string>

namespace jackfield::http {

/// The last events of a row, each a line of JSON, by their numbers, which go up by one.
class event_ring {
public:
  explicit event_ring(size_t most) : most_(most) {}

  /// There were events up to `last`, of which none is kept. Before the first.
  void start_behind(uint64_t last) noexcept { last_ = last; }
  /// `seq` is one more than that of the last one.
  void add(uint64_t seq, std::string line);

  /// Of the oldest that is kept; one more than `last` if none is.
  [[nodiscard]] uint64_t first() const noexcept { return last_ + 1 - lines_.size(); }
  /// Of the newest; 0: there was none.
  [[nodiscard]] uint64_t last() const noexcept { return last_; }
  /// Whoever has seen all up to `after` has missed none; false: some that followed are gone, or
  /// that number is of another row.
  [[nodiscard]] bool follows(uint64_t after) const noexcept {
    return after + 1 >= first() && after <= last_;
  }
  /// Those behind `after`, for which `follows` holds, `limit` at most: "a,b,c", and where they end.
  struct part {
    std::string lines;
    uint64_t last = 0;
    size_t count = 0;
  };
  [[nodiscard]] part after(uint64_t after, size_t limit) const;

private:
  size_t most_;
  std::deque<std::string> lines_;
  uint64_t last_ = 0;
};

} // namespace jackfield::http

#pragma once

#include <cstddef>
#include <cstdint>
#include <deque>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>

#include "engine/policy/time.hpp"

namespace jackfield::policy {

/// The places of callers who hung up, kept for a while: who calls again has its own again. A value;
/// times never go back. O(1) a step on average.
class left_places {
public:
  /// So many are kept; of more, the oldest are forgotten.
  static constexpr size_t most = 10'000;

  /// `who` stood there since `joined`, and has left. Its place is kept until `until`.
  void leave(time_point now, std::string_view who, time_point joined, time_point until);
  /// Since when it stands there, if it had a place that is kept still: once.
  [[nodiscard]] std::optional<time_point> take(time_point now, std::string_view who);
  [[nodiscard]] size_t size() const noexcept { return places_.size(); }

private:
  struct kept {
    time_point joined{};
    time_point until{};
    uint64_t number = 0;
  };
  struct turn {
    std::string who;
    uint64_t number = 0;
  };
  void forget_old(time_point now);

  std::unordered_map<std::string, kept> places_;
  std::deque<turn> order_; // of leaving; of those that were taken or left again, too
  uint64_t last_ = 0;
};

} // namespace jackfield::policy

#pragma once

#include <cstddef>
#include <cstdint>
#include <map>
#include <string>
#include <string_view>

#include "engine/report/failure_cause.hpp"

namespace jackfield::report {

/// What peers and the system said of failures beside their cause: a Reason, a Warning, why a
/// connection could not be made. Bounded, whatever they say: of each cause the first `most_texts`
/// different texts are counted apart, all others together.
class failure_details {
public:
  static constexpr size_t most_texts = 8;
  static constexpr size_t longest_text = 160; ///< bytes; longer ones are cut
  static constexpr std::string_view others = "others";

  using texts = std::map<std::string, uint64_t, std::less<>>;

  /// An empty text says nothing and is not counted.
  void count(failure_cause cause, std::string_view text, uint64_t times = 1);
  void merge(const failure_details& other);
  /// Null: nothing was said of this cause.
  [[nodiscard]] const texts* of(failure_cause cause) const;
  [[nodiscard]] const std::map<failure_cause, texts>& all() const noexcept { return by_cause_; }

private:
  std::map<failure_cause, texts> by_cause_;
};

} // namespace jackfield::report

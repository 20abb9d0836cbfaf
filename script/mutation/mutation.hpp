#pragma once

// Which of the changes in this copy of the sources is on, and which were reached. script/mutate lays it
// beside them; JACKFIELD_MUTATION names the change, by its number.

#include <atomic>
#include <cstdlib>
#include <memory>
#include <type_traits>

namespace jackfield_mutation {

inline constexpr int most = 1 << 17;

inline int from_environment() {
  const char* text = std::getenv("JACKFIELD_MUTATION");
  return text ? std::atoi(text) : 0;
}

inline const int chosen = from_environment();
inline std::atomic<bool> reached[most];

inline bool on(int change) noexcept {
  if (!reached[change].load(std::memory_order_relaxed))
    reached[change].store(true, std::memory_order_relaxed);
  return change == chosen;
}

/// By 15 %, and by one at least.
template <class T>
constexpr T larger(T value) {
  if constexpr (std::is_same_v<T, bool>)
    return !value;
  else if constexpr (std::is_floating_point_v<T>)
    return value * static_cast<T>(1.15);
  else if constexpr (std::is_integral_v<T>)
    return static_cast<T>(value + (value / 100 * 15 > 0 ? value / 100 * 15 : value * 15 / 100 > 0 ? value * 15 / 100 : 1));
  else
    return T{larger(value.count())};
}

} // namespace jackfield_mutation

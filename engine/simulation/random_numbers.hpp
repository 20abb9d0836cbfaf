#pragma once

#include <array>
#include <cstdint>

namespace jackfield::simulation {

/// Philox4x32-10 (J. Salmon and others, "Parallel random numbers: as easy as 1, 2, 3", SC 2011):
/// the numbers that belong to a counter, each counter's independent of all others'.
[[nodiscard]] std::array<uint32_t, 4> philox4x32(std::array<uint32_t, 4> counter,
                                                 std::array<uint32_t, 2> key) noexcept;

/// What a random number is for. Part of what makes the number: what is there stays as it is.
enum class draw : uint32_t {
  arrival = 1,
  patience = 2,
  talk = 3,
  wrap_up = 4,
  redials = 5,
  redial_after = 6,
  answers = 7,
  answer_after = 8,
  fails_after = 9,
  failure_lasts = 10,
  strategy = 11,
};

/// The random numbers of a seed: by what each is for and for which, not by the order in which they
/// are asked for. So two engines that work in different orders get the same, and a change in one
/// part of a scenario leaves the others' alone. The same on every machine.
class random_numbers {
public:
  explicit random_numbers(uint64_t seed) noexcept : seed_(seed) {}

  [[nodiscard]] uint64_t bits(draw what, uint64_t number, uint32_t part = 0) const noexcept;
  /// Greater than 0, less than 1.
  [[nodiscard]] double uniform(draw what, uint64_t number, uint32_t part = 0) const noexcept;

private:
  uint64_t seed_;
};

} // namespace jackfield::simulation

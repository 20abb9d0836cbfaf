#pragma once

#include <array>
#include <bit>
#include <cstdint>

namespace jackfield::lane {

/// xoshiro256** (Blackman and Vigna, 2018) seeded by SplitMix64, with conversions of its own: the
/// standard library's distributions differ from one library to the next, and simulated runs must
/// not.
class sim_random {
public:
  explicit sim_random(uint64_t seed) noexcept {
    for (uint64_t& word : state_) {
      seed += 0x9e3779b97f4a7c15U;
      uint64_t z = seed;
      z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9U;
      z = (z ^ (z >> 27)) * 0x94d049bb133111ebU;
      word = z ^ (z >> 31);
    }
  }

  uint64_t next() noexcept {
    const uint64_t out = std::rotl(state_[1] * 5, 7) * 9;
    const uint64_t t = state_[1] << 17;
    state_[2] ^= state_[0];
    state_[3] ^= state_[1];
    state_[1] ^= state_[2];
    state_[0] ^= state_[3];
    state_[2] ^= t;
    state_[3] = std::rotl(state_[3], 45);
    return out;
  }

  /// Uniform in [0, bound); `bound` above zero.
  uint64_t below(uint64_t bound) noexcept {
    __extension__ using wide = unsigned __int128;
    return static_cast<uint64_t>((static_cast<wide>(next()) * bound) >> 64);
  }

private:
  std::array<uint64_t, 4> state_;
};

/// A probability as an integer, so that a draw compares integers only.
class sim_chance {
public:
  sim_chance() = default;
  /// What is no probability is taken for the nearest one, NaN for 0.
  explicit sim_chance(double probability) noexcept
      : threshold_(probability >= 1  ? one
                   : probability > 0 ? static_cast<uint64_t>(probability * 0x1.0p53)
                                     : 0) {}

  /// Draws only where the outcome is open.
  bool draw(sim_random& random) const noexcept {
    return threshold_ != 0 && (threshold_ == one || (random.next() >> 11) < threshold_);
  }

private:
  static constexpr uint64_t one = uint64_t{1} << 53;
  uint64_t threshold_ = 0;
};

} // namespace jackfield::lane

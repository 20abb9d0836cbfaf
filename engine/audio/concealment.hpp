#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

namespace jackfield::audio {

/// What stands in for a packet of a codec without a concealment of its own: the last period of what
/// was heard, again and again, fading to silence in 60 ms. In the manner of G.711 Appendix I, but
/// without its overlap with what comes after.
class concealment {
public:
  /// For samples at this rate, 8000 or 16000.
  explicit concealment(uint32_t sample_rate);

  /// Takes note of what was decoded.
  void heard(std::span<const int16_t> samples) noexcept;

  /// Fills `out`; goes on where the last call ended if nothing was heard since.
  void fill(std::span<int16_t> out) noexcept;

private:
  void find_period() noexcept;

  std::vector<int16_t> history_; // the last 45 ms, the newest at the end
  size_t shortest_period_;
  size_t longest_period_;
  size_t window_;     // samples that two periods are compared over
  size_t fade_;       // samples until silence
  size_t period_;     // of what is repeated
  size_t filled_ = 0; // since something was heard
};

} // namespace jackfield::audio

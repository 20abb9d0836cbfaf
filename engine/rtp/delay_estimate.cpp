#include "engine/rtp/delay_estimate.hpp"

#include <algorithm>

namespace jackfield::rtp {
namespace {

constexpr uint16_t turn_packets = 512;
constexpr uint16_t halving_packets = 256;
constexpr uint16_t guess_weight = 4;
constexpr duration guess = std::chrono::milliseconds{40};
constexpr uint32_t percentile = 97;

} // namespace

void delay_estimate::on_packet(duration transit) noexcept {
  if (!began_) {
    began_ = true;
    late_[static_cast<size_t>(guess / step) - 1] = guess_weight;
    weight_ = guess_weight;
    restart(transit);
  }
  earliest_ = std::min(earliest_, transit);
  earliest_of_turn_ = std::min(earliest_of_turn_, transit);
  if (++turn_ == turn_packets) {
    earliest_ = earliest_of_turn_;
    earliest_of_turn_ = transit;
    turn_ = 0;
  }
  if (++to_halve_ == halving_packets) {
    to_halve_ = 0;
    weight_ = 0;
    for (auto& count : late_)
      weight_ += count /= 2;
  }
  const auto lateness = std::max(transit - earliest_, duration::zero());
  ++late_[std::min(static_cast<size_t>(lateness / step), steps - 1)];
  ++weight_;
  uint32_t sum = 0;
  size_t i = 0;
  while (i < steps - 1 && (sum += late_[i]) * 100 < weight_ * percentile)
    ++i;
  needed_ = static_cast<int64_t>(i + 1) * step;
}

void delay_estimate::restart(duration transit) noexcept {
  earliest_ = transit;
  earliest_of_turn_ = transit;
  turn_ = 0;
}

} // namespace jackfield::rtp

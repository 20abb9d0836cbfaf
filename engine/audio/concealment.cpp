#include "engine/audio/concealment.hpp"

#include <algorithm>
#include <cmath>

namespace jackfield::audio {

concealment::concealment(uint32_t sample_rate)
    : history_(sample_rate * 45 / 1000), shortest_period_(sample_rate / 400),
      longest_period_(sample_rate / 50), window_(sample_rate / 50), fade_(sample_rate * 60 / 1000),
      period_(longest_period_) {}

void concealment::heard(std::span<const int16_t> samples) noexcept {
  filled_ = 0;
  if (samples.size() >= history_.size()) {
    std::ranges::copy(samples.last(history_.size()), history_.begin());
    return;
  }
  const auto kept = history_.size() - samples.size();
  std::ranges::copy(std::span{history_}.last(kept), history_.begin());
  std::ranges::copy(samples, history_.begin() + static_cast<std::ptrdiff_t>(kept));
}

// The lag at which the end of what was heard is most like what was before it.
void concealment::find_period() noexcept {
  const auto end = std::span{history_}.last(window_);
  double best = -1;
  period_ = longest_period_;
  for (auto lag = shortest_period_; lag <= longest_period_; ++lag) {
    const auto before = std::span{history_}.subspan(history_.size() - window_ - lag, window_);
    int64_t product = 0;
    int64_t energy = 1;
    for (size_t i = 0; i < window_; ++i) {
      product += int64_t{end[i]} * before[i];
      energy += int64_t{before[i]} * before[i];
    }
    const auto likeness = static_cast<double>(product) / std::sqrt(static_cast<double>(energy));
    if (likeness > best) {
      best = likeness;
      period_ = lag;
    }
  }
}

void concealment::fill(std::span<int16_t> out) noexcept {
  if (filled_ == 0)
    find_period();
  const auto last = std::span{history_}.last(period_);
  for (auto& sample : out) {
    if (filled_ >= fade_) {
      sample = 0;
      continue;
    }
    const auto left = static_cast<int>(fade_ - filled_);
    sample = static_cast<int16_t>(last[filled_ % period_] * left / static_cast<int>(fade_));
    ++filled_;
  }
}

} // namespace jackfield::audio

#include "engine/rtp/loss_clusters.hpp"

#include <algorithm>

namespace jackfield::rtp {

void loss_clusters::lost(uint64_t count) noexcept {
  if (count == 0)
    return;
  losses_ += count;
  if (cluster_losses_ != 0 && heard_run_ == 0) {
    run_ += count;
  } else {
    ++runs_;
    run_ = count;
  }
  longest_run_ = std::max(longest_run_, run_);
  cluster_losses_ += count;
  cluster_packets_ += heard_run_ + count;
  heard_run_ = 0;
}

void loss_clusters::close() noexcept {
  if (cluster_losses_ > 1) {
    ++bursts_;
    burst_packets_ += cluster_packets_;
    burst_losses_ += cluster_losses_;
  }
  cluster_losses_ = 0;
  cluster_packets_ = 0;
  heard_run_ = 0;
}

loss_pattern loss_clusters::pattern(uint64_t packets) const noexcept {
  const auto ratio = [](uint64_t a, uint64_t b) {
    return b == 0 ? 0.0 : static_cast<double>(a) / static_cast<double>(b);
  };
  const auto gap_packets = packets > burst_packets_ ? packets - burst_packets_ : 0;
  loss_pattern out;
  out.burst_density = ratio(burst_losses_, burst_packets_);
  out.gap_density = ratio(losses_ - burst_losses_, gap_packets);
  out.burst_length = ratio(burst_packets_, bursts_);
  out.gap_length = ratio(gap_packets, bursts_ + 1);
  out.bursts = bursts_;
  out.loss_runs = runs_;
  out.longest_loss_run = longest_run_;
  // Runs of independent loss at a rate p are 1 / (1 - p) long on average.
  const auto rate = std::min(ratio(losses_, packets), 1.0);
  out.burst_ratio = std::max(1.0, ratio(losses_, runs_) * (1 - rate));
  return out;
}

} // namespace jackfield::rtp

#pragma once

#include <cstdint>

namespace jackfield::rtp {

/// How the losses of a stream (lost on the way or discarded by the jitter buffer) lie in time.
/// A burst begins and ends with a loss and has no Gmin = 16 packets heard in a row inside it; a
/// loss that is alone in such a stretch belongs to the gap around it (RFC 3611 §4.7.2).
struct loss_pattern {
  double burst_density = 0;      ///< share of packets lost within bursts, [0, 1]
  double gap_density = 0;        ///< share of packets lost within gaps, [0, 1]
  double burst_length = 0;       ///< mean length of a burst, packets
  double gap_length = 0;         ///< mean length of a gap, packets
  uint64_t bursts = 0;           ///< number of bursts
  uint64_t loss_runs = 0;        ///< number of runs of consecutive losses
  uint64_t longest_loss_run = 0; ///< packets
  /// G.107 BurstR: the mean run length over that of independent loss at the same rate; at least
  /// 1, which also stands for no loss.
  double burst_ratio = 1;
};

/// Sorts the packets of a stream, told in sequence order, into bursts and gaps.
class loss_clusters {
public:
  static constexpr uint64_t gmin = 16;

  void heard() noexcept {
    if (cluster_losses_ != 0 && ++heard_run_ == gmin)
      close();
  }
  void lost(uint64_t count) noexcept;

  /// Ends the cluster under way: the stream ends or starts anew.
  void close() noexcept;

  /// The pattern in a stream of `packets` packets heard and lost. To be asked after `close`.
  [[nodiscard]] loss_pattern pattern(uint64_t packets) const noexcept;

private:
  uint64_t losses_ = 0;
  uint64_t runs_ = 0;
  uint64_t longest_run_ = 0;
  uint64_t run_ = 0;
  uint64_t bursts_ = 0;
  uint64_t burst_packets_ = 0;
  uint64_t burst_losses_ = 0;
  // The cluster under way: none if it has no losses.
  uint64_t cluster_losses_ = 0;
  uint64_t cluster_packets_ = 0; // from its first to its last loss
  uint64_t heard_run_ = 0;       // since its last loss
};

} // namespace jackfield::rtp

#pragma once

#include <algorithm>
#include <bit>
#include <cstdint>
#include <optional>

#include "engine/rtp/loss_clusters.hpp"
#include "engine/rtp/packet.hpp"
#include "engine/rtp/time.hpp"

namespace jackfield::rtp {

struct report_block;

struct receiver_options {
  uint32_t clock_rate = 8000; ///< timestamp units a second, 1..192000
  /// Depth of the fixed jitter buffer that a listener is assumed to have: a packet that comes
  /// later than this after the earliest transit of late counts as discarded.
  duration jitter_buffer = std::chrono::milliseconds{60};
};

/// What one received stream was like, over all of its life. Invariant:
/// packets == expected - lost + duplicates + late + rejected.
struct reception_summary {
  uint64_t packets = 0;         ///< handed in
  uint64_t octets = 0;          ///< payload octets handed in
  uint64_t expected = 0;        ///< by sequence numbers, over all segments of the stream
  uint64_t lost = 0;            ///< never came, or came too late to tell; never above `expected`
  uint64_t duplicates = 0;      ///< same sequence number again
  uint64_t reordered = 0;       ///< came after a later one, in time to fill its place
  uint64_t late = 0;            ///< older than the window of 64 packets: its place counts as lost
  uint64_t rejected = 0;        ///< of a source still on probation (RFC 3550 A.1), or a stray
  uint64_t discarded = 0;       ///< came, but too late for the assumed jitter buffer
  uint64_t recovered = 0;       ///< of the lost, those that the next packet repeated in time (FEC)
  uint32_t restarts = 0;        ///< sequence jumps taken as a restart of the sender
  uint32_t ssrc_changes = 0;    ///< other sources that took over
  uint32_t timestamp_jumps = 0; ///< timestamps that broke with arrival time by over 10 s
  /// RFC 3550 §6.4.1 interarrival jitter, now and at its largest; timestamp units and time.
  uint32_t jitter_units = 0;
  duration jitter{};
  duration jitter_max{};
  /// The mean of what that follows, |D(i-1,i)|: it begins at nothing, and takes dozens of packets
  /// to be what it stands for.
  duration jitter_mean{};
  /// Longest time between two packets.
  duration gap_max{};
  /// Unset while nothing was accepted.
  std::optional<time_point> first_packet;
  std::optional<time_point> last_packet;
  loss_pattern losses;

  /// Share of expected packets that a listener did not hear: lost or discarded, in [0, 1];
  /// unset if nothing was expected.
  [[nodiscard]] std::optional<double> effective_loss() const noexcept;
};

/// Statistics of one incoming stream (RFC 3550 A.1, A.3, A.8; RFC 3611 §4.7.2). A plain value of
/// a few cache lines; nothing is allocated and no packet can grow it. Packets of any source may be
/// handed in: a source is accepted when two packets of it came with numbers less than 64 apart, and
/// another one takes over in the same way when the first has fallen silent.
///
/// Unlike RFC 3550 A.3 a duplicate does not make up for a loss: `lost` is counted from a window of
/// the last 64 sequence numbers, so it is never negative.
class receiver_statistics {
public:
  explicit receiver_statistics(const receiver_options& options = {}) noexcept;

  /// Accounts for a packet that came at `arrival`, which must not run backwards. `paced` is false
  /// for packets whose timestamp does not follow their sending time (telephone events): they
  /// count everywhere but in jitter and discards.
  /// Returns false if the packet belongs to no stream that has passed probation, or was a
  /// duplicate or late: its payload is not to be played.
  bool on_packet(const packet& p, time_point arrival, bool paced = true) noexcept;

  /// Whether the packet before the one of this number is missing: only then is it of use that this
  /// one repeats it.
  [[nodiscard]] bool follows_a_loss(uint16_t sequence) const noexcept {
    const unsigned behind = static_cast<uint16_t>(static_cast<uint16_t>(highest_) - sequence) + 1U;
    return behind < 64 && (came_ >> behind & 1) == 0 && highest_ - behind >= base_;
  }

  /// The packet that `on_packet` took last, and that follows a loss, repeats as many timestamp
  /// units of what was before it. The lost packet counts as recovered, unless the repetition came
  /// too late for the assumed jitter buffer, or itself comes yet.
  void on_repetition(uint16_t sequence, uint32_t units) noexcept;

  /// From now on the source counts this many timestamp units a second (a re-offer chose another
  /// codec). Figures in units so far are taken over to the new unit.
  void set_clock_rate(uint32_t clock_rate) noexcept;

  /// All figures up to now. Costs about a microsecond. `unheard_after`: so many more packets were
  /// to come and did not, with no number to tell: they count as lost.
  [[nodiscard]] reception_summary summary(uint64_t unheard_after = 0) const noexcept;

  /// Some of them, at no cost.
  [[nodiscard]] uint64_t packets() const noexcept { return packets_; }
  [[nodiscard]] uint64_t expected() const noexcept {
    return accepted_ ? expected_before_ + (highest_ - base_ + 1) : 0;
  }
  [[nodiscard]] uint64_t lost() const noexcept { return expected() - unique_; }
  /// Of the lost, those among the last eight numbers: they may only have been overtaken, and come
  /// yet.
  [[nodiscard]] uint64_t may_come() const noexcept {
    const auto known = std::min<uint64_t>(accepted_ ? highest_ - base_ + 1 : 0, 8);
    return static_cast<uint64_t>(std::popcount(~came_ & ((uint64_t{1} << known) - 1)));
  }
  /// |D(i-1,i)| of RFC 3550 §6.4.1, in timestamp units: their sum, and how many.
  [[nodiscard]] uint64_t jitter_sum() const noexcept { return jitter_sum_; }
  [[nodiscard]] uint64_t jitter_count() const noexcept { return jitter_count_; }

  /// Fills an RTCP report block with ssrc, losses, highest sequence and jitter, and begins the next
  /// reporting interval. `lsr` and `dlsr` are left alone. Returns false if no source has been
  /// accepted.
  bool next_report(report_block& out) noexcept;

  /// The accepted source, if any.
  [[nodiscard]] std::optional<uint32_t> ssrc() const noexcept;

  /// Time of the last packet accepted.
  [[nodiscard]] std::optional<time_point> last_packet() const noexcept;

  /// One-way audio: true if we have been sending since `sending_since`, at least for `bound`, and
  /// nothing was received for `bound`.
  [[nodiscard]] bool one_way(time_point sending_since, time_point now,
                             duration bound) const noexcept;

private:
  struct candidate {
    time_point arrival{};
    uint32_t ssrc = 0;
    uint32_t timestamp = 0;
    uint16_t sequence = 0;
    bool valid = false;
    bool paced = false;
  };

  bool probation(const packet& p, time_point arrival, bool paced) noexcept;
  void begin_segment(const candidate& first) noexcept;
  void end_segment(uint64_t unheard_after = 0) noexcept;
  void advance(unsigned delta) noexcept;
  bool fill(unsigned behind, const packet& p, time_point arrival, bool paced) noexcept;
  bool in_time(uint32_t timestamp, time_point arrival, bool marker) noexcept;
  [[nodiscard]] int64_t lateness() const noexcept;
  void note_arrival(time_point arrival) noexcept;

  // The window: bit i stands for the packet `highest_ - i`.
  uint64_t came_ = 0;
  uint64_t unheard_ = 0;  // expected and missing, or discarded
  uint64_t repeated_ = 0; // missing, and recovered
  // Extended sequence numbers. They begin at 2^32, so that the low half is what RTCP reports and
  // a packet from before the first one still has a number.
  uint64_t base_ = 0;
  uint64_t highest_ = 0;

  uint64_t packets_ = 0;
  uint64_t octets_ = 0;
  uint64_t unique_ = 0; // came in time for its place in the window, over all segments
  uint64_t duplicates_ = 0;
  uint64_t reordered_ = 0;
  uint64_t late_ = 0;
  uint64_t rejected_ = 0;
  uint64_t discarded_ = 0;
  uint64_t recovered_ = 0;
  uint64_t expected_before_ = 0; // in earlier segments
  uint64_t unique_before_ = 0;
  uint64_t expected_prior_ = 0; // in this segment, at the last report
  uint64_t unique_prior_ = 0;

  time_point first_{};
  time_point last_ = time_point::min();
  time_point epoch_{}; // of this segment's arrival times in timestamp units
  duration gap_max_{};
  uint64_t jitter_sum_ = 0; // of what jitter_ follows
  uint64_t jitter_count_ = 0;

  loss_clusters clusters_;
  candidate candidate_;

  uint32_t ssrc_ = 0;
  uint32_t clock_rate_;
  uint32_t depth_;      // of the jitter buffer, timestamp units
  uint32_t jitter_ = 0; // scaled by 16, RFC 3550 A.8
  uint32_t jitter_max_ = 0;
  uint32_t transit_ = 0;
  uint32_t least_transit_ = 0;        // since the last turn of the minimum's window
  uint32_t least_transit_before_ = 0; // in the turn before
  uint32_t turn_ = 0;                 // packets in this turn
  uint32_t restarts_ = 0;
  uint32_t ssrc_changes_ = 0;
  uint32_t timestamp_jumps_ = 0;
  bool accepted_ = false;
  bool has_transit_ = false;
};
static_assert(sizeof(receiver_statistics) <= 400, "there is one for each of thousands of streams");

} // namespace jackfield::rtp

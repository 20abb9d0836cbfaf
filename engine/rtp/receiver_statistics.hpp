#pragma once

#include <cstdint>
#include <optional>

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

/// How the losses of a stream (lost on the way or discarded by the jitter buffer) lie in time.
/// Bursts and gaps as in RFC 3611 §4.7.2 with Gmin = 16. Rates in [0, 1], lengths in packets.
struct loss_pattern {
  double burst_density = 0;      ///< share of packets lost within bursts
  double gap_density = 0;        ///< share of packets lost within gaps
  double burst_length = 0;       ///< mean length of a burst, packets
  double gap_length = 0;         ///< mean length of a gap, packets
  uint64_t loss_runs = 0;        ///< number of runs of consecutive losses
  uint32_t longest_loss_run = 0; ///< packets
  /// G.107 BurstR: the mean run length over that of independent loss at the same rate; 1 when
  /// losses are independent or none.
  double burst_ratio = 1;
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
  uint32_t restarts = 0;        ///< sequence jumps taken as a restart of the sender
  uint32_t ssrc_changes = 0;    ///< other sources that took over
  uint32_t timestamp_jumps = 0; ///< timestamps that broke with arrival time by over 10 s
  /// RFC 3550 §6.4.1 interarrival jitter, now and at its largest; timestamp units and time.
  uint32_t jitter_units = 0;
  duration jitter{};
  duration jitter_max{};
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
/// handed in: a new SSRC takes over when two packets of it came in sequence.
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

  /// All figures up to now. Costs about a microsecond.
  [[nodiscard]] reception_summary summary() const noexcept;

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
};

} // namespace jackfield::rtp

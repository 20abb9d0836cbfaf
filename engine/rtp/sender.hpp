#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <utility>

#include "engine/rtp/packet.hpp"
#include "engine/rtp/time.hpp"

namespace jackfield::rtp {

/// Where an outgoing stream begins. SSRC, sequence and timestamp must be drawn at random by the
/// caller (RFC 3550 §5.1).
struct sender_options {
  uint32_t ssrc = 0;
  uint16_t first_sequence = 0;
  uint32_t first_timestamp = 0;
  uint8_t payload_type = 0; ///< 0..127
};

/// Sequence, timestamp and counters of one outgoing stream. Does no I/O: it fills the buffer that
/// the caller sends. Payload bytes are copied from wherever they lie: a shared encoded source, or
/// a packet just received (echo).
class sender {
public:
  explicit sender(const sender_options& options) noexcept;

  /// Writes the next media packet into `out`: header and payload; `samples` is the time it covers
  /// in timestamp units. The marker is set on the first packet and on the first after a `pause`.
  /// Returns the packet's size, or 0 (and changes nothing) if `out` is too small.
  [[nodiscard]] size_t write(std::span<const std::byte> payload, uint32_t samples,
                             std::span<std::byte> out) noexcept;

  /// Media time passes without a media packet: silence, or a telephone event in its place.
  void pause(uint32_t samples) noexcept;

  /// Writes a packet that is not media but shares its SSRC and sequence: a telephone event, whose
  /// timestamp stands still while it lasts. Media time does not advance: call `pause` for the
  /// media packet it replaces. Returns the size, or 0 as `write` does.
  [[nodiscard]] size_t write_event(uint8_t payload_type, bool marker, uint32_t timestamp,
                                   std::span<const std::byte> payload,
                                   std::span<std::byte> out) noexcept;

  /// Writes a packet that was given its place from outside: of a source that is relayed. Later
  /// packets are numbered on from the highest number used; those left out are counted. Returns the
  /// size, or 0 as `write` does.
  [[nodiscard]] size_t forward(uint8_t payload_type, bool marker, uint16_t sequence,
                               uint32_t timestamp, std::span<const std::byte> payload,
                               std::span<std::byte> out) noexcept;

  /// Media time goes on at `timestamp`, with a marked packet.
  void move_to(uint32_t timestamp) noexcept;

  /// Accounts for the time at which a packet left: calls `record(lateness)` with how long after
  /// `due` it was sent (never negative) and keeps the worst.
  template <class Record>
  void note_sent(time_point due, time_point sent, Record&& record) {
    const auto lateness = sent > due ? sent - due : duration::zero();
    if (lateness > worst_lateness_)
      worst_lateness_ = lateness;
    std::forward<Record>(record)(lateness);
  }

  /// From now on media packets carry this payload type (a re-offer chose another codec).
  void set_payload_type(uint8_t payload_type) noexcept;

  [[nodiscard]] uint32_t ssrc() const noexcept { return ssrc_; }
  [[nodiscard]] uint8_t payload_type() const noexcept { return payload_type_; }
  /// The sequence number and timestamp of the next media packet.
  [[nodiscard]] uint16_t next_sequence() const noexcept { return sequence_; }
  [[nodiscard]] uint32_t next_timestamp() const noexcept { return timestamp_; }
  /// Packets and payload octets written so far; an SR carries their low 32 bits.
  [[nodiscard]] uint64_t packets() const noexcept { return packets_; }
  [[nodiscard]] uint64_t octets() const noexcept { return octets_; }
  /// Numbers left out so far.
  [[nodiscard]] uint32_t gaps() const noexcept { return gaps_; }
  [[nodiscard]] duration worst_lateness() const noexcept { return worst_lateness_; }

private:
  void put(const header& h, std::span<const std::byte> payload, std::span<std::byte> out) noexcept;

  uint64_t packets_ = 0;
  uint64_t octets_ = 0;
  duration worst_lateness_{};
  uint32_t ssrc_;
  uint32_t timestamp_;
  uint32_t gaps_ = 0;
  uint16_t sequence_;
  uint8_t payload_type_;
  bool talkspurt_starts_ = true;
};

} // namespace jackfield::rtp

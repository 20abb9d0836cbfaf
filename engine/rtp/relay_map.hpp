#pragma once

#include <cstdint>
#include <optional>

#include "engine/rtp/packet.hpp"
#include "engine/rtp/time.hpp"

namespace jackfield::rtp {

/// Gives the packets of a stream that was received their places in one that is sent, as a relay
/// with an SSRC of its own must (RFC 3550 §7.1): what was lost on the way here stays a gap in the
/// numbers, what was overtaken comes overtaken, and timestamps move by an offset that is constant
/// as long as the source's own clock is one. Whoever receives the source has taken out duplicates.
/// A value; the caller writes the packets.
class relay_map {
public:
  struct place {
    uint16_t sequence;
    uint32_t timestamp;
    bool marker;
  };

  /// What `map` is told of a packet beside its header.
  enum class content : uint8_t {
    audio,
    event, ///< RFC 4733: its timestamp stands still while it lasts
  };

  /// The next packet begins a source, marked. The own stream's media time is `timestamp` at `at`,
  /// and it never goes back behind `timestamp`. `samples`: what a packet covers, timestamp units.
  void begin(uint32_t timestamp, time_point at, uint32_t clock_rate, uint32_t samples) noexcept;

  /// The place of a packet that came at `arrived`; `next_sequence` is the number that the own
  /// stream would give next, where a new source goes on. Unset if the packet is so old that its
  /// number is taken: it is not to be sent.
  [[nodiscard]] std::optional<place> map(const header& in, content what, time_point arrived,
                                         uint16_t next_sequence) noexcept;

  /// A packet that came but is not sent on takes no number: nobody lost it. `mark`: the next one
  /// that is sent begins a talkspurt.
  void skip(const header& in, bool mark) noexcept;

  /// A packet of the own stream's took the next number.
  void inserted() noexcept;

  /// The own stream's media time: that of the last packet, and what has passed since.
  [[nodiscard]] uint32_t timestamp_at(time_point t) const noexcept;
  /// As above, but not before the end of the last packet: where media that follows may begin.
  [[nodiscard]] uint32_t free_timestamp_at(time_point t) const noexcept;

private:
  void fix(uint32_t timestamp, time_point arrived) noexcept;
  [[nodiscard]] bool jumps(const header& in, time_point arrived) const noexcept;

  time_point anchor_at_{};
  uint32_t anchor_ = 0; // of the own stream's at anchor_at_
  uint32_t floor_ = 0;  // the end of its last packet
  uint32_t clock_rate_ = 8000;
  uint32_t samples_ = 160;
  uint32_t ssrc_ = 0;
  uint32_t timestamp_offset_ = 0;
  uint32_t event_ = 0; // the source's timestamp of the last event
  uint16_t sequence_offset_ = 0;
  uint16_t highest_ = 0; // of the source's
  uint16_t reach_ = 0;   // how far behind `highest_` the offsets hold
  bool has_source_ = false;
  bool has_event_ = false;
  bool mark_next_ = false;
};

} // namespace jackfield::rtp

#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string_view>
#include <vector>

#include "engine/error/error.hpp"
#include "engine/rtp/time.hpp"

namespace jackfield::rtp {

/// The payload of a telephone-event packet (RFC 4733 §2.3).
struct telephone_event {
  static constexpr size_t size = 4;

  uint8_t event = 0;
  bool end = false;
  uint8_t volume = 10;   ///< 0..63: minus this in dBm0
  uint16_t duration = 0; ///< timestamp units

  friend bool operator==(const telephone_event&, const telephone_event&) = default;
};

/// Reads the first event of a payload; unset if the payload is too short. The reserved bit is
/// ignored, as the RFC demands.
[[nodiscard]] std::optional<telephone_event>
parse_telephone_event(std::span<const std::byte> payload) noexcept;

[[nodiscard]] std::array<std::byte, telephone_event::size>
encode(const telephone_event& event) noexcept;

/// Event codes of "0123456789*#ABCD" (small letters too); unset for other characters.
[[nodiscard]] std::optional<uint8_t> event_of_digit(char digit) noexcept;
/// The digit of event codes 0..15; unset for others.
[[nodiscard]] std::optional<char> digit_of_event(uint8_t event) noexcept;

struct telephone_event_options {
  uint32_t clock_rate = 8000; ///< of the event stream, timestamp units a second
  /// Length of a digit and of the pause after it; rounded up to whole packets.
  std::chrono::milliseconds tone{100};
  std::chrono::milliseconds pause{60};
  std::chrono::milliseconds packet_time{20};
  uint8_t volume = 10; ///< 0..63: minus this in dBm0
};

/// Sends digits: one packet a packet time while a digit lasts, the end thrice, then a pause.
class telephone_event_sender {
public:
  struct outgoing {
    std::array<std::byte, telephone_event::size> payload;
    uint32_t timestamp; ///< of the event's (or its segment's) beginning
    bool marker;        ///< first packet of the event
  };

  explicit telephone_event_sender(const telephone_event_options& options = {}) noexcept;

  /// From now on `next` is called once this time, and the stream has this clock (a re-offer). A
  /// digit under way keeps the length that it began with.
  void set_pace(uint32_t clock_rate, std::chrono::milliseconds packet_time) noexcept;

  /// Queues digits; fails on anything but "0-9*#A-D", with nothing queued, and on more than
  /// `max_queued` digits waiting.
  result<void> dial(std::string_view digits);
  static constexpr size_t max_queued = 256;

  /// Queues one event of 1 ms to 10 minutes: more than 65,535 timestamp units are sent in segments
  /// (RFC 4733 §2.5.1.3).
  result<void> dial_event(uint8_t event, std::chrono::milliseconds length);

  /// To be called once a packet time, with the timestamp that the media packet of this moment
  /// would have. Returns the packet to send instead of it; unset if media may go on.
  [[nodiscard]] std::optional<outgoing> next(uint32_t media_timestamp);

  /// True from `dial` until the last end packet was given out and the pause is over.
  [[nodiscard]] bool busy() const noexcept { return phase_ != phase::idle || queued() != 0; }
  /// Events whose last end packet was given out.
  [[nodiscard]] uint64_t sent() const noexcept { return sent_; }

private:
  enum class phase : uint8_t { idle, tone, ending, pausing };
  struct pending {
    uint32_t length_ms;
    uint8_t event;
  };

  [[nodiscard]] size_t queued() const noexcept { return queue_.size() - next_; }
  [[nodiscard]] uint32_t units(std::chrono::milliseconds t) const noexcept;
  void enqueue(pending p);
  outgoing packet(uint16_t length, bool end) noexcept;
  outgoing continue_tone() noexcept;

  std::vector<pending> queue_; // those before next_ have been sent
  size_t next_ = 0;
  uint64_t sent_ = 0;
  std::chrono::milliseconds tone_;
  std::chrono::milliseconds pause_;
  uint32_t clock_rate_;
  uint32_t packet_units_;
  uint32_t pause_packets_;
  uint32_t timestamp_ = 0; // of the segment under way
  uint32_t elapsed_ = 0;   // of the event
  uint32_t segment_ = 0;   // where in the event the segment began
  uint32_t left_ = 0;      // packet times left in this phase
  uint32_t length_ = 0;    // of the event
  uint8_t event_ = 0;
  phase phase_ = phase::idle;
  bool first_ = false;
  uint8_t volume_;
};

/// What a packet changed, seen by somebody who listens for digits.
struct telephone_event_change {
  struct ended_event {
    uint8_t event = 0;
    uint32_t duration = 0; ///< timestamp units, over all segments, as far as was heard
  };
  /// In the order of happening: the event whose end packets were lost and which another one, or
  /// silence, now ends;
  std::optional<ended_event> interrupted;
  /// the event that began, reported once, at the first packet of it that came;
  std::optional<uint8_t> started;
  /// the event whose end packet came: if `started` is set, that one.
  std::optional<ended_event> ended;
};

/// Receives digits: each is reported once, whichever of its packets are lost, duplicated or
/// reordered. A plain value that no packet can grow.
class telephone_event_receiver {
public:
  explicit telephone_event_receiver(uint32_t clock_rate = 8000) noexcept;

  void set_clock_rate(uint32_t clock_rate) noexcept;

  /// A packet of the event payload type with this RTP timestamp.
  telephone_event_change on_packet(uint32_t timestamp, std::span<const std::byte> payload,
                                   time_point arrival) noexcept;

  /// Ends an event whose end packets were lost: nothing came for it in `patience`.
  telephone_event_change on_time(time_point now,
                                 duration patience = std::chrono::milliseconds{200}) noexcept;

  /// True between an event's start and its end.
  [[nodiscard]] bool active() const noexcept { return active_; }
  /// Payloads too short to be an event.
  [[nodiscard]] uint64_t malformed() const noexcept { return malformed_; }

private:
  [[nodiscard]] telephone_event_change::ended_event finish() noexcept;

  time_point last_arrival_{};
  uint64_t malformed_ = 0;
  uint32_t clock_rate_;
  uint32_t timestamp_ = 0; // of the last event's last segment
  uint32_t before_ = 0;    // length of its earlier segments
  uint32_t duration_ = 0;  // of this segment
  uint8_t event_ = 0;
  bool seen_any_ = false;
  bool active_ = false;
  bool end_seen_ = false;
};

} // namespace jackfield::rtp

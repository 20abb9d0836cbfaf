#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <deque>
#include <optional>
#include <span>
#include <string_view>

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

  /// Queues digits; fails on anything but "0-9*#A-D", with nothing queued, and on more than
  /// `max_queued` digits waiting.
  result<void> dial(std::string_view digits);
  static constexpr size_t max_queued = 256;

  /// Queues one event that lasts `length`: more than 65,535 timestamp units are sent in segments
  /// (RFC 4733 §2.5.1.3).
  result<void> dial_event(uint8_t event, std::chrono::milliseconds length);

  /// To be called once a packet time, with the timestamp that the media packet of this moment
  /// would have. Returns the packet to send instead of it; unset if media may go on.
  [[nodiscard]] std::optional<outgoing> next(uint32_t media_timestamp);

  /// True from `dial` until the last end packet was given out and the pause is over.
  [[nodiscard]] bool busy() const noexcept;
  /// Digits whose last end packet was given out.
  [[nodiscard]] uint64_t sent() const noexcept;
};

/// What a packet changed, seen by somebody who listens for digits.
struct telephone_event_change {
  struct ended_event {
    uint8_t event = 0;
    uint32_t duration = 0; ///< timestamp units, over all segments
    bool end_seen = false; ///< false if the end packets were lost
  };
  /// The event that ended, before the one that started.
  std::optional<ended_event> ended;
  /// The event that began: reported once, at the first packet of it that came.
  std::optional<uint8_t> started;
};

/// Receives digits: each is reported once, whichever of its packets are lost, duplicated or
/// reordered. A plain value that no packet can grow.
class telephone_event_receiver {
public:
  explicit telephone_event_receiver(uint32_t clock_rate = 8000) noexcept;

  /// A packet of the event payload type with this RTP timestamp.
  telephone_event_change on_packet(uint32_t timestamp, std::span<const std::byte> payload,
                                   time_point arrival) noexcept;

  /// Ends an event whose end packets were lost: nothing came for it in `patience`.
  telephone_event_change on_time(time_point now,
                                 duration patience = std::chrono::milliseconds{200}) noexcept;

  /// True between an event's start and its end.
  [[nodiscard]] bool active() const noexcept;
  /// Payloads too short to be an event.
  [[nodiscard]] uint64_t malformed() const noexcept;
};

} // namespace jackfield::rtp

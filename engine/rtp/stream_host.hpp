#pragma once

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <initializer_list>
#include <span>

#include "engine/rtp/packet.hpp"
#include "engine/rtp/time.hpp"

namespace jackfield::rtp {

/// An audio encoding by its number on the wire, and by one that names it alike in all streams of a
/// program: any small number of the owner's. Streams that relay to each other know by it what each
/// other's payload types are.
struct payload_format {
  static constexpr uint8_t no_type = 0xff;

  uint8_t payload_type = no_type; ///< 0..127
  uint8_t codec = 0;

  friend bool operator==(const payload_format&, const payload_format&) = default;
};

/// The formats that may come, or be sent, in one direction.
class payload_formats {
public:
  static constexpr size_t most = 4;

  payload_formats() = default;
  /// Of more than `most` the first ones are kept.
  payload_formats(std::initializer_list<payload_format> list) noexcept {
    std::copy_n(list.begin(), std::min(list.size(), most), formats_.begin());
  }

  /// Returns false, with nothing added, if there are `most` already.
  bool add(payload_format format) noexcept {
    const auto free = std::ranges::find(formats_, payload_format::no_type, type);
    if (free == formats_.end())
      return false;
    *free = format;
    return true;
  }
  [[nodiscard]] bool empty() const noexcept { return front().payload_type == no_type; }
  /// The preferred one.
  [[nodiscard]] const payload_format& front() const noexcept { return formats_.front(); }
  /// Null if there is none.
  [[nodiscard]] const payload_format* of_type(uint8_t payload_type) const noexcept {
    for (const auto& format : formats_) {
      if (format.payload_type == payload_type)
        return &format;
    }
    return nullptr;
  }
  [[nodiscard]] const payload_format* of_codec(uint8_t codec) const noexcept {
    for (const auto& format : formats_) {
      if (format.codec == codec && format.payload_type != no_type)
        return &format;
    }
    return nullptr;
  }

private:
  static constexpr auto no_type = payload_format::no_type;
  static constexpr auto type = &payload_format::payload_type;

  std::array<payload_format, most> formats_{};
};

/// A packet as a stream heard it: of the accepted source, in its place, no duplicate. Valid until
/// the call that it is handed to returns.
struct heard_packet {
  enum class content : uint8_t {
    audio, ///< to be played; `codec` says what it is
    event, ///< RFC 4733
    other, ///< a payload type that is none of ours, comfort noise say
  };

  const packet& what;
  content is = content::other;
  uint8_t codec = 0; ///< as in `payload_format`
  time_point arrived;
};

/// What a stream has around it: where its packets go, where its audio comes from, and who hears of
/// what it hears. It is handed to each call and not kept. From the calls named `on_` the stream's
/// own functions may be called, but it must not be destroyed; from the others it must be let alone.
class stream_host {
public:
  /// A packet to the peer's RTP address. The bytes are gone when the call returns.
  virtual void send_rtp(std::span<const std::byte> packet) = 0;
  /// As above to its RTCP address, which may be the same or none.
  virtual void send_rtcp(std::span<const std::byte> packet) = 0;
  /// The payload of the frame to be played now, in the format that is sent and as long as a packet
  /// time; empty if there is nothing to send. The stream copies it, or leaves it out for a digit.
  virtual std::span<const std::byte> next_frame() = 0;
  /// How late a packet was that is about to be sent by pace; never negative.
  virtual void note_lateness(duration /*lateness*/) {}

  /// Each packet that is worth playing, recording or relaying.
  virtual void on_heard(const heard_packet& /*packet*/) {}
  /// The peer's telephone event began (`digit_of_event` tells which digit), or ended having lasted
  /// `length`, as far as was heard. Each is told once and a start always has an end, unless the
  /// stream is gone before.
  virtual void on_event_started(uint8_t /*event*/, time_point /*at*/) {}
  virtual void on_event_ended(uint8_t /*event*/, duration /*length*/, time_point /*at*/) {}

protected:
  stream_host() = default;
  stream_host(const stream_host&) = default;
  stream_host& operator=(const stream_host&) = default;
  ~stream_host() = default;
};

} // namespace jackfield::rtp

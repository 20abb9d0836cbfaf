#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>

#include "engine/rtp/receiver_statistics.hpp"
#include "engine/rtp/rtcp.hpp"
#include "engine/rtp/sender.hpp"

namespace jackfield::rtp {

/// The RTCP side of one point-to-point stream: what to send and when, and what the peer told us.
/// A value without I/O; the caller sends what `report` and `bye` wrote and calls again after
/// `report_interval`.
class rtcp_session {
public:
  /// A buffer of this size holds every compound that is built here.
  static constexpr size_t max_size = 512;

  /// `cname` is cut to 64 bytes; shared by all streams of a node, so it is only viewed: it must
  /// outlive the session. It should tell nothing of the host (RFC 7022).
  rtcp_session(uint32_t ssrc, std::string_view cname, const ntp_clock& clock) noexcept;

  /// Takes a datagram from the peer. A malformed one is counted and has no effect.
  void on_datagram(std::span<const std::byte> datagram, time_point now) noexcept;

  /// Writes a compound of SR (RR if nothing was sent since the last report), and CNAME. Begins the
  /// receiver's next reporting interval. `media_timestamp` is what a media packet sent at `now`
  /// would carry.
  [[nodiscard]] size_t report(const sender& out_stream, receiver_statistics& in_stream,
                              uint32_t media_timestamp, time_point now,
                              std::span<std::byte> out) noexcept;

  /// As `report`, followed by BYE: the last thing a stream sends.
  [[nodiscard]] size_t bye(const sender& out_stream, receiver_statistics& in_stream,
                           uint32_t media_timestamp, time_point now,
                           std::span<std::byte> out) noexcept;

  /// The last and the least round trip measured; unset if none was.
  [[nodiscard]] std::optional<duration> round_trip() const noexcept;
  [[nodiscard]] std::optional<duration> least_round_trip() const noexcept;
  /// What the peer last said of the stream we send; unset if it said nothing.
  [[nodiscard]] const std::optional<report_block>& remote_report() const noexcept;
  /// True once the peer's source said BYE.
  [[nodiscard]] bool peer_left() const noexcept;
  [[nodiscard]] uint64_t reports_received() const noexcept;
  [[nodiscard]] uint64_t reports_sent() const noexcept;
  [[nodiscard]] uint64_t malformed() const noexcept;
};

} // namespace jackfield::rtp

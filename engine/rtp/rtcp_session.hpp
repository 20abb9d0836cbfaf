#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
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

  /// `cname` (1 to 64 bytes are used) is shared by all streams of a node, so it is only viewed and
  /// must outlive the session. It should tell nothing of the host (RFC 7022).
  rtcp_session(uint32_t ssrc, std::string_view cname, const ntp_clock& clock) noexcept;

  /// Takes a datagram from the peer. A malformed one is counted and has no effect.
  void on_datagram(std::span<const std::byte> datagram, time_point now) noexcept;

  /// Writes a compound of SR (RR if nothing was sent since the last report), CNAME and, if given,
  /// `metrics`; returns its size, 0 if `out` is too small. Begins the receiver's next reporting
  /// interval. `media_timestamp` is what a media packet sent at `now` would carry.
  [[nodiscard]] size_t report(const sender& out_stream, receiver_statistics& in_stream,
                              uint32_t media_timestamp, time_point now, std::span<std::byte> out,
                              const voip_metrics* metrics = nullptr) noexcept;

  /// As `report`, followed by BYE: the last thing a stream sends.
  [[nodiscard]] size_t bye(const sender& out_stream, receiver_statistics& in_stream,
                           uint32_t media_timestamp, time_point now, std::span<std::byte> out,
                           const voip_metrics* metrics = nullptr) noexcept;

  /// The last and the least round trip measured; unset if none was.
  [[nodiscard]] std::optional<duration> round_trip() const noexcept { return round_trip_; }
  [[nodiscard]] std::optional<duration> least_round_trip() const noexcept { return least_; }
  /// What the peer last said of the stream we send; unset if it said nothing.
  [[nodiscard]] const std::optional<report_block>& remote_report() const noexcept {
    return remote_report_;
  }
  [[nodiscard]] const std::optional<voip_metrics>& remote_metrics() const noexcept {
    return remote_metrics_;
  }
  /// True once the source that reports to us said BYE.
  [[nodiscard]] bool peer_left() const noexcept { return peer_left_; }
  [[nodiscard]] uint64_t reports_received() const noexcept { return received_; }
  [[nodiscard]] uint64_t reports_sent() const noexcept { return sent_; }
  [[nodiscard]] uint64_t malformed() const noexcept { return malformed_; }

private:
  class listener;

  bool build(rtcp_builder& to, const sender& out_stream, receiver_statistics& in_stream,
             uint32_t media_timestamp, time_point now, const voip_metrics* metrics) noexcept;

  ntp_clock clock_;
  std::string_view cname_;
  std::optional<report_block> remote_report_;
  std::optional<voip_metrics> remote_metrics_;
  std::optional<duration> round_trip_;
  std::optional<duration> least_;
  std::optional<uint32_t> remote_ssrc_;
  time_point report_arrival_{}; // of the SR that last_report_ is of
  uint64_t packets_reported_ = 0;
  uint64_t received_ = 0;
  uint64_t sent_ = 0;
  uint64_t malformed_ = 0;
  uint32_t ssrc_;
  uint32_t report_ssrc_ = 0;
  uint32_t last_report_ = 0; // middle of the last SR's NTP timestamp, 0 if none came
  bool peer_left_ = false;
};

} // namespace jackfield::rtp

#pragma once

#include <array>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string_view>

#include <tl/expected.hpp>

#include "engine/rtp/time.hpp"

namespace jackfield::rtp {

/// Seconds since 1900 and their fraction, 32 bits each (RFC 3550 §4).
struct ntp_timestamp {
  uint64_t value = 0;

  /// The middle 32 bits: 16 bits of seconds, 16 bits of fraction, as LSR and RTT have them.
  [[nodiscard]] uint32_t middle() const noexcept { return static_cast<uint32_t>(value >> 16); }

  friend bool operator==(const ntp_timestamp&, const ntp_timestamp&) = default;
};

/// Turns a lane's time into NTP timestamps: one pair of readings, made once by whoever may ask
/// the clocks.
class ntp_clock {
public:
  ntp_clock(time_point steady, std::chrono::system_clock::time_point wall) noexcept;
  [[nodiscard]] ntp_timestamp at(time_point t) const noexcept;

private:
  uint64_t base_;
  time_point steady_;
};

/// How somebody received a source (RFC 3550 §6.4.1).
struct report_block {
  uint32_t ssrc = 0;
  uint8_t fraction_lost = 0;     ///< since the last report, in 256ths
  int32_t cumulative_lost = 0;   ///< 24 bits, signed: others count duplicates against losses
  uint32_t highest_sequence = 0; ///< with the number of wraps in the high 16 bits
  uint32_t jitter = 0;           ///< timestamp units
  uint32_t lsr = 0;              ///< middle of the last SR's NTP timestamp, 0 if none came
  uint32_t dlsr = 0;             ///< since that SR came, in 1/65536 s

  friend bool operator==(const report_block&, const report_block&) = default;
};

struct sender_info {
  ntp_timestamp ntp;
  uint32_t rtp_timestamp = 0;
  uint32_t packets = 0;
  uint32_t octets = 0;

  friend bool operator==(const sender_info&, const sender_info&) = default;
};

/// The VoIP metrics block (RFC 3611 §4.7). Values as on the wire: rates in 256ths, durations in
/// ms, 127 for "unavailable" where the RFC has it.
struct voip_metrics {
  uint32_t ssrc = 0;
  uint8_t loss_rate = 0;
  uint8_t discard_rate = 0;
  uint8_t burst_density = 0;
  uint8_t gap_density = 0;
  uint16_t burst_duration = 0;
  uint16_t gap_duration = 0;
  uint16_t round_trip_delay = 0;
  uint16_t end_system_delay = 0;
  uint8_t signal_level = 127;
  uint8_t noise_level = 127;
  uint8_t rerl = 127;
  uint8_t gmin = 16;
  uint8_t r_factor = 127;
  uint8_t external_r_factor = 127;
  uint8_t mos_lq = 127; ///< MOS times ten
  uint8_t mos_cq = 127;
  uint8_t rx_config = 0;
  uint16_t jb_nominal = 0;
  uint16_t jb_maximum = 0;
  uint16_t jb_abs_max = 0;

  friend bool operator==(const voip_metrics&, const voip_metrics&) = default;
};

/// Why a datagram is not a compound RTCP packet.
enum class rtcp_fault : uint8_t {
  too_short,       ///< no room for one packet's header
  bad_version,     ///< a packet's version is not 2
  bad_first,       ///< neither SR nor RR comes first, and it is not a lone packet of RFC 5506
  bad_length,      ///< a packet's length passes the end of the datagram
  bad_padding,     ///< padding before the last packet, of zero bytes, or longer than its packet
  truncated_block, ///< a count or inner length passes the end of its packet
};
inline constexpr size_t rtcp_fault_count = 6;
[[nodiscard]] std::string_view to_string(rtcp_fault f) noexcept;

/// Hears what a compound packet says, in its order. Views live until the call returns.
class rtcp_visitor {
public:
  virtual ~rtcp_visitor() = default;
  virtual void on_sender_report(uint32_t ssrc, const sender_info& info);
  virtual void on_receiver_report(uint32_t ssrc);
  /// A block of the SR or RR of `reporter`.
  virtual void on_report_block(uint32_t reporter, const report_block& block);
  virtual void on_cname(uint32_t ssrc, std::string_view cname);
  virtual void on_bye(uint32_t ssrc, std::string_view reason);
  virtual void on_voip_metrics(uint32_t reporter, const voip_metrics& metrics);
  /// A packet type or XR block type that is none of ours; skipped.
  virtual void on_unknown(uint8_t packet_type);
};

/// Checks the whole datagram and only then tells `visitor` what it says: a malformed compound has
/// no effect. Reduced-size packets (RFC 5506) are taken. Allocates nothing.
[[nodiscard]] tl::expected<void, rtcp_fault> parse_rtcp(std::span<const std::byte> datagram,
                                                        rtcp_visitor& visitor) noexcept;

/// Builds one compound packet in a caller's buffer. Each call adds a packet, or adds nothing and
/// returns false if it does not fit or the compound would break RFC 3550 §6.1.
class rtcp_builder {
public:
  explicit rtcp_builder(std::span<std::byte> out) noexcept : out_(out) {}

  /// At most 31 blocks.
  bool sender_report(uint32_t ssrc, const sender_info& info,
                     std::span<const report_block> blocks) noexcept;
  bool receiver_report(uint32_t ssrc, std::span<const report_block> blocks) noexcept;
  /// At most 255 bytes.
  bool cname(uint32_t ssrc, std::string_view cname) noexcept;
  bool bye(uint32_t ssrc, std::string_view reason = {}) noexcept;
  bool voip(uint32_t reporter, const voip_metrics& metrics) noexcept;

  /// Bytes written so far.
  [[nodiscard]] size_t size() const noexcept { return size_; }

private:
  std::span<std::byte> take(uint8_t count, uint8_t type, size_t length) noexcept;

  std::span<std::byte> out_;
  size_t size_ = 0;
};

/// Round-trip time from a report block about our own SR (RFC 3550 §6.4.1): `now - lsr - dlsr`,
/// unset if the peer has seen no SR yet, or if the figures cannot be (a negative or over 60 s).
[[nodiscard]] std::optional<duration> round_trip(const report_block& block,
                                                 ntp_timestamp now) noexcept;

/// Time to the next report of a point-to-point session (RFC 3550 §6.3.1 with two members): 5 s,
/// 2.5 s before the first, times [0.5, 1.5) by `random` in [0, 1), over the compensation
/// e - 3/2.
[[nodiscard]] duration report_interval(bool first, double random) noexcept;

} // namespace jackfield::rtp

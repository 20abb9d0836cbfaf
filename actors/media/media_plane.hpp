#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "engine/audio/source.hpp"
#include "engine/lane/lane.hpp"
#include "engine/report/histogram.hpp"
#include "engine/rtp/rtcp.hpp"

namespace jackfield {

class webrtc_services;

struct media_plane_settings {
  /// Address RTP is sent from and received at.
  lane::endpoint address;
  /// Ports handed out, in pairs of an even RTP and the odd RTCP port after it. All five digits
  /// wide, so that offers have one length.
  uint16_t first_port = 10'000;
  uint16_t last_port = 65'535;
  /// Null: no WebRTC streams.
  std::shared_ptr<webrtc_services> webrtc = {};
};

/// What the media streams of one lane have in common: ports, the RTCP identity, how punctual their
/// sending is, and the order of work: first all streams whose frame is due send, then all of them
/// read. Sending and receiving by turns, a packet costs a fifth more: neither way through the
/// system's code stays in the core's cache. On the lane's thread; outlives the lane's streams.
class media_plane {
public:
  /// Socket buffers of a media stream, bytes: half a second of G.711 and its overhead.
  static constexpr size_t media_buffer_bytes = 1U << 16U;

  media_plane(lane::lane& home, const media_plane_settings& settings);

  [[nodiscard]] lane::lane& home() noexcept { return home_; }
  [[nodiscard]] const media_plane_settings& settings() const noexcept { return settings_; }
  [[nodiscard]] const lane::endpoint& address() const noexcept { return settings_.address; }
  /// Null: this plane has no WebRTC streams.
  [[nodiscard]] webrtc_services* webrtc() const noexcept { return settings_.webrtc.get(); }

  /// Fails if media cannot be bound to the address: it is not this machine's, say.
  [[nodiscard]] result<void> check_address();

  /// A bound RTP socket on an even port, read once a frame (`on_demand`) or as packets come. Ports
  /// taken by others are passed over; fails when some hundreds in a row are.
  result<std::unique_ptr<lane::datagram_socket>> open_rtp(lane::datagram_handler& handler,
                                                          bool on_demand);
  /// The RTCP socket that belongs to it, for a peer that does not multiplex.
  result<std::unique_ptr<lane::datagram_socket>> open_rtcp(lane::datagram_handler& handler,
                                                           const lane::endpoint& rtp);

  /// Has `socket` hand up what came in (`receive_pending`) once the streams that are due now have
  /// sent, in a pass of the lane's own.
  void read_soon(lane::datagram_socket& socket);
  /// To be called before such a socket goes.
  void forget(lane::datagram_socket& socket) noexcept;

  /// Room for one packet while it is encrypted and sent, and for one that was decrypted and is
  /// being heard, perhaps sending others: at multiples of 8.
  [[nodiscard]] std::span<std::byte> sending_room() noexcept { return sending_room_; }
  [[nodiscard]] std::span<std::byte> hearing_room() noexcept { return hearing_room_; }

  [[nodiscard]] const rtp::ntp_clock& clock() const noexcept { return clock_; }
  /// Random for each lane, tells nothing of the host (RFC 7022).
  [[nodiscard]] const std::string& cname() const noexcept { return cname_; }

  void note_lateness(lane::duration lateness) { send_lateness_.record(lateness); }
  void note_sent() noexcept { ++packets_sent_; }
  [[nodiscard]] const report::histogram& send_lateness() const noexcept { return send_lateness_; }
  [[nodiscard]] uint64_t packets_sent() const noexcept { return packets_sent_; }

  /// A frame's worth of spread for the next stream, so that the lane's streams do not all send in
  /// the same millisecond: steps through the period evenly.
  [[nodiscard]] lane::duration next_phase(std::chrono::milliseconds period) noexcept;

private:
  void read_all();

  lane::lane& home_;
  media_plane_settings settings_;
  uint32_t next_port_;
  rtp::ntp_clock clock_;
  std::string cname_;
  report::histogram send_lateness_;
  uint64_t packets_sent_ = 0;
  uint32_t phase_ = 0;
  std::vector<lane::datagram_socket*> to_read_; // null: one that is gone
  lane::timer read_;
  alignas(8) std::array<std::byte, 2'048> sending_room_;
  alignas(8) std::array<std::byte, 2'048> hearing_room_;
};

} // namespace jackfield

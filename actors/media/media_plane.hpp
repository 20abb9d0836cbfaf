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

/// Opens what a plane gathered for it.
class packet_opener {
public:
  /// A packet as it came, in memory that may be written to (at a multiple of 8) for the call's
  /// time; `arrived` as in `lane::datagram_handler`.
  virtual void open_packet(std::span<std::byte> packet, lane::time_point arrived) = 0;

protected:
  ~packet_opener() = default;
};

/// What the media streams of one lane have in common: ports, the RTCP identity, how punctual their
/// sending is, and the order of work: all streams whose frame is due write and encrypt it, then
/// what they wrote is sent, then their sockets are read, then what came is decrypted and heard. By
/// turns, with a thousand streams, a packet's encryption and way through the system cost a quarter
/// more: none of these ways stays in the core's cache. On the lane's thread; outlives the lane's
/// streams.
class media_plane {
public:
  /// Socket buffers of a media stream, bytes: half a second of G.711 and its overhead.
  static constexpr size_t media_buffer_bytes = 1U << 16U;
  /// The longest packet of media, encrypted: more than a path takes in one piece.
  static constexpr size_t most_packet = 2'048;

  media_plane(lane::lane& home, const media_plane_settings& settings);

  [[nodiscard]] lane::lane& home() noexcept { return home_; }
  [[nodiscard]] const media_plane_settings& settings() const noexcept { return settings_; }
  [[nodiscard]] const lane::endpoint& address() const noexcept { return settings_.address; }
  /// Null: this plane has no WebRTC streams.
  [[nodiscard]] webrtc_services* webrtc() const noexcept { return settings_.webrtc.get(); }

  /// Fails if media cannot be bound to the address: it is not this machine's, say.
  [[nodiscard]] result<void> check_address();

  /// A bound RTP socket on an even port, read once a frame (`on_demand`) or as packets come. Ports
  /// taken by others are passed over; fails when some hundreds in a row are. `wanted`, unless 0, is
  /// taken if it can be had.
  result<std::unique_ptr<lane::datagram_socket>> open_rtp(lane::datagram_handler& handler,
                                                          bool on_demand, uint16_t wanted = 0);
  /// The RTCP socket that belongs to it, for a peer that does not multiplex.
  result<std::unique_ptr<lane::datagram_socket>> open_rtcp(lane::datagram_handler& handler,
                                                           const lane::endpoint& rtp);

  /// Has `socket` hand up what came in (`receive_pending`) once the streams that are due now have
  /// sent, in a pass of the lane's own.
  void read_soon(lane::datagram_socket& socket);

  /// Room for one packet at least, at a multiple of 8, until the next call of `send_soon`.
  [[nodiscard]] std::span<std::byte> sending_room() noexcept {
    return std::span{to_send_bytes_}.subspan(to_send_used_);
  }
  /// Sends the first `size` bytes of `sending_room()` with others of this pass, in order.
  void send_soon(lane::datagram_socket& socket, const lane::endpoint& to, size_t size);

  /// Hands a copy of the packet to `opener`: with others, once the sockets that are being read have
  /// been, or else before it returns. False, with nothing done, if it is longer than `most_packet`.
  [[nodiscard]] bool open(packet_opener& opener, std::span<const std::byte> packet,
                          lane::time_point arrived);

  /// To be called before such a socket goes; what it has to send is sent first.
  void forget(lane::datagram_socket& socket) noexcept;
  /// To be called before an opener goes.
  void forget(packet_opener& opener) noexcept;

  [[nodiscard]] const rtp::ntp_clock& clock() const noexcept { return clock_; }
  /// Random for each lane, tells nothing of the host (RFC 7022).
  [[nodiscard]] const std::string& cname() const noexcept { return cname_; }

  void note_lateness(lane::duration lateness) { send_lateness_.record(lateness); }
  void note_sent() noexcept { ++packets_sent_; }
  /// Of a frame that was silence, for which no packet is sent.
  void note_dtx_frame() noexcept { ++dtx_frames_; }
  /// What became of packets since a stream told last: of those it heard, and of those that its peer
  /// did, by RTCP. Losses may turn out to be none.
  struct tally {
    uint64_t expected = 0;
    uint64_t received = 0;
    uint64_t lost = 0;
    uint64_t variation_us = 0; ///< as in `report::media_direction`
    uint64_t variation_count = 0;
  };
  void note_heard(const tally& before, const tally& now) noexcept { add(heard_, before, now); }
  void note_reported(const tally& before, const tally& now) noexcept {
    add(reported_, before, now);
  }
  /// Of all streams, those that are open with them.
  [[nodiscard]] const tally& heard() const noexcept { return heard_; }
  [[nodiscard]] const tally& reported() const noexcept { return reported_; }
  [[nodiscard]] const report::histogram& send_lateness() const noexcept { return send_lateness_; }
  [[nodiscard]] uint64_t packets_sent() const noexcept { return packets_sent_; }
  [[nodiscard]] uint64_t dtx_frames() const noexcept { return dtx_frames_; }

  /// A frame's worth of spread for the next stream, so that the lane's streams do not all send in
  /// the same millisecond: steps through the period evenly.
  [[nodiscard]] lane::duration next_phase(std::chrono::milliseconds period) noexcept;

private:
  /// Datagrams that are sent, or read, before the next step: enough to stay on one way, and few
  /// enough for what they are to stay in the core's first cache.
  static constexpr size_t batch = 16;

  struct to_open {
    packet_opener* opener; // null: it is gone
    lane::time_point arrived;
    uint32_t at;
    uint32_t size;
  };

  static void add(tally& to, const tally& before, const tally& now) noexcept {
    to.expected += now.expected - before.expected; // modulo 2^64: a loss may be taken back
    to.received += now.received - before.received;
    to.lost += now.lost - before.lost;
    to.variation_us += now.variation_us - before.variation_us;
    to.variation_count += now.variation_count - before.variation_count;
  }
  void work();
  void work_soon();
  void send_all() noexcept;
  void open_all();

  lane::lane& home_;
  media_plane_settings settings_;
  uint32_t next_port_;
  rtp::ntp_clock clock_;
  std::string cname_;
  report::histogram send_lateness_;
  uint64_t packets_sent_ = 0;
  uint64_t dtx_frames_ = 0;
  tally heard_;
  tally reported_;
  uint32_t phase_ = 0;
  std::vector<lane::datagram_socket*> to_read_;          // null: one that is gone
  std::array<lane::datagram_socket*, batch> read_now_{}; // as above, of those some
  lane::timer work_;
  bool reading_ = false;
  uint32_t to_send_used_ = 0;
  uint32_t to_open_used_ = 0;
  std::vector<lane::outgoing_datagram> to_send_;
  std::vector<to_open> to_open_;
  alignas(8) std::array<std::byte, 4 * most_packet> to_send_bytes_;
  alignas(8) std::array<std::byte, 4 * most_packet> to_open_bytes_;
  alignas(8) std::array<std::byte, most_packet> opened_at_once_;
};

} // namespace jackfield

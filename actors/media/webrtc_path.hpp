#pragma once

#include <memory>
#include <vector>

#include "actors/media/dtls_association.hpp"
#include "actors/media/ice_link.hpp"
#include "actors/media/media_path.hpp"
#include "actors/media/media_plane.hpp"
#include "actors/media/packet_protection.hpp"

namespace jackfield {

/// A WebRTC stream's way (RFC 8834, RFC 8827): ICE finds it, DTLS vouches for the peer and yields
/// the keys, SRTP carries RTP and RTCP on one socket. After an ICE restart the old socket is heard
/// until the new one carries the peer's media; the keys stay, unless the peer shows another
/// certificate with it (RFC 8842 §5): that is another end, which a proxy connected us to or which
/// has lost its keys in a crash, and hands are shaken anew by the new way.
class webrtc_path final : public media_path,
                          private packet_opener,
                          private ice_link_user,
                          private dtls_association_user {
public:
  /// `controlling`: our role in ICE, which nothing changes later but a conflict.
  webrtc_path(media_plane& plane, bool controlling);
  ~webrtc_path() override;

  void open(media_path_user& user) override;
  void connect(const media_remote& remote) override;
  [[nodiscard]] bool restart(bool controlling) override;
  void take_candidates(const sdp::ice_fragment& told) override;
  [[nodiscard]] std::optional<sdp::ice_fragment::stream> later_candidates() const override;
  void send_rtp(std::span<const std::byte> packet) override;
  void send_rtcp(std::span<const std::byte> packet) override;
  void read_at_once(bool at_once) override;
  void read_soon() override;
  void read_rest() override;
  [[nodiscard]] path_counters counted() const override;
  [[nodiscard]] path_times took() const override { return took_; }
  [[nodiscard]] std::string_view protected_by() const override { return protection_.profile(); }

private:
  // packet_opener
  void open_packet(std::span<std::byte> packet, lane::time_point arrived) override;
  // ice_link_user
  void on_link_described(ice_link& from, const std::vector<ice::candidate>& candidates) override;
  void on_link_found(ice_link& from) override;
  void on_link_up(ice_link& from) override;
  void on_link_down(ice_link& from, const error& why) override;
  void on_link_datagram(ice_link& from, std::span<const std::byte> bytes,
                        lane::time_point arrived) override;
  // dtls_association_user
  void on_dtls_send(std::span<const std::byte> datagram) override;
  void on_dtls_keys(const dtls_keys& keys) override;
  void on_dtls_failed(const error& why) override;
  void on_dtls_closed() override;
  void on_dtls_deadline(lane::time_point when) override;

  void reconnect(const media_remote& remote);
  void check(ice_link& link);
  /// The one that `remote_` is about.
  [[nodiscard]] ice_link* checked() const noexcept;
  void leave(std::unique_ptr<ice_link> link);
  void shake_hands();
  void end_association();
  [[nodiscard]] lane::duration end_phase();
  void send(std::span<const std::byte> packet, bool rtcp);

  media_plane& plane_;
  media_path_user* user_ = nullptr;
  std::unique_ptr<ice_link> link_;
  std::unique_ptr<ice_link> next_;             // after a restart, until it is up
  std::vector<std::unique_ptr<ice_link>> old_; // before it, heard until `sweep_`
  std::shared_ptr<dtls_association> association_;
  packet_protection protection_;
  lane::timer timer_; // of the handshake
  lane::timer sweep_;
  std::shared_ptr<const sdp::stream_transport> remote_;
  lane::time_point phase_began_{};
  path_times took_;
  sdp::setup role_ = sdp::setup::active;
  bool at_once_ = false;
  bool next_checks_ = false; // the peer's answer to the restart has come
  bool other_end_ = false;   // and has another certificate
  bool awaits_keys_ = false; // of the association
  path_counters before_;     // by links that are gone
};

} // namespace jackfield

#pragma once

#include <cstdint>
#include <memory>

#include "actors/media/media_path.hpp"
#include "actors/media/media_plane.hpp"

namespace jackfield {

/// Plain RTP: a socket of the plane's, and one for RTCP if the peer does not multiplex. Opens and
/// connects before the call returns. Nothing is learned from strangers: only the addresses that
/// were signalled are heard. Others are counted until the peer is heard; then the system drops
/// them.
class plain_path final : public media_path, private lane::datagram_handler {
public:
  /// `port`, unless 0, is taken if it can be had.
  explicit plain_path(media_plane& plane, uint16_t port = 0) : plane_(plane), port_(port) {}
  ~plain_path() override;

  void open(media_path_user& user) override;
  void connect(const media_remote& remote) override;
  void send_rtp(std::span<const std::byte> packet) override;
  void send_rtcp(std::span<const std::byte> packet) override;
  /// The first `size` bytes of the plane's `sending_room()`, with others of this pass.
  void send_rtp_soon(size_t size);
  void send_rtcp_soon(size_t size);
  void read_at_once(bool at_once) override;
  void read_soon() override;
  void read_rest() override;
  [[nodiscard]] path_counters counted() const override {
    return {.strangers = strangers_, .early = early_};
  }
  [[nodiscard]] std::string_view protected_by() const override { return {}; }

private:
  void on_datagram(const lane::endpoint& from, std::span<const std::byte> bytes,
                   lane::time_point arrived) override;

  void send_copy(lane::datagram_socket& socket, const lane::endpoint& to,
                 std::span<const std::byte> packet);
  void close_rtcp();
  /// Null: RTCP has no way.
  [[nodiscard]] lane::datagram_socket* rtcp_way() const noexcept;

  media_plane& plane_;
  media_path_user* user_ = nullptr;
  std::unique_ptr<lane::datagram_socket> socket_;
  std::unique_ptr<lane::datagram_socket> rtcp_socket_;
  lane::endpoint remote_;
  lane::endpoint remote_rtcp_;
  uint32_t heard_ = 0; // datagrams
  uint32_t strangers_ = 0;
  uint32_t early_ = 0;
  uint16_t port_; // wanted
  bool at_once_ = false;
  bool exclusive_ = false; // the socket is connected
};

} // namespace jackfield

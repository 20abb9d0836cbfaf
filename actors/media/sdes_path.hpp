#pragma once

#include <vector>

#include "actors/media/media_path.hpp"
#include "actors/media/media_plane.hpp"
#include "actors/media/packet_protection.hpp"
#include "actors/media/plain_path.hpp"
#include "engine/srtp/master_key.hpp"

namespace jackfield {

/// SRTP over a plain path, by keys that the descriptions carry (RFC 4568). Ours are drawn when it
/// opens, one for each suite, and stay through all re-offers.
class sdes_path final : public media_path, private packet_opener, private media_path_user {
public:
  /// `port`: as in `plain_path`.
  explicit sdes_path(media_plane& plane, uint16_t port = 0) : plane_(plane), socket_(plane, port) {}
  ~sdes_path() override;

  void open(media_path_user& user) override;
  void connect(const media_remote& remote) override;
  void send_rtp(std::span<const std::byte> packet) override;
  void send_rtcp(std::span<const std::byte> packet) override;
  void read_at_once(bool at_once) override { socket_.read_at_once(at_once); }
  void read_soon() override { socket_.read_soon(); }
  void read_rest() override { socket_.read_rest(); }
  [[nodiscard]] path_counters counted() const override;
  [[nodiscard]] std::string_view protected_by() const override { return protection_.profile(); }

private:
  // packet_opener
  void open_packet(std::span<std::byte> packet, lane::time_point arrived) override;
  // media_path_user
  void on_path_opened(const lane::endpoint& local,
                      std::shared_ptr<const sdp::stream_transport> transport) override;
  void on_path_connected(bool can_send) override;
  void on_path_failed(const error& why) override;
  void on_path_packet(std::span<const std::byte> bytes, lane::time_point arrived) override;
  [[nodiscard]] result<void> agree(const sdp::stream_transport* theirs);

  media_plane& plane_;
  media_path_user* user_ = nullptr;
  std::vector<srtp::master_key> keys_; // one a suite, preferred first
  packet_protection protection_;
  plain_path socket_;
};

} // namespace jackfield

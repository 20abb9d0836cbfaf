#include "actors/media/plain_path.hpp"

#include <algorithm>
#include <utility>

namespace jackfield {

plain_path::~plain_path() {
  if (socket_)
    plane_.forget(*socket_);
  close_rtcp();
}

void plain_path::close_rtcp() {
  if (rtcp_socket_)
    plane_.forget(*rtcp_socket_);
  rtcp_socket_.reset();
}

void plain_path::open(media_path_user& user) {
  user_ = &user;
  auto socket = plane_.open_rtp(*this, !at_once_, port_);
  if (!socket) {
    user.on_path_failed(socket.error());
    return;
  }
  socket_ = std::move(*socket);
  user.on_path_opened(socket_->local(), nullptr);
}

void plain_path::connect(const media_remote& remote) {
  bool can_send = remote.rtp.valid();
  if (remote.rtp.valid() && remote.rtp != remote_) {
    remote_ = remote.rtp;
    // A peer of another address family cannot be reached; its packets cannot come either.
    can_send = socket_->connect(remote_).has_value();
    if (!exclusive_)
      socket_->disconnect(); // from whom packets come is to be seen first
  }
  if (remote.muxed) {
    remote_rtcp_ = remote_;
    close_rtcp();
  } else if (remote.rtcp.valid()) {
    remote_rtcp_ = remote.rtcp;
    if (!rtcp_socket_)
      if (auto socket = plane_.open_rtcp(*this, socket_->local()))
        rtcp_socket_ = std::move(*socket);
  }
  user_->on_path_connected(can_send);
}

void plain_path::send_rtp(std::span<const std::byte> packet) {
  send_copy(*socket_, remote_, packet);
}

void plain_path::send_copy(lane::datagram_socket& socket, const lane::endpoint& to,
                           std::span<const std::byte> packet) {
  if (packet.size() > media_plane::most_packet)
    return; // none that we make is
  std::ranges::copy(packet, plane_.sending_room().begin());
  plane_.send_soon(socket, to, packet.size());
}

lane::datagram_socket* plain_path::rtcp_way() const noexcept {
  if (!remote_rtcp_.valid())
    return nullptr;
  if (rtcp_socket_)
    return rtcp_socket_.get();
  return remote_rtcp_ == remote_ ? socket_.get() : nullptr;
}

void plain_path::send_rtcp(std::span<const std::byte> packet) {
  if (auto* socket = rtcp_way())
    send_copy(*socket, remote_rtcp_, packet);
}

void plain_path::send_rtp_soon(size_t size) {
  plane_.send_soon(*socket_, remote_, size);
}

void plain_path::send_rtcp_soon(size_t size) {
  if (auto* socket = rtcp_way())
    plane_.send_soon(*socket, remote_rtcp_, size);
}

void plain_path::read_at_once(bool at_once) {
  if (at_once == std::exchange(at_once_, at_once) || !socket_)
    return;
  socket_->receive_pending(); // it tells when each came; read at once, none does
  if (!socket_->set_on_demand(!at_once))
    at_once_ = false;
}

void plain_path::read_soon() {
  if (socket_ && !at_once_)
    plane_.read_soon(*socket_);
}

void plain_path::read_rest() {
  // A call may leave the latest for the next one: until one brings nothing, or a flood's end is not
  // to be seen.
  constexpr int most_reads = 16;
  auto before = heard_ + 1;
  for (int i = 0; socket_ && i < most_reads && before != heard_; ++i) {
    before = heard_;
    socket_->receive_pending();
  }
}

void plain_path::on_datagram(const lane::endpoint& from, std::span<const std::byte> bytes,
                             lane::time_point arrived) {
  ++heard_;
  if (from == remote_) {
    if (!exclusive_) [[unlikely]]
      exclusive_ = socket_->connect(remote_).has_value();
    user_->on_path_packet(bytes, arrived);
  } else if (from == remote_rtcp_) {
    user_->on_path_packet(bytes, arrived);
  } else if (remote_.valid()) {
    ++strangers_;
  } else {
    ++early_;
  }
}

} // namespace jackfield

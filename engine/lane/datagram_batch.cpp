#include "engine/lane/datagram_batch.hpp"

#include <algorithm>
#include <cerrno>
#include <string_view>

#include "engine/lane/receive_buffers.hpp"

namespace jackfield::lane {

namespace {

udp_socket& own(datagram_socket& socket) {
  return static_cast<udp_socket&>(socket);
}

} // namespace

void datagram_batch::send(std::span<const outgoing_datagram> datagrams) {
  while (!datagrams.empty()) {
    const auto count = std::min(datagrams.size(), most);
    send_some(datagrams.first(count));
    datagrams = datagrams.subspan(count);
  }
}

void datagram_batch::send_some(std::span<const outgoing_datagram> datagrams) {
  for (size_t i = 0; i < datagrams.size(); ++i) {
    const auto& [socket, to, bytes] = datagrams[i];
    // The system only reads it.
    vectors_[i] = {const_cast<char*>(bytes.data()), bytes.size()};
    headers_[i] = {};
    headers_[i].msg_namelen = own(*socket).name_of(to, names_[i]);
    if (headers_[i].msg_namelen != 0)
      headers_[i].msg_name = &names_[i];
    headers_[i].msg_iov = &vectors_[i];
    headers_[i].msg_iovlen = 1;
    messages_[i] = {own(*socket).descriptor(), &headers_[i]};
  }
  const auto messages = std::span{messages_}.first(datagrams.size());
  if (ring_ && !ring_->send(messages))
    ring_.reset();
  for (size_t i = 0; i < datagrams.size(); ++i) {
    auto& socket = own(*datagrams[i].socket);
    // The refusal is of an earlier one: `send_now` knows what that means.
    if (messages[i].result == datagram_ring::not_tried || messages[i].result == -ECONNREFUSED)
      socket.send_now(datagrams[i].to, datagrams[i].bytes);
    else
      socket.note_sent(messages[i].result);
  }
}

void datagram_batch::receive(std::span<datagram_socket*> sockets) {
  while (!sockets.empty()) {
    const auto count = std::min(sockets.size(), most);
    receive_some(sockets.first(count));
    sockets = sockets.subspan(count);
  }
}

void datagram_batch::receive_some(std::span<datagram_socket*> sockets) {
  auto& in = receive_buffers::of_thread();
  size_t count = 0;
  std::array<size_t, most> place{}; // among `sockets`
  for (size_t i = 0; i < sockets.size(); ++i) {
    if (sockets[i] == nullptr || !own(*sockets[i]).is_on_demand())
      continue;
    messages_[count] = {own(*sockets[i]).descriptor(), &in.prepare(count)};
    place[count++] = i;
  }
  if (ring_ && !ring_->receive(std::span{messages_}.first(count)))
    ring_.reset();
  for (size_t k = 0; k < count; ++k) {
    auto*& socket = sockets[place[k]]; // null once a handler has destroyed it
    const auto [fd, header, outcome] = messages_[k];
    if (socket != nullptr &&
        (outcome == datagram_ring::not_tried || own(*socket).take(*header, outcome)))
      socket->receive_pending();
  }
}

} // namespace jackfield::lane

#include "engine/lane/datagram_batch.hpp"

#include <algorithm>
#include <cerrno>
#include <string_view>

#include "engine/lane/receive_buffers.hpp"

namespace jackfield::lane {

namespace {

/// Of one socket's datagrams by the ring; it is read by itself after that, which has its own bound.
constexpr size_t most_rounds = 4;

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

// By rounds: one datagram of each socket, then one more of those that may have more.
void datagram_batch::receive_some(std::span<datagram_socket*> sockets) {
  auto& in = receive_buffers::of_thread();
  std::array<size_t, most> asked{}; // places in `sockets`
  size_t count = 0;
  for (size_t i = 0; i < sockets.size(); ++i)
    if (sockets[i] != nullptr && own(*sockets[i]).is_on_demand())
      asked[count++] = i;
  for (size_t round = 0; ring_ && count > 0 && round < most_rounds; ++round) {
    for (size_t k = 0; k < count; ++k)
      messages_[k] = {own(*sockets[asked[k]]).descriptor(), &in.prepare(k)};
    if (!ring_->receive(std::span{messages_}.first(count)))
      ring_.reset();
    size_t again = 0;
    for (size_t k = 0; k < count; ++k) {
      const auto& [fd, header, outcome] = messages_[k];
      const auto place = asked[k];
      // Null once a handler has destroyed it, its own or another's.
      if (sockets[place] != nullptr &&
          (outcome == datagram_ring::not_tried || own(*sockets[place]).take(*header, outcome)))
        asked[again++] = place;
    }
    // One that came later may have destroyed it.
    const auto* const last =
      std::remove_if(asked.begin(), asked.begin() + again,
                     [&](size_t place) { return sockets[place] == nullptr; });
    count = static_cast<size_t>(last - asked.begin());
  }
  for (size_t k = 0; k < count; ++k)
    if (auto* const socket = sockets[asked[k]])
      socket->receive_pending();
}

} // namespace jackfield::lane

#include "engine/lane/datagram_ring.hpp"

#include <cerrno>
#include <new>

namespace jackfield::lane {

std::unique_ptr<datagram_ring> datagram_ring::make() noexcept {
  io_uring ring{};
  // One that fails must not keep those behind it from being tried.
  if (io_uring_queue_init(most, &ring, IORING_SETUP_SUBMIT_ALL) != 0)
    return nullptr;
  std::unique_ptr<datagram_ring> made{new (std::nothrow) datagram_ring{ring}};
  if (!made)
    io_uring_queue_exit(&ring);
  return made;
}

datagram_ring::~datagram_ring() {
  io_uring_queue_exit(&ring_);
}

bool datagram_ring::send(std::span<message> messages) noexcept {
  return run(IORING_OP_SENDMSG, messages);
}

bool datagram_ring::receive(std::span<message> messages) noexcept {
  return run(IORING_OP_RECVMSG, messages);
}

bool datagram_ring::run(io_uring_op what, std::span<message> messages) noexcept {
  for (size_t i = 0; i < messages.size(); ++i) {
    auto& each = messages[i];
    each.result = not_tried;
    auto* const entry = io_uring_get_sqe(&ring_);
    if (entry == nullptr)
      return false;
    io_uring_prep_rw(what, entry, each.fd, each.header, 1, 0);
    entry->msg_flags = MSG_DONTWAIT | MSG_NOSIGNAL; // so that each completes at once
    entry->user_data = i;
  }
  for (auto left = static_cast<unsigned>(messages.size()); left > 0;) {
    const int submitted = io_uring_submit_and_wait(&ring_, left);
    unsigned head = 0;
    unsigned done = 0;
    io_uring_cqe* completion = nullptr;
    io_uring_for_each_cqe(&ring_, head, completion) {
      messages[completion->user_data].result = completion->res;
      ++done;
    }
    io_uring_cq_advance(&ring_, done);
    left -= done;
    if (submitted < 0 && submitted != -EINTR && left > 0)
      return false;
  }
  return true;
}

} // namespace jackfield::lane

#pragma once

#include <cerrno>
#include <cstddef>
#include <memory>
#include <span>

#include <liburing.h>
#include <sys/socket.h>

namespace jackfield::lane {

/// Sends, or receives, one datagram on each of several sockets in one system call (io_uring): where
/// a call is dear, as under a hypervisor, that halves what a packet costs. It waits for no socket.
/// One thread at a time.
class datagram_ring {
public:
  /// The most that are given in one call.
  static constexpr size_t most = 16;
  static constexpr int not_tried = -ECANCELED;

  /// One message on one socket.
  struct message {
    int fd = -1;
    msghdr* header = nullptr; ///< as for sendmsg and recvmsg
    int result = not_tried;   ///< bytes, or the errno that either would give, negative
  };

  /// Null where the system has none: before Linux 5.18, or if a container forbids it.
  [[nodiscard]] static std::unique_ptr<datagram_ring> make() noexcept;
  ~datagram_ring();
  datagram_ring(const datagram_ring&) = delete;
  datagram_ring& operator=(const datagram_ring&) = delete;

  /// In order, at most `most`; each has its result when it returns. False: the ring itself failed
  /// and is of no more use; some are `not_tried`.
  [[nodiscard]] bool send(std::span<message> messages) noexcept;
  [[nodiscard]] bool receive(std::span<message> messages) noexcept;

private:
  explicit datagram_ring(const io_uring& ring) noexcept : ring_(ring) {}
  [[nodiscard]] bool run(io_uring_op what, std::span<message> messages) noexcept;

  io_uring ring_;
};

} // namespace jackfield::lane

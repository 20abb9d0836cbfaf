#pragma once

#include <array>
#include <cstddef>

#include <sys/socket.h>

namespace jackfield::lane {

/// Where datagrams land: one set a thread, shared by its sockets, since what was read is handed up
/// before more is. 2 MB, of which those pages are used that something landed on.
struct receive_buffers {
  /// Datagrams (or trains of them) taken from the system in one call.
  static constexpr size_t count = 32;
  static constexpr size_t bytes = 1U << 16U;
  static constexpr size_t control_bytes = 128;

  struct slot {
    std::array<std::byte, bytes> data;
    alignas(cmsghdr) std::array<std::byte, control_bytes> control;
    sockaddr_storage from;
    iovec vector;
  };
  std::array<slot, count> slots;
  std::array<mmsghdr, count> headers; ///< each of its slot

  /// The calling thread's.
  [[nodiscard]] static receive_buffers& of_thread();

  /// Has one header be ready for the system to fill.
  msghdr& prepare(size_t which);
};

} // namespace jackfield::lane

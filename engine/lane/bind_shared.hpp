#pragma once

#include <sys/socket.h>

#include "engine/lane/socket.hpp"

namespace jackfield::lane {

/// Binds a socket as `sharing` says. Returns 0, or errno's value.
[[nodiscard]] int bind_shared(int fd, const sockaddr_storage& address, socklen_t length,
                              port_sharing sharing) noexcept;

} // namespace jackfield::lane

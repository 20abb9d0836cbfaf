#include "engine/lane/bind_shared.hpp"

#include <cerrno>

namespace jackfield::lane {

int bind_shared(int fd, const sockaddr_storage& address, socklen_t length,
                port_sharing sharing) noexcept {
  const auto share = [fd] {
    const int on = 1;
    return setsockopt(fd, SOL_SOCKET, SO_REUSEPORT, &on, sizeof on) == 0 ? 0 : errno;
  };
  if (sharing == port_sharing::beside)
    if (const int code = share(); code != 0)
      return code;
  if (bind(fd, reinterpret_cast<const sockaddr*>(&address), length) != 0)
    return errno;
  // The first binds as one that shares with nobody: so it finds out whether another process serves
  // the port, which would otherwise silently get a part of what comes in.
  return sharing == port_sharing::first ? share() : 0;
}

} // namespace jackfield::lane

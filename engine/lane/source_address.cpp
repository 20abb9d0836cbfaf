#include "engine/lane/source_address.hpp"

#include <cerrno>

#include <sys/socket.h>
#include <unistd.h>

namespace jackfield::lane {

result<endpoint> source_address_for(const endpoint& remote) {
  const auto place = "route to " + remote.address();
  sockaddr_storage address{};
  auto length = remote.to_sockaddr(address);
  const int fd = socket(address.ss_family, SOCK_DGRAM | SOCK_CLOEXEC, 0);
  if (fd < 0)
    return fail_errno(place, "cannot be asked for", errno);
  int code = 0;
  sockaddr_storage local{};
  socklen_t local_length = sizeof local;
  if (::connect(fd, reinterpret_cast<const sockaddr*>(&address), length) != 0 ||
      getsockname(fd, reinterpret_cast<sockaddr*>(&local), &local_length) != 0)
    code = errno;
  close(fd);
  if (code != 0)
    return fail_errno(place, "there is none", code);
  return endpoint::from_sockaddr(reinterpret_cast<const sockaddr*>(&local), local_length)
    .with_port(0);
}

} // namespace jackfield::lane

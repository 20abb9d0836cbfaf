#include "engine/lane/receive_buffers.hpp"

#include <memory>

namespace jackfield::lane {

receive_buffers& receive_buffers::of_thread() {
  thread_local auto instance = std::make_unique<receive_buffers>();
  return *instance;
}

msghdr& receive_buffers::prepare(size_t which) {
  auto& into = slots[which];
  into.vector = {into.data.data(), bytes};
  auto& header = headers[which].msg_hdr;
  header.msg_name = &into.from;
  header.msg_namelen = sizeof(sockaddr_storage);
  header.msg_iov = &into.vector;
  header.msg_iovlen = 1;
  header.msg_control = into.control.data();
  header.msg_controllen = control_bytes;
  header.msg_flags = 0;
  return header;
}

} // namespace jackfield::lane

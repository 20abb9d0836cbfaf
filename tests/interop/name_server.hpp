#pragma once

#include <cstdint>
#include <string>
#include <thread>

#include "tests/dns_messages.hpp"
#include "tests/relay/path/relay.hpp" // owned_fd

namespace jackfield::tests {

/// A DNS server on a port of 127.0.0.1 that the kernel chooses, over UDP, with these records and no
/// others.
class name_server {
public:
  explicit name_server(transport::record_table records);
  ~name_server();
  name_server(const name_server&) = delete;
  name_server& operator=(const name_server&) = delete;

  /// "127.0.0.1:5353".
  [[nodiscard]] std::string address() const;

private:
  void run() const;
  void answer() const;

  transport::record_table records_;
  owned_fd socket_;
  owned_fd stopper_;
  std::thread thread_;
};

} // namespace jackfield::tests

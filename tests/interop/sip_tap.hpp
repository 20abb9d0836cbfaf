#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <string>
#include <string_view>
#include <thread>
#include <vector>

#include "tests/relay/path/relay.hpp" // owned_fd

namespace jackfield::tests {

/// Somebody on the way between SIP clients and a server on 127.0.0.1, over UDP, who reads every
/// message and may change it. The server has to name `port` as its own (`--advertise`); requests of
/// its own are not seen here.
class sip_tap {
public:
  enum class way : uint8_t { to_server, to_client };
  /// Called on the tap's thread for each message. Of one whose body it changes, the Content-Length
  /// is put right.
  using reader = std::function<void(way, std::string& message)>;

  sip_tap(uint16_t server, reader on_message);
  ~sip_tap();
  sip_tap(const sip_tap&) = delete;
  sip_tap& operator=(const sip_tap&) = delete;

  [[nodiscard]] uint16_t port() const noexcept { return port_; }

private:
  void run();
  void read_clients();
  void read_server(uint16_t client, const owned_fd& upstream);
  void read(way which, std::string& message);

  uint16_t server_;
  uint16_t port_ = 0;
  reader on_message_;
  owned_fd listener_;
  owned_fd stopper_;
  std::map<uint16_t, owned_fd> upstream_; ///< by the client's port
  std::thread thread_;
};

/// A socket of UDP that is bound to this address of the loopback network and a port that the kernel
/// chooses, and never blocks.
owned_fd open_udp(uint32_t address);
uint16_t port_of(const owned_fd& socket);

// What is in a SIP message.

/// Behind the empty line.
std::string_view body_of(std::string_view message);
/// The value of the first header of this name, which is as written here; empty if there is none.
std::string_view header_of(std::string_view message, std::string_view name);
/// What follows `begin` in a line of the message or its body that begins so; empty if none does.
std::string_view line_after(std::string_view message, std::string_view begin);
bool is_request(std::string_view message, std::string_view method);
/// A 2xx to a request of this method.
bool accepts(std::string_view message, std::string_view method);
/// Replaces each of the body's lines that begin with `begin`; without its CRLF if `by` is empty.
void replace_lines(std::string& message, std::string_view begin, std::string_view by);
/// Sets the Content-Length to the body's.
void correct_length(std::string& message);

} // namespace jackfield::tests

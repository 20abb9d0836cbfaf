#pragma once

#include <functional>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "engine/lane/sim_lane.hpp"

namespace jackfield {

/// Somebody on the simulated network who keeps to no state machine: says what a test writes and
/// keeps what comes.
class raw_peer final : public lane::datagram_handler {
public:
  raw_peer(lane::sim_lane& home, std::string_view address);

  void on_datagram(const lane::endpoint& from, std::span<const std::byte> bytes,
                   lane::time_point arrived) override;

  void send(const lane::endpoint& to, std::string_view text) { socket_->send(to, text); }
  /// Answers `request` to where it came from.
  void answer(const std::string& request, int status, std::string_view headers = {},
              std::string_view body = {});

  [[nodiscard]] const lane::endpoint& address() const noexcept { return socket_->local(); }
  /// How many messages began so: "BYE ", "SIP/2.0 200".
  [[nodiscard]] size_t count(std::string_view beginning) const;
  /// The latest that began so; empty if none did.
  [[nodiscard]] std::string last(std::string_view beginning) const;
  /// Some request of ours with this transaction's number; headers end with CRLF, a body is SDP.
  [[nodiscard]] std::string request(std::string_view method, const lane::endpoint& to,
                                    std::string_view branch, std::string_view to_tag = {},
                                    int cseq = 1, std::string_view headers = {},
                                    std::string_view call_id = "raw",
                                    std::string_view body = {}) const;

  std::vector<std::string> messages;
  std::function<void(const std::string&)> on_message; ///< called for each, after it was kept
  std::string tag = "raw-tag";
  lane::endpoint peer; ///< who is answered: whoever spoke last

private:
  std::unique_ptr<lane::datagram_socket> socket_;
};

/// A peer's audio, at port 20000: sends packets and counts what comes.
class raw_media final : public lane::datagram_handler {
public:
  raw_media(lane::sim_lane& home, std::string_view address);

  void on_datagram(const lane::endpoint& from, std::span<const std::byte> bytes,
                   lane::time_point arrived) override;
  /// A packet of 20 ms of PCMU.
  void send_packet(const lane::endpoint& to);
  /// Audio at this address, with RTCP beside it; `way` as in "a=sendrecv".
  [[nodiscard]] std::string description(std::string_view way = "sendrecv") const;

  unsigned heard = 0; ///< packets of 20 ms

private:
  std::unique_ptr<lane::datagram_socket> socket_;
  uint32_t sequence_ = 100;
};

/// Where audio is wanted, by a description with a c= line above its m= line.
[[nodiscard]] lane::endpoint media_address_in(const std::string& message);
/// The whole line of a header, without CRLF; empty if there is none.
[[nodiscard]] std::string header_line(const std::string& message, std::string_view name);
/// What follows ";tag=" in a header.
[[nodiscard]] std::string tag_in(const std::string& message, std::string_view name);

} // namespace jackfield

#pragma once

#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "engine/lane/sim_lane.hpp"

namespace jackfield {

/// A proxy without a memory: sends each request to all its targets and each response back to the
/// one caller, final ones too, so that a caller sees all that forking can do to it (RFC 3261 §16.7
/// would have it pass on one failure only).
class forking_proxy final : public lane::datagram_handler {
public:
  forking_proxy(lane::sim_lane& home, std::string_view address, const lane::endpoint& caller,
                std::vector<lane::endpoint> targets);

  void on_datagram(const lane::endpoint& from, std::span<const std::byte> bytes,
                   lane::time_point arrived) override;
  [[nodiscard]] const lane::endpoint& address() const noexcept { return socket_->local(); }

private:
  lane::endpoint caller_;
  std::vector<lane::endpoint> targets_;
  std::unique_ptr<lane::datagram_socket> socket_;
};

} // namespace jackfield

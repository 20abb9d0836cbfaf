#include "tests/actors/forking_proxy.hpp"

#include <utility>

namespace jackfield {

forking_proxy::forking_proxy(lane::sim_lane& home, std::string_view address,
                             const lane::endpoint& caller, std::vector<lane::endpoint> targets)
    : caller_(caller), targets_(std::move(targets)),
      socket_(home.open_datagram(lane::endpoint::parse(address, 5060).value(), *this, {}).value()) {
}

void forking_proxy::on_datagram(const lane::endpoint& /*from*/, std::span<const std::byte> bytes,
                                lane::time_point /*arrived*/) {
  const std::string text{reinterpret_cast<const char*>(bytes.data()), bytes.size()};
  const auto first_line = text.find("\r\n") + 2;
  if (text.starts_with("SIP/2.0 ")) {
    const auto via = text.find("Via:"); // ours
    socket_->send(caller_, text.substr(0, via) + text.substr(text.find("\r\n", via) + 2));
    return;
  }
  const auto branch_at = text.find(";branch=") + 8;
  const auto branch = text.substr(branch_at, text.find_first_of(";\r", branch_at) - branch_at);
  for (size_t i = 0; i < targets_.size(); ++i)
    socket_->send(targets_[i], text.substr(0, first_line) + "Via: SIP/2.0/UDP " +
                                 address().to_string() + ";branch=" + branch + "-" +
                                 std::to_string(i) + "\r\n" + text.substr(first_line));
}

} // namespace jackfield

#include <algorithm>
#include <cstdlib>
#include <vector>

#include "engine/srtp/receiver.hpp"
#include "engine/srtp/sender.hpp"

using namespace jackfield;

/// The first byte chooses the profile and what is read; the rest is a datagram from the network.
/// What nobody with the key has sent is never accepted.
extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  if (size == 0)
    return 0;
  const auto with = srtp::profiles[data[0] % srtp::profiles.size()];
  const std::vector<std::byte> secret(srtp::master_key::size_for(with), std::byte{0x5a});
  const auto key = srtp::master_key::from(with, secret);
  auto receiver = srtp::receiver::make(*key);
  const auto bytes = std::as_bytes(std::span{data, size}).subspan(1);
  std::vector<std::byte> packet(bytes.begin(), bytes.end());
  const bool rtcp = (data[0] & 0x80U) != 0;
  const auto got = rtcp ? receiver->open_rtcp(packet) : receiver->open_rtp(packet);
  if (got.is == srtp::receiver::verdict::accepted)
    std::abort();
  // The same as something that is sent: protected it is opened again.
  auto sender = srtp::sender::make(*key, 0x01020304);
  packet.assign(bytes.begin(), bytes.end());
  packet.resize(packet.size() + srtp::sender::most_growth);
  packet.resize(rtcp ? sender->protect_rtcp(packet, bytes.size())
                     : sender->protect_rtp(packet, bytes.size()));
  if (!packet.empty()) {
    const auto back = rtcp ? receiver->open_rtcp(packet) : receiver->open_rtp(packet);
    if (back.is == srtp::receiver::verdict::accepted && back.size != bytes.size())
      std::abort();
  }
  return 0;
}

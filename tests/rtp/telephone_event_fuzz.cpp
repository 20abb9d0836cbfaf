#include <algorithm>
#include <cstdint>
#include <cstdlib>
#include <span>

#include "engine/rtp/telephone_event.hpp"

// The input is a series of packets: four bytes of timestamp, one of time since the packet before,
// one of length, and the payload.
extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  using namespace jackfield::rtp;
  auto rest = std::span{data, size};
  telephone_event_receiver receiver;
  time_point now{};
  uint64_t started = 0;
  uint64_t ended = 0;
  while (rest.size() >= 6) {
    const auto timestamp = uint32_t{rest[0]} << 24 | uint32_t{rest[1]} << 16 |
                           uint32_t{rest[2]} << 8 | uint32_t{rest[3]};
    now += std::chrono::milliseconds{rest[4]};
    const auto length = std::min<size_t>(rest[5], rest.size() - 6);
    for (const auto& change :
         {receiver.on_time(now),
          receiver.on_packet(timestamp, std::as_bytes(rest.subspan(6, length)), now)}) {
      started += change.started ? 1 : 0;
      ended += (change.ended ? 1 : 0) + (change.interrupted ? 1 : 0);
    }
    rest = rest.subspan(6 + length);
    if (started != ended + (receiver.active() ? 1 : 0))
      std::abort();
  }
  return 0;
}

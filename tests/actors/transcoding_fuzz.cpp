#include <algorithm>
#include <cstdint>
#include <cstdlib>
#include <memory>
#include <span>

#include "actors/media/transcoding.hpp"

// The input is two bytes that name the codecs, and a series of packets: how much time passes before
// it and whether it is comfort noise, its sequence and timestamp, the length of its payload, and
// that. A frame is taken for each 20 ms.
extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  using namespace jackfield;
  using content = rtp::heard_packet::content;
  if (size < 2)
    return 0;
  constexpr std::chrono::milliseconds packet_time{20};
  const auto from = static_cast<audio::codec>(data[0] % 4);
  const auto to = static_cast<audio::codec>(data[1] % 4);
  const auto made = transcoding::make({from, to, packet_time}, {}).value();
  rtp::time_point now{};
  rtp::time_point due{};
  for (auto rest = std::span{data, size}.subspan(2); rest.size() >= 8;) {
    now += std::chrono::milliseconds{rest[0] % 128};
    rtp::packet p;
    p.payload_type = rest[0] >= 128 ? 13 : 96;
    p.sequence = static_cast<uint16_t>(rest[1] << 8U | rest[2]);
    p.timestamp = uint32_t{rest[3]} << 24U | uint32_t{rest[4]} << 16U | uint32_t{rest[5]} << 8U |
                  uint32_t{rest[6]};
    const auto length = std::min<size_t>(rest[7], rest.size() - 8);
    p.payload = std::as_bytes(rest.subspan(8, length));
    rest = rest.subspan(8 + length);
    made->on_heard(
      {p, p.payload_type == 13 ? content::other : content::audio, static_cast<uint8_t>(from), now});
    for (; due <= now; due += packet_time)
      if (made->next_frame(due).size() > audio::encoder::most_bytes)
        std::abort();
  }
  return 0;
}

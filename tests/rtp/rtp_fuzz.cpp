#include <algorithm>
#include <cstdint>
#include <cstdlib>
#include <span>

#include "engine/rtp/packet.hpp"
#include "engine/rtp/receiver_statistics.hpp"
#include "engine/rtp/rtcp.hpp"

// The input is a series of datagrams, each behind a byte of length and a byte of time since the
// one before; a time of 255 is fifty days.
extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  using namespace jackfield::rtp;
  auto rest = std::as_bytes(std::span{data, size});
  receiver_statistics stats;
  time_point now{};
  uint64_t accepted = 0;
  while (rest.size() >= 2) {
    const auto length = std::min<size_t>(std::to_integer<size_t>(rest[0]), rest.size() - 2);
    const auto time = std::to_integer<int>(rest[1]);
    now += time == 255 ? duration{std::chrono::hours{1200}} : std::chrono::milliseconds{time};
    const auto datagram = rest.subspan(2, length);
    rest = rest.subspan(2 + length);
    const auto parsed = parse_packet(datagram);
    if (!parsed)
      continue;
    if (parsed->payload.size() + parsed->extension.size() + header_size > length)
      std::abort();
    stats.on_packet(*parsed, now, parsed->payload_type < 96);
    ++accepted;
  }
  report_block block;
  if (stats.next_report(block) && block.cumulative_lost < 0)
    std::abort();
  const auto s = stats.summary();
  if (s.packets != accepted || s.lost > s.expected ||
      s.packets != s.expected - s.lost + s.duplicates + s.late + s.rejected ||
      s.losses.burst_density > 1 || s.losses.gap_density > 1)
    std::abort();
  return 0;
}

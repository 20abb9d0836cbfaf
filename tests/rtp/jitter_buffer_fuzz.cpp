#include <algorithm>
#include <cstdint>
#include <cstdlib>
#include <span>

#include "engine/rtp/jitter_buffer.hpp"

// The input is a series of steps of ten bytes: what is done and for how long time passes before it,
// then sequence, timestamp and SSRC of a packet, and its size.
extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  using namespace jackfield::rtp;
  static constexpr std::byte body[jitter_buffer::most_bytes + 1]{};
  jitter_buffer buffer{{.clock_rate = 48'000}};
  time_point now{};
  for (auto rest = std::span{data, size}; rest.size() >= 10; rest = rest.subspan(10)) {
    now += std::chrono::milliseconds{rest[1]};
    if ((rest[0] & 1U) != 0) {
      const auto out = buffer.pull(now, (rest[0] & 2U) != 0);
      const bool has_payload = out.what == playout::kind::packet || out.what == playout::kind::fec;
      if (has_payload == out.payload.empty() || out.payload.size() > jitter_buffer::most_bytes)
        std::abort();
    } else {
      packet p;
      p.sequence = static_cast<uint16_t>(rest[2] << 8U | rest[3]);
      p.timestamp = uint32_t{rest[4]} << 24U | uint32_t{rest[5]} << 16U | uint32_t{rest[6]} << 8U |
                    uint32_t{rest[7]};
      p.ssrc = rest[8] & 1U;
      p.payload = std::span{body}.first(std::min<size_t>(rest[9] * 8U, std::size(body)));
      buffer.insert(p, now, (rest[0] & 2U) != 0);
    }
    const auto& n = buffer.counts();
    if (n.played + n.dropped > n.stored || n.stored > n.played + n.dropped + size)
      std::abort();
  }
  return 0;
}

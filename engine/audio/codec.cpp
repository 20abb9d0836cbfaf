#include "engine/audio/codec.hpp"

#include <string>

namespace jackfield::audio {

result<void> check_packet_time(codec c, std::chrono::milliseconds packet_time) {
  const auto ms = packet_time.count();
  if (c == codec::opus && ms != 10 && ms != 20 && ms != 40 && ms != 60)
    return fail("ptime", std::to_string(ms) + " ms, expected 10, 20, 40 or 60 for Opus");
  if (ms < 10 || ms > longest_packet.count() || ms % 10 != 0)
    return fail("ptime", std::to_string(ms) + " ms, expected 10 to 120 in steps of 10");
  return {};
}

} // namespace jackfield::audio

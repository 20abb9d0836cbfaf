#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <string_view>

#include "engine/error/error.hpp"

namespace jackfield::audio {

/// The codecs of a call, each of one channel here.
enum class codec : uint8_t { pcmu, pcma, g722, opus };

/// What a codec is called and at which rates it runs.
struct codec_traits {
  std::string_view name; ///< as in a=rtpmap
  /// Timestamp units a second. That of G.722 is 8000 though it samples at twice that
  /// (RFC 3551 §4.5.2).
  uint32_t clock_rate = 0;
  uint32_t sample_rate = 0;
  /// What an encoder or decoder does with a frame depends on those before it.
  bool has_memory = false;
};

[[nodiscard]] constexpr codec_traits traits_of(codec c) noexcept {
  switch (c) {
  case codec::pcmu:
    return {"PCMU", 8000, 8000, false};
  case codec::pcma:
    return {"PCMA", 8000, 8000, false};
  case codec::g722:
    return {"G722", 8000, 16'000, true};
  case codec::opus:
    return {"opus", 48'000, 48'000, true};
  }
  return {};
}

/// The longest packet that is made or taken; also the longest of Opus (RFC 6716 §3.2.5).
inline constexpr std::chrono::milliseconds longest_packet{120};

/// Samples that a codec takes for `t`, at its own rate.
[[nodiscard]] constexpr size_t samples_in(codec c, std::chrono::microseconds t) noexcept {
  return static_cast<size_t>(t.count()) * traits_of(c).sample_rate / 1'000'000;
}

/// Timestamp units from one packet of `packet_time` to the next.
[[nodiscard]] constexpr uint32_t timestamp_step(codec c,
                                                std::chrono::milliseconds packet_time) noexcept {
  return static_cast<uint32_t>(packet_time.count()) * traits_of(c).clock_rate / 1000;
}

/// Fails unless a packet of the codec can be this long: 10..120 ms in steps of 10, for Opus 10, 20,
/// 40 or 60 ms.
result<void> check_packet_time(codec c, std::chrono::milliseconds packet_time);

} // namespace jackfield::audio

#include "engine/audio/opus_toc.hpp"

#include <array>

namespace jackfield::audio {
namespace {

constexpr uint32_t longest = 5760; // 120 ms

} // namespace

std::optional<opus_toc> opus_toc::read(std::span<const std::byte> payload) noexcept {
  if (payload.empty())
    return std::nullopt;
  const auto first = std::to_integer<unsigned>(payload[0]);
  const auto configuration = first >> 3U;
  opus_toc out;
  // Table 2: twelve of SILK, four hybrid, sixteen of CELT.
  if (configuration < 12) {
    constexpr std::array<uint16_t, 4> lengths{480, 960, 1920, 2880};
    out.mode = coding::silk;
    out.frame_samples = lengths[configuration & 3U];
  } else if (configuration < 16) {
    out.mode = coding::hybrid;
    out.frame_samples = (configuration & 1U) != 0 ? 960 : 480;
  } else {
    out.mode = coding::celt;
    out.frame_samples = static_cast<uint16_t>(120U << (configuration & 3U));
  }
  out.stereo = (first & 4U) != 0;
  switch (first & 3U) {
  case 0:
    out.frames = 1;
    break;
  case 1:
  case 2:
    out.frames = 2;
    break;
  default:
    if (payload.size() < 2)
      return std::nullopt;
    out.frames = std::to_integer<uint8_t>(payload[1] & std::byte{0x3f});
  }
  if (out.frames == 0 || out.duration() > longest)
    return std::nullopt;
  out.dtx = payload.size() <= 2;
  return out;
}

} // namespace jackfield::audio

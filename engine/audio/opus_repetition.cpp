#include "engine/audio/opus_repetition.hpp"

#include <algorithm>

#include "engine/audio/opus_toc.hpp"

namespace jackfield::audio {
namespace {

// The first byte of the only frame of a packet with `code` (RFC 6716 §3.2); none if it is empty.
std::span<const std::byte> frame_of(std::span<const std::byte> payload) noexcept {
  constexpr auto arbitrary_count = std::byte{3};
  if ((payload[0] & std::byte{3}) != arbitrary_count)
    return payload.subspan(1);
  // A count of one and, where it says so, the length of the padding at the packet's end (§3.2.5).
  const bool padded = (payload[1] & std::byte{0x40}) != std::byte{0};
  auto rest = payload.subspan(2);
  size_t padding = 0;
  for (bool more = padded; more;) {
    if (rest.empty())
      return {};
    const auto length = std::to_integer<size_t>(rest[0]);
    more = length == 255;
    padding += more ? 254 : length;
    rest = rest.subspan(1);
  }
  return rest.first(rest.size() - std::min(padding, rest.size()));
}

} // namespace

uint32_t opus_repetition(std::span<const std::byte> payload) noexcept {
  const auto toc = opus_toc::read(payload);
  if (!toc || toc->mode == opus_toc::coding::celt || toc->frames != 1)
    return 0;
  const auto frame = frame_of(payload);
  if (frame.empty())
    return 0;
  // Of each channel a bit for each 20 ms, whether there is voice, and then whether there is LBRR:
  // all of even odds, so that the coder wrote them as they are.
  constexpr unsigned silk_samples = 960;
  const auto flags = std::max(toc->frame_samples / silk_samples, 1U) + 1;
  const auto bits = std::to_integer<unsigned>(frame[0]);
  const bool first = (bits >> (8 - flags) & 1) != 0;
  const bool second = toc->stereo && (bits >> (8 - 2 * flags) & 1) != 0;
  return first || second ? toc->duration() : 0;
}

} // namespace jackfield::audio

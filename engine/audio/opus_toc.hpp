#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>

namespace jackfield::audio {

/// What an Opus packet says of itself in its first bytes (RFC 6716 §3.1), read without decoding.
struct opus_toc {
  enum class coding : uint8_t { silk, hybrid, celt };

  coding mode = coding::silk;
  bool stereo = false;
  uint16_t frame_samples = 0; ///< of one frame, at 48 kHz: 120..2880
  uint8_t frames = 0;         ///< 1..48
  /// The packet is at most two bytes long: nothing in it is heard, and the sender may fall silent
  /// after it.
  bool dtx = false;

  /// Of the whole packet, in samples at 48 kHz, which are also timestamp units: 120..5760.
  [[nodiscard]] uint32_t duration() const noexcept { return uint32_t{frames} * frame_samples; }

  /// Unset for what is no Opus packet: empty, no frames, or over 120 ms (§3.4, R1 and R5). The
  /// lengths of frames are left to the decoder.
  [[nodiscard]] static std::optional<opus_toc> read(std::span<const std::byte> payload) noexcept;
};

} // namespace jackfield::audio

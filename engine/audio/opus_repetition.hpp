#pragma once

#include <cstddef>
#include <cstdint>
#include <span>

namespace jackfield::audio {

/// How much of what was before it an Opus packet repeats, coarsely, for a decoder that has lost the
/// packet before (LBRR, RFC 6716 §4.2.4): samples at 48 kHz, which are also timestamp units; 0 for
/// nothing. Read without decoding, from the first bits that its coder wrote (§4.2.3).
///
/// A packet of several frames repeats what would be before its first frame alone, which is not all
/// that a packet before it as long had to say: it counts as repeating nothing. So does what is no
/// Opus packet.
[[nodiscard]] uint32_t opus_repetition(std::span<const std::byte> payload) noexcept;

} // namespace jackfield::audio

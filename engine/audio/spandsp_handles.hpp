#pragma once

#include <memory>

// The header of one part does not name what it stands on.
#include <spandsp/telephony.h>

#include <spandsp/g722.h>

namespace jackfield::audio {

/// Frees what a C library made.
template <auto Free>
struct spandsp_free {
  template <class T>
  void operator()(T* thing) const noexcept {
    Free(thing);
  }
};

using g722_encoder_handle = std::unique_ptr<g722_encode_state_t, spandsp_free<g722_encode_free>>;
using g722_decoder_handle = std::unique_ptr<g722_decode_state_t, spandsp_free<g722_decode_free>>;

/// The one bit rate that RTP has for G.722, bits a second (RFC 3551 §4.5.2).
inline constexpr int g722_bitrate = 64'000;

} // namespace jackfield::audio

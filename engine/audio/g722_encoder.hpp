#pragma once

#include "engine/audio/encoder.hpp"
#include "engine/audio/spandsp_handles.hpp"

namespace jackfield::audio {

/// G.722 at 64 kbit/s: a byte for two samples at 16 kHz.
class g722_encoder final : public encoder {
public:
  explicit g722_encoder(size_t frame_samples);

  size_t encode(std::span<const int16_t> frame, std::span<std::byte> out) noexcept override;

private:
  g722_encoder_handle state_;
};

} // namespace jackfield::audio

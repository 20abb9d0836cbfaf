#pragma once

#include "engine/audio/encoder.hpp"

namespace jackfield::audio {

/// G.711: a byte a sample.
class g711_encoder final : public encoder {
public:
  /// `c` is `pcmu` or `pcma`.
  g711_encoder(codec c, size_t frame_samples) noexcept : encoder(frame_samples), codec_(c) {}

  size_t encode(std::span<const int16_t> frame, std::span<std::byte> out) noexcept override;

private:
  codec codec_;
};

} // namespace jackfield::audio

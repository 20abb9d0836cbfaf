#include "engine/audio/g711_encoder.hpp"

#include "engine/audio/g711.hpp"

namespace jackfield::audio {

size_t g711_encoder::encode(std::span<const int16_t> frame, std::span<std::byte> out) noexcept {
  return takes(frame, out) ? audio::encode(codec_, frame, out) : 0;
}

} // namespace jackfield::audio

#include "engine/audio/g722_encoder.hpp"

#include <new>

namespace jackfield::audio {

g722_encoder::g722_encoder(size_t frame_samples)
    : encoder(frame_samples), state_(g722_encode_init(nullptr, g722_bitrate, 0)) {
  if (!state_)
    throw std::bad_alloc{};
}

size_t g722_encoder::encode(std::span<const int16_t> frame, std::span<std::byte> out) noexcept {
  if (!takes(frame, out))
    return 0;
  const auto size = g722_encode(state_.get(), reinterpret_cast<uint8_t*>(out.data()), frame.data(),
                                static_cast<int>(frame.size()));
  return static_cast<size_t>(size);
}

} // namespace jackfield::audio

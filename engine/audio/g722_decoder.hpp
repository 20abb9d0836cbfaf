#pragma once

#include <array>

#include "engine/audio/concealment.hpp"
#include "engine/audio/decoder.hpp"
#include "engine/audio/spandsp_handles.hpp"

namespace jackfield::audio {

class g722_decoder final : public decoder {
public:
  g722_decoder();

  tl::expected<samples, payload_fault> decode(std::span<const std::byte> payload) noexcept override;
  samples conceal(std::chrono::microseconds missing) noexcept override;

private:
  std::array<int16_t, samples_in(codec::g722, longest_packet)> out_{};
  g722_decoder_handle state_;
  concealment concealment_;
};

} // namespace jackfield::audio

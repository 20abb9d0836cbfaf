#pragma once

#include <array>

#include "engine/audio/concealment.hpp"
#include "engine/audio/decoder.hpp"

namespace jackfield::audio {

class g711_decoder final : public decoder {
public:
  /// `c` is `pcmu` or `pcma`.
  explicit g711_decoder(codec c);

  tl::expected<samples, payload_fault> decode(std::span<const std::byte> payload) noexcept override;
  samples conceal(std::chrono::microseconds missing) noexcept override;

private:
  std::array<int16_t, samples_in(codec::pcmu, longest_packet)> out_{};
  concealment concealment_;
  codec codec_;
};

} // namespace jackfield::audio

#pragma once

#include <array>

#include "engine/audio/decoder.hpp"

struct OpusDecoder;

namespace jackfield::audio {

/// Opus at 48 kHz; stereo is mixed down.
class opus_decoder final : public decoder {
public:
  opus_decoder();

  tl::expected<samples, payload_fault> decode(std::span<const std::byte> payload) noexcept override;
  samples conceal(std::chrono::microseconds missing) noexcept override;
  samples decode_fec(std::span<const std::byte> next,
                     std::chrono::microseconds missing) noexcept override;

private:
  struct destroy {
    void operator()(OpusDecoder* state) const noexcept;
  };
  samples fill(std::span<const std::byte> next, std::chrono::microseconds missing) noexcept;

  std::array<int16_t, samples_in(codec::opus, longest_packet)> out_{};
  std::unique_ptr<OpusDecoder, destroy> state_;
};

} // namespace jackfield::audio

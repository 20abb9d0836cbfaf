#pragma once

#include "engine/audio/encoder.hpp"

struct OpusEncoder;

namespace jackfield::audio {

/// Opus of one channel, 48 kHz, at a variable bit rate.
class opus_encoder final : public encoder {
public:
  /// `settings` have passed `check`.
  opus_encoder(size_t frame_samples, const opus_settings& settings);

  size_t encode(std::span<const int16_t> frame, std::span<std::byte> out) noexcept override;
  [[nodiscard]] size_t lookahead() const noexcept override { return lookahead_; }

private:
  struct destroy {
    void operator()(OpusEncoder* state) const noexcept;
  };
  std::unique_ptr<OpusEncoder, destroy> state_;
  size_t lookahead_ = 0;
};

} // namespace jackfield::audio

#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>

#include "engine/audio/codec.hpp"
#include "engine/audio/opus_settings.hpp"
#include "engine/error/error.hpp"

namespace jackfield::audio {

/// Turns samples of one channel into payloads, one frame after another. Not for two threads at
/// once.
class encoder {
public:
  /// No payload is longer, so that a packet with all its headers fits a path of 1280 bytes.
  static constexpr size_t most_bytes = 1200;

  /// An encoder for frames of this length. `settings` are those of Opus alone.
  static result<std::unique_ptr<encoder>> make(codec c, std::chrono::milliseconds packet_time,
                                               const opus_settings& settings = {});

  virtual ~encoder() = default;
  encoder(const encoder&) = delete;
  encoder& operator=(const encoder&) = delete;

  /// Encodes `frame_samples()` samples at the codec's rate. Returns the payload's size; 0, with
  /// nothing encoded, if `frame` has another length or `out` less than `most_bytes`.
  [[nodiscard]] virtual size_t encode(std::span<const int16_t> frame,
                                      std::span<std::byte> out) noexcept = 0;

  [[nodiscard]] size_t frame_samples() const noexcept { return frame_samples_; }
  /// By how many samples what is decoded lags behind what is encoded.
  [[nodiscard]] virtual size_t lookahead() const noexcept { return 0; }

protected:
  explicit encoder(size_t frame_samples) noexcept : frame_samples_(frame_samples) {}
  [[nodiscard]] bool takes(std::span<const int16_t> frame,
                           std::span<const std::byte> out) const noexcept {
    return frame.size() == frame_samples_ && out.size() >= most_bytes;
  }

private:
  size_t frame_samples_;
};

} // namespace jackfield::audio

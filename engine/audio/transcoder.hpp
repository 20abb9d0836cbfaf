#pragma once

#include <array>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <vector>

#include "engine/audio/comfort_noise.hpp"
#include "engine/audio/decoder.hpp"
#include "engine/audio/encoder.hpp"
#include "engine/audio/resampler.hpp"

namespace jackfield::audio {

/// Makes a stream of one codec out of a stream of another. A value: its owner tells it what a
/// jitter buffer gave, and takes the frames that are whole. Each `on_...` is one piece of audio, in
/// the order of play, and as much comes out as went in, later by what the resampling takes, some 3
/// ms. Keeps at most a second: what is not taken is lost, the oldest first.
class transcoder {
public:
  /// Frames come out with `packet_time` each; `settings` are those of Opus as the target.
  static result<std::unique_ptr<transcoder>> make(codec from, codec to,
                                                  std::chrono::milliseconds packet_time,
                                                  const opus_settings& settings = {});

  /// A packet. After a fault nothing was added: tell that it was lost.
  tl::expected<void, payload_fault> on_payload(std::span<const std::byte> payload);
  /// A packet that did not come.
  void on_lost(std::chrono::microseconds missing);
  /// A packet that did not come, while the one after it is here; tell of that one next.
  void on_recovered(std::span<const std::byte> next, std::chrono::microseconds missing);
  /// The sender is silent for `length`, at most 120 ms; what is to be heard has this RFC 3389
  /// level.
  void on_silence(uint8_t level, std::chrono::microseconds length);

  /// The next frame, valid until the next call; empty while there is not enough audio.
  [[nodiscard]] std::span<const std::byte> next_frame();

  /// What was told last is hardly to be heard: below -40 dBov.
  [[nodiscard]] bool is_quiet() const noexcept { return quiet_; }

  /// Decoded audio that waits for its frame to be whole.
  [[nodiscard]] std::chrono::microseconds waiting() const noexcept;

  /// Made by `make` only, of parts that fit.
  transcoder(codec from, codec to, std::unique_ptr<decoder> in, std::unique_ptr<encoder> out);

private:
  void add(std::span<const int16_t> samples);

  std::unique_ptr<decoder> in_;
  std::unique_ptr<encoder> out_;
  resampler resampler_;
  comfort_noise noise_;
  std::vector<int16_t> waiting_; // at the target's rate
  std::array<std::byte, encoder::most_bytes> payload_{};
  codec from_;
  codec to_;
  bool quiet_ = true;
};

} // namespace jackfield::audio

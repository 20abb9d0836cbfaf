#pragma once

#include <array>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <vector>

#include "actors/media/heard_tap.hpp"
#include "engine/audio/encoder.hpp"
#include "engine/audio/resampler.hpp"
#include "engine/error/error.hpp"

namespace jackfield {

/// What several streams hear, as one voice for another to send: each is put in time by a jitter
/// buffer of its own, decoded, added up at 16 kHz, and encoded. A value, bounded: some 150 KiB for
/// each voice.
class mixing {
public:
  struct terms {
    audio::codec to = audio::codec::pcmu;
    std::chrono::milliseconds packet_time{20}; ///< of what comes out, a multiple of 10 ms

    friend bool operator==(const terms&, const terms&) = default;
  };

  /// Fails where packets cannot be that long. `settings` are those of Opus.
  static result<std::unique_ptr<mixing>> make(const terms& wanted,
                                              const audio::opus_settings& settings);
  ~mixing();
  mixing(const mixing&) = delete;
  mixing& operator=(const mixing&) = delete;

  [[nodiscard]] const terms& agreed() const noexcept { return terms_; }
  /// Another codec comes out from now on; the voices stay.
  [[nodiscard]] result<void> change(const terms& wanted, const audio::opus_settings& settings);

  /// One voice more: to be given to the stream that hears it. It ends with the mix.
  [[nodiscard]] std::shared_ptr<heard_tap> add();

  /// The payload for the next packet time, valid until the next call; to be called once in each.
  /// Empty: nobody says anything.
  [[nodiscard]] std::span<const std::byte> next_frame(rtp::time_point now);

private:
  class voice;

  mixing() = default;

  terms terms_;
  std::unique_ptr<audio::encoder> encoder_;
  std::unique_ptr<audio::resampler> resampler_;
  std::vector<std::shared_ptr<voice>> voices_;
  std::vector<int16_t> waiting_; // at the encoder's rate
  std::array<std::byte, audio::encoder::most_bytes> payload_{};
};

} // namespace jackfield

#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>

#include "engine/audio/codec.hpp"
#include "engine/audio/opus_settings.hpp"
#include "engine/audio/transcoder.hpp"
#include "engine/error/error.hpp"
#include "engine/rtp/jitter_buffer.hpp"
#include "engine/rtp/stream_host.hpp"

namespace jackfield {

/// One direction of a join between two codecs: what one stream hears goes in as it comes, and the
/// frames that the other sends come out at its pace, delayed by as much as the jitter asks for. A
/// value, bounded: it takes some 150 KiB when it is made and grows no more.
class transcoding {
public:
  struct terms {
    audio::codec from = audio::codec::pcmu;
    audio::codec to = audio::codec::pcmu;
    std::chrono::milliseconds packet_time{20}; ///< of what comes out

    friend bool operator==(const terms&, const terms&) = default;
  };

  /// Fails where packets of the target cannot be that long. `settings` are those of Opus as the
  /// target.
  static result<std::unique_ptr<transcoding>> make(const terms& wanted,
                                                   const audio::opus_settings& settings);

  /// Made by `make` only, of parts that fit.
  transcoding(const terms& wanted, std::unique_ptr<audio::transcoder> made);

  [[nodiscard]] const terms& agreed() const noexcept { return terms_; }

  /// Audio and comfort noise (RFC 3389); the rest is nothing to be heard.
  void on_heard(const rtp::heard_packet& heard) noexcept;

  /// The payload for the next packet time, valid until the next call; to be called once in each.
  /// Empty: nothing came yet, or nothing for long.
  [[nodiscard]] std::span<const std::byte> next_frame(rtp::time_point now);

  [[nodiscard]] const rtp::jitter_buffer_counts& counts() const noexcept {
    return buffer_.counts();
  }

private:
  [[nodiscard]] bool fill(rtp::time_point now);
  void play(const rtp::playout& next, std::chrono::microseconds length);

  terms terms_;
  std::unique_ptr<audio::transcoder> made_;
  rtp::jitter_buffer buffer_;
  uint8_t noise_level_; // of the source's silence
};

} // namespace jackfield

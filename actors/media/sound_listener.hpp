#pragma once

#include <cstdint>
#include <memory>
#include <optional>

#include "engine/audio/codec.hpp"
#include "engine/audio/decoder.hpp"
#include "engine/audio/sound_finder.hpp"
#include "engine/rtp/stream_host.hpp"

namespace jackfield {

/// Decodes what a stream hears, and finds tones and silence in it. What comes too late for its
/// place is left out; what did not come is no sound: from 200 ms on it is silence. A value; takes
/// as much memory as a decoder, of the codec heard last.
class sound_listener {
public:
  /// Of the stream: `codec` of packets is an `audio::codec`.
  void on_heard(const rtp::heard_packet& packet);
  [[nodiscard]] audio::heard_sounds found() const;

private:
  void skip_to(uint32_t timestamp, rtp::time_point arrived, uint32_t clock_rate);

  std::unique_ptr<audio::decoder> decoder_;
  std::optional<audio::sound_finder> finder_; // from the first packet on
  audio::codec codec_ = audio::codec::pcmu;
  uint32_t next_ = 0; // timestamp
  rtp::time_point arrived_{};
};

} // namespace jackfield

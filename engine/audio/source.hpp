#pragma once

#include <chrono>
#include <compare>
#include <cstddef>
#include <cstdint>
#include <map>
#include <memory>
#include <mutex>
#include <span>
#include <string>
#include <string_view>
#include <tuple>
#include <utility>
#include <vector>

#include "engine/audio/g711.hpp"
#include "engine/error/error.hpp"

namespace jackfield::audio {

/// What is to be heard. A plain value, the key of a `source_cache`.
struct source_spec {
  enum class kind : uint8_t { silence, tone, file };

  kind what = kind::tone;
  /// Of a tone. The default is the A that an orchestra tunes to, easy on the ear and far from
  /// every DTMF and call-progress frequency that a detector listens for.
  uint16_t frequency_hz = 880; ///< 50..3400
  int16_t level_dbm0 = -20;    ///< -60..3
  /// Of a file: anything libsndfile reads, mono or stereo, at any rate.
  std::string path;

  static source_spec silence() { return {kind::silence, 880, -20, {}}; }
  static source_spec tone(uint16_t frequency_hz = 880, int16_t level_dbm0 = -20) {
    return {kind::tone, frequency_hz, level_dbm0, {}};
  }
  static source_spec file(std::string path) { return {kind::file, 880, -20, std::move(path)}; }

  friend auto operator<=>(const source_spec&, const source_spec&) = default;
};

/// Audio encoded once and shared by every call that plays it: an immutable array of frames of one
/// codec and packet time. A call keeps no more than an index. Any thread may read it.
class encoded_source {
public:
  /// Reads, resamples and encodes. `packet_time` is 10..120 ms in steps of 10. Of a file at most
  /// `max_file_seconds` are taken; a longer one is an error. Errors are one line: "prompt.wav:
  /// 7-channel file, expected 1 or 2".
  static result<std::shared_ptr<const encoded_source>> make(const source_spec& spec, codec c,
                                                            std::chrono::milliseconds packet_time);

  /// As above, from samples at 8 kHz.
  static result<std::shared_ptr<const encoded_source>>
  from_samples(std::span<const int16_t> samples, codec c, std::chrono::milliseconds packet_time);

  static constexpr int max_file_seconds = 3600;

  /// The frame at a position that counts up without end: the source repeats. Tones repeat
  /// seamlessly; a file's last frame is filled up with silence.
  [[nodiscard]] std::span<const std::byte> frame(uint64_t index) const noexcept {
    return {bytes_.data() + (index % frame_count_) * frame_bytes_, frame_bytes_};
  }

  /// Frames before the source repeats, at least 1.
  [[nodiscard]] size_t frame_count() const noexcept { return frame_count_; }
  /// Bytes of a frame; for G.711 also its length in timestamp units.
  [[nodiscard]] size_t frame_bytes() const noexcept { return frame_bytes_; }
  [[nodiscard]] codec encoding() const noexcept { return codec_; }
  [[nodiscard]] std::chrono::milliseconds packet_time() const noexcept { return packet_time_; }

private:
  class maker {
    friend class encoded_source;
    maker() = default;
  };

public:
  /// Made by `make` and `from_samples` only. `bytes` is whole frames, at least one.
  encoded_source(maker, codec c, std::chrono::milliseconds packet_time, size_t frame_bytes,
                 std::vector<std::byte> bytes) noexcept
      : bytes_(std::move(bytes)), frame_count_(bytes_.size() / frame_bytes),
        frame_bytes_(frame_bytes), codec_(c), packet_time_(packet_time) {}

private:
  std::vector<std::byte> bytes_;
  size_t frame_count_;
  size_t frame_bytes_;
  codec codec_;
  std::chrono::milliseconds packet_time_;
};

/// Gives out one `encoded_source` for each source, codec and packet time; a file is read once, when
/// it is first asked for. Any thread; encodes under its lock, so ask before calls are placed.
class source_cache {
public:
  result<std::shared_ptr<const encoded_source>> get(const source_spec& spec, codec c,
                                                    std::chrono::milliseconds packet_time);

private:
  using key = std::tuple<source_spec, codec, std::chrono::milliseconds>;
  std::mutex mutex_;
  std::map<key, std::shared_ptr<const encoded_source>> sources_;
};

} // namespace jackfield::audio

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

#include "engine/audio/codec.hpp"
#include "engine/audio/opus_settings.hpp"
#include "engine/error/error.hpp"

namespace jackfield::audio {

/// What is to be heard. A plain value, the key of a `source_cache`.
struct source_spec {
  enum class kind : uint8_t { silence, tone, file, digit };

  kind what = kind::tone;
  /// Of a tone. The default is the A that an orchestra tunes to, easy on the ear and far from
  /// every DTMF and call-progress frequency that a detector listens for.
  uint16_t frequency_hz = 880; ///< 50..3400
  int16_t level_dbm0 = -20;    ///< -60..3
  /// Of a file: anything libsndfile reads, mono or stereo, at any rate. Of a digit: that.
  std::string path;

  static source_spec silence() { return {kind::silence, 880, -20, {}}; }
  static source_spec tone(uint16_t frequency_hz = 880, int16_t level_dbm0 = -20) {
    return {kind::tone, frequency_hz, level_dbm0, {}};
  }
  static source_spec file(std::string path) { return {kind::file, 880, -20, std::move(path)}; }
  /// One of "0-9*#A-D" as its two tones (ITU-T Q.23): 100 ms, each of -9 dBm0, and 60 ms of
  /// silence.
  static source_spec digit(char which) { return {kind::digit, 880, -20, std::string{which}}; }

  friend auto operator<=>(const source_spec&, const source_spec&) = default;
};

/// Audio encoded once and shared by every call that plays it: an immutable array of frames of one
/// codec and packet time. A call keeps no more than an index. Any thread may read it.
class encoded_source {
public:
  /// Reads, resamples and encodes. `packet_time` is as `check_packet_time` has it, `settings` are
  /// those of Opus alone. Of a file at most `max_file_seconds` are taken; a longer one is an error.
  /// Errors are one line: "prompt.wav: 7-channel file, expected 1 or 2".
  static result<std::shared_ptr<const encoded_source>> make(const source_spec& spec, codec c,
                                                            std::chrono::milliseconds packet_time,
                                                            const opus_settings& settings = {});

  /// As above, from samples at the codec's sample rate.
  static result<std::shared_ptr<const encoded_source>>
  from_samples(std::span<const int16_t> samples, codec c, std::chrono::milliseconds packet_time,
               const opus_settings& settings = {});

  static constexpr int max_file_seconds = 3600;

  /// The frame at a position that counts up without end: the source repeats. Tones repeat
  /// seamlessly; a file's last frame is filled up with silence. At most 1200 bytes; none where
  /// there is nothing to send, as in the silence of Opus with DTX.
  [[nodiscard]] std::span<const std::byte> frame(uint64_t index) const noexcept {
    const auto i = static_cast<size_t>(index % frame_count_);
    if (frame_bytes_ != 0)
      return {bytes_.data() + i * frame_bytes_, frame_bytes_};
    return {bytes_.data() + ends_[i], ends_[i + 1] - ends_[i]};
  }

  /// Frames before the source repeats, at least 1.
  [[nodiscard]] size_t frame_count() const noexcept { return frame_count_; }
  /// Bytes of each frame; 0 for Opus, where they differ.
  [[nodiscard]] size_t frame_bytes() const noexcept { return frame_bytes_; }
  /// Timestamp units from one frame to the next.
  [[nodiscard]] uint32_t frame_units() const noexcept {
    return timestamp_step(codec_, packet_time_);
  }
  [[nodiscard]] codec encoding() const noexcept { return codec_; }
  [[nodiscard]] std::chrono::milliseconds packet_time() const noexcept { return packet_time_; }

private:
  class maker {
    friend class encoded_source;
    maker() = default;
  };
  enum class course : uint8_t { once, loop };

  static result<std::shared_ptr<const encoded_source>> encode(std::span<const int16_t> samples,
                                                              course how, codec c,
                                                              std::chrono::milliseconds packet_time,
                                                              const opus_settings& settings);

public:
  /// Made by `make` and `from_samples` only. Frame i is the bytes from `ends[i]` to `ends[i + 1]`;
  /// there is at least one.
  encoded_source(maker, codec c, std::chrono::milliseconds packet_time,
                 std::vector<std::byte> bytes, std::vector<uint32_t> ends) noexcept;

private:
  std::vector<std::byte> bytes_;
  std::vector<uint32_t> ends_; // none where all frames are of one size
  size_t frame_count_;
  size_t frame_bytes_;
  codec codec_;
  std::chrono::milliseconds packet_time_;
};

/// Gives out one `encoded_source` for each source, codec, packet time and, of Opus, settings; a
/// file is read once, when it is first asked for. Any thread; encodes under its lock, so ask before
/// calls are placed.
class source_cache {
public:
  result<std::shared_ptr<const encoded_source>> get(const source_spec& spec, codec c,
                                                    std::chrono::milliseconds packet_time,
                                                    const opus_settings& settings = {});

private:
  using key = std::tuple<source_spec, codec, std::chrono::milliseconds, opus_settings>;
  std::mutex mutex_;
  std::map<key, std::shared_ptr<const encoded_source>> sources_;
};

} // namespace jackfield::audio

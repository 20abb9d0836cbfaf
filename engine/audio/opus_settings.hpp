#pragma once

#include <compare>
#include <cstdint>

#include "engine/error/error.hpp"

namespace jackfield::audio {

/// How Opus encodes. A plain value, part of a source's key.
struct opus_settings {
  enum class application : uint8_t { voip, audio };

  uint32_t bitrate = 32'000; ///< bits a second, 6000..510000
  uint8_t complexity = 5;    ///< 0..10; above 5 the analysis costs more than it is heard
  /// Each packet also carries the one before it, coarsely. Only at bit rates where speech is coded
  /// by SILK, and only if loss is expected.
  bool fec = false;
  uint8_t expected_loss_percent = 0; ///< 0..100
  /// Silence is packets of at most two bytes, which need not be sent; every 400 ms one is longer.
  bool dtx = false;
  application tuned_for = application::voip;

  friend auto operator<=>(const opus_settings&, const opus_settings&) = default;
};

/// Fails if a setting is out of its range: "opus bitrate: 5999, expected 6000 to 510000".
result<void> check(const opus_settings& settings);

} // namespace jackfield::audio

#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <string_view>

#include <tl/expected.hpp>

#include "engine/audio/codec.hpp"

namespace jackfield::audio {

/// Why a payload cannot be decoded.
enum class payload_fault : uint8_t {
  empty,     ///< no bytes
  too_long,  ///< over 120 ms of audio
  malformed, ///< not what the codec's packets look like
};

/// "empty", "too long", "malformed", for counters and logs.
[[nodiscard]] std::string_view to_string(payload_fault f) noexcept;

/// Turns payloads of one stream into samples of one channel at the codec's rate. Holds room for
/// 120 ms of audio, the most that a payload may be, so no payload can pass its end. What is
/// returned is valid until the next call. Not for two threads at once.
class decoder {
public:
  using samples = std::span<const int16_t>;

  [[nodiscard]] static std::unique_ptr<decoder> make(codec c);

  virtual ~decoder() = default;
  decoder(const decoder&) = delete;
  decoder& operator=(const decoder&) = delete;

  /// After a fault nothing was played: conceal.
  [[nodiscard]] virtual tl::expected<samples, payload_fault>
  decode(std::span<const std::byte> payload) noexcept = 0;

  /// What is to be heard in place of a packet that did not come: likely audio, fading to silence
  /// within some packets. `missing` is taken as 2.5..120 ms, for Opus in steps of 2.5 ms.
  [[nodiscard]] virtual samples conceal(std::chrono::microseconds missing) noexcept = 0;

  /// What a missing packet was, as told by the one that follows it; it is to be decoded itself
  /// afterwards. Conceals where that tells nothing: without FEC, and for all codecs but Opus.
  [[nodiscard]] virtual samples decode_fec(std::span<const std::byte> next,
                                           std::chrono::microseconds missing) noexcept;

protected:
  decoder() = default;
};

} // namespace jackfield::audio

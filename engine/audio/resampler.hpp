#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <vector>

struct SpeexResamplerState_;

namespace jackfield::audio {

/// Takes a stream of samples of one channel from one rate to another, in pieces of any length. In
/// time with what comes in: the filter's delay is not heard, but its last samples come out only
/// with what follows, or with `finish`.
class resampler {
public:
  static constexpr int for_calls = 5;  ///< quality for live audio
  static constexpr int for_files = 10; ///< quality for what is resampled once

  /// Rates are 1000..384000, quality 0..10. Equal rates pass samples through.
  resampler(uint32_t from, uint32_t to, int quality = for_calls);

  /// Valid until the next call.
  [[nodiscard]] std::span<const int16_t> process(std::span<const int16_t> in);

  /// How much of what came in is still to come out, in samples of what comes out.
  [[nodiscard]] size_t delay() const noexcept;

  /// The rest of what came in, so that all in all `to / from` times as many samples came out.
  /// Nothing may follow.
  [[nodiscard]] std::span<const int16_t> finish();

private:
  struct destroy {
    void operator()(SpeexResamplerState_* state) const noexcept;
  };
  void take(std::span<const int16_t> in);

  std::unique_ptr<SpeexResamplerState_, destroy> state_; // none between equal rates
  std::vector<int16_t> out_;
  uint64_t came_ = 0;
  uint64_t went_ = 0;
  uint32_t from_;
  uint32_t to_;
};

} // namespace jackfield::audio

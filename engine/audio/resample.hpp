#pragma once

#include <cstdint>
#include <span>
#include <vector>

namespace jackfield::audio {

/// Resamples a whole signal to 8 kHz, in time with it (linear phase, no delay): a polyphase
/// windowed sinc with 80 dB of stop band. `rate` is 1000..384000. For files read at start-up, not
/// for live audio.
[[nodiscard]] std::vector<float> resample_to_8k(std::span<const float> in, uint32_t rate);

} // namespace jackfield::audio

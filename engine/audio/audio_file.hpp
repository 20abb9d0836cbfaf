#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "engine/error/error.hpp"

namespace jackfield::audio {

/// Reads a file that libsndfile reads, mono or stereo, at any rate of 1000..384000, as one channel
/// at `rate`. One of more than `max_seconds` is an error. Errors are one line: "prompt.wav:
/// 7-channel file, expected 1 or 2".
result<std::vector<int16_t>> read_audio_file(const std::string& path, uint32_t rate,
                                             int max_seconds);

} // namespace jackfield::audio

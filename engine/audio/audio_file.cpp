#include "engine/audio/audio_file.hpp"

#include <algorithm>
#include <array>
#include <cmath>
#include <filesystem>
#include <memory>
#include <span>
#include <system_error>

#include <sndfile.h>

#include "engine/audio/resampler.hpp"

namespace jackfield::audio {
namespace {

constexpr int least_rate = 1000;
constexpr int most_rate = 384'000;

struct close_file {
  void operator()(SNDFILE* file) const noexcept { sf_close(file); }
};

int16_t to_sample(float x) {
  // A file of floating-point samples may hold anything, even what is no number.
  const float scaled = std::isfinite(x) ? x * 32768 : 0;
  return static_cast<int16_t>(std::lround(std::clamp(scaled, -32768.0f, 32767.0f)));
}

} // namespace

result<std::vector<int16_t>> read_audio_file(const std::string& path, uint32_t rate,
                                             int max_seconds) {
  // A pipe or a device would keep the caller waiting.
  std::error_code ignored;
  const auto status = std::filesystem::status(path, ignored);
  if (!std::filesystem::exists(status))
    return fail(path, "no such file");
  if (!std::filesystem::is_regular_file(status))
    return fail(path, "not a regular file, expected an audio file");
  SF_INFO info{};
  const std::unique_ptr<SNDFILE, close_file> file{sf_open(path.c_str(), SFM_READ, &info)};
  if (!file) {
    std::string cause = sf_strerror(nullptr);
    while (!cause.empty() && (cause.back() == '.' || cause.back() == '\n'))
      cause.pop_back();
    return fail(path, "cannot be read as audio: " + cause);
  }
  if (info.channels != 1 && info.channels != 2)
    return fail(path, std::to_string(info.channels) + "-channel file, expected 1 or 2");
  if (info.samplerate < least_rate || info.samplerate > most_rate)
    return fail(path, std::to_string(info.samplerate) + " samples a second, expected " +
                        std::to_string(least_rate) + " to " + std::to_string(most_rate));
  // The header's length is not believed: what can be read counts.
  const auto most = static_cast<size_t>(info.samplerate) * static_cast<size_t>(max_seconds);
  const auto channels = static_cast<size_t>(info.channels);
  resampler resampled{static_cast<uint32_t>(info.samplerate), rate, resampler::for_files};
  std::vector<int16_t> out;
  const auto append = [&out](std::span<const int16_t> samples) {
    out.insert(out.end(), samples.begin(), samples.end());
  };
  std::array<float, 8192> block{};
  std::array<int16_t, 8192> mono{};
  size_t read = 0;
  for (;;) {
    const auto count =
      sf_readf_float(file.get(), block.data(), static_cast<sf_count_t>(block.size() / channels));
    if (count <= 0)
      break;
    const auto frames = static_cast<size_t>(count);
    read += frames;
    if (read > most)
      return fail(path, "longer than " + std::to_string(max_seconds) + " seconds");
    for (size_t i = 0; i < frames; ++i)
      mono[i] = to_sample(channels == 1 ? block[i] : (block[2 * i] + block[2 * i + 1]) / 2);
    append(resampled.process(std::span{mono}.first(frames)));
  }
  if (read == 0)
    return fail(path, "no audio in it");
  append(resampled.finish());
  return out;
}

} // namespace jackfield::audio

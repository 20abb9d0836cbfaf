#include "engine/audio/source.hpp"

#include <algorithm>
#include <array>
#include <cmath>
#include <filesystem>
#include <numbers>
#include <numeric>

#include <sndfile.h>

#include "engine/audio/resample.hpp"

namespace jackfield::audio {
namespace {

constexpr int least_rate = 1000;
constexpr int most_rate = 384'000;
// A sine of full scale in dBm0 (G.711).
constexpr double full_scale_dbm0 = 3.14;

struct close_file {
  void operator()(SNDFILE* file) const noexcept { sf_close(file); }
};

std::vector<int16_t> make_tone(const source_spec& spec, size_t frame_samples) {
  // Long enough for whole periods and whole frames, so that it repeats without a seam.
  const size_t period = g711_rate / std::gcd(g711_rate, uint32_t{spec.frequency_hz});
  std::vector<int16_t> out(std::lcm(period, frame_samples));
  const double peak = 32768 * std::pow(10, (spec.level_dbm0 - full_scale_dbm0) / 20);
  for (size_t n = 0; n < out.size(); ++n) {
    const auto phase = static_cast<double>(n * spec.frequency_hz % g711_rate) / g711_rate;
    const auto value = peak * std::sin(2 * std::numbers::pi * phase);
    out[n] = static_cast<int16_t>(std::lround(std::clamp(value, -32768.0, 32767.0)));
  }
  return out;
}

result<std::vector<int16_t>> read_file(const std::string& path) {
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
  const auto most = static_cast<size_t>(info.samplerate) * encoded_source::max_file_seconds;
  const auto channels = static_cast<size_t>(info.channels);
  std::vector<float> mono;
  std::array<float, 8192> block{};
  for (;;) {
    const auto frames =
      sf_readf_float(file.get(), block.data(), static_cast<sf_count_t>(block.size() / channels));
    if (frames <= 0)
      break;
    if (mono.size() + static_cast<size_t>(frames) > most)
      return fail(path,
                  "longer than " + std::to_string(encoded_source::max_file_seconds) + " seconds");
    for (size_t i = 0; i < static_cast<size_t>(frames); ++i)
      mono.push_back(channels == 1 ? block[i] : (block[2 * i] + block[2 * i + 1]) / 2);
  }
  if (mono.empty())
    return fail(path, "no audio in it");
  const auto samples = resample_to_8k(mono, static_cast<uint32_t>(info.samplerate));
  std::vector<int16_t> out(samples.size());
  std::ranges::transform(samples, out.begin(), [](float x) {
    // A file of floating-point samples may hold anything, even what is no number.
    const float scaled = std::isfinite(x) ? x * 32768 : 0;
    return static_cast<int16_t>(std::lround(std::clamp(scaled, -32768.0f, 32767.0f)));
  });
  return out;
}

result<void> check_packet_time(std::chrono::milliseconds packet_time) {
  const auto ms = packet_time.count();
  if (ms < 10 || ms > 120 || ms % 10 != 0)
    return fail("ptime", std::to_string(ms) + " ms, expected 10 to 120 in steps of 10");
  return {};
}

size_t samples_in(std::chrono::milliseconds t) {
  return static_cast<size_t>(t.count()) * g711_rate / 1000;
}

} // namespace

result<std::shared_ptr<const encoded_source>>
encoded_source::make(const source_spec& spec, codec c, std::chrono::milliseconds packet_time) {
  if (auto good = check_packet_time(packet_time); !good)
    return tl::unexpected(good.error());
  switch (spec.what) {
  case source_spec::kind::silence:
    break;
  case source_spec::kind::tone:
    if (spec.frequency_hz < 50 || spec.frequency_hz > 3400)
      return fail("tone", std::to_string(spec.frequency_hz) + " Hz, expected 50 to 3400");
    if (spec.level_dbm0 < -60 || spec.level_dbm0 > 3)
      return fail("tone", std::to_string(spec.level_dbm0) + " dBm0, expected -60 to 3");
    return from_samples(make_tone(spec, samples_in(packet_time)), c, packet_time);
  case source_spec::kind::file: {
    auto samples = read_file(spec.path);
    if (!samples)
      return tl::unexpected(samples.error());
    return from_samples(*samples, c, packet_time);
  }
  }
  return from_samples(std::vector<int16_t>(samples_in(packet_time)), c, packet_time);
}

result<std::shared_ptr<const encoded_source>>
encoded_source::from_samples(std::span<const int16_t> samples, codec c,
                             std::chrono::milliseconds packet_time) {
  if (auto good = check_packet_time(packet_time); !good)
    return tl::unexpected(good.error());
  if (samples.empty())
    return fail("audio", "no samples, expected at least one");
  const auto frame_bytes = samples_in(packet_time);
  const auto frames = (samples.size() + frame_bytes - 1) / frame_bytes;
  const auto silence = c == codec::pcmu ? encode_ulaw(0) : encode_alaw(0);
  std::vector<std::byte> bytes(frames * frame_bytes, std::byte{silence});
  encode(c, samples, bytes);
  return std::make_shared<const encoded_source>(maker{}, c, packet_time, frame_bytes,
                                                std::move(bytes));
}

result<std::shared_ptr<const encoded_source>>
source_cache::get(const source_spec& spec, codec c, std::chrono::milliseconds packet_time) {
  const std::lock_guard guard{mutex_};
  const key k{spec, c, packet_time};
  if (const auto found = sources_.find(k); found != sources_.end())
    return found->second;
  auto made = encoded_source::make(spec, c, packet_time);
  if (made)
    sources_.emplace(k, *made);
  return made;
}

} // namespace jackfield::audio

#include "engine/audio/source.hpp"

#include <algorithm>
#include <array>
#include <cmath>
#include <numbers>
#include <numeric>
#include <string_view>

#include "engine/audio/audio_file.hpp"
#include "engine/audio/encoder.hpp"

namespace jackfield::audio {
namespace {

// A sine of full scale in dBm0 (G.711).
constexpr double full_scale_dbm0 = 3.14;
// With DTX a packet of Opus that is no longer than this need not be sent.
constexpr size_t longest_left_out = 2;
// A codec with a memory never meets a loop's end in quite the state of its begin; so the loop is
// long, and its frames are those of its second turn.
constexpr std::chrono::seconds least_loop{2};

std::vector<int16_t> make_tone(const source_spec& spec, size_t rate, size_t step) {
  // Long enough for whole periods and whole frames, so that it repeats without a seam.
  const size_t period = rate / std::gcd(rate, size_t{spec.frequency_hz});
  std::vector<int16_t> out(std::lcm(period, step));
  const double peak = 32768 * std::pow(10, (spec.level_dbm0 - full_scale_dbm0) / 20);
  for (size_t n = 0; n < out.size(); ++n) {
    const auto phase =
      static_cast<double>(n * spec.frequency_hz % rate) / static_cast<double>(rate);
    const auto value = peak * std::sin(2 * std::numbers::pi * phase);
    out[n] = static_cast<int16_t>(std::lround(std::clamp(value, -32768.0, 32767.0)));
  }
  return out;
}

// ITU-T Q.23 table 1.
std::vector<int16_t> make_digit(char which, size_t rate) {
  constexpr std::string_view keys = "123A456B789C*0#D";
  constexpr std::array low{697, 770, 852, 941};
  constexpr std::array high{1209, 1336, 1477, 1633};
  constexpr double level_dbm0 = -9;
  const auto place = keys.find(which);
  if (place == std::string_view::npos)
    return {};
  const auto sounding = rate / 10;
  std::vector<int16_t> out(sounding + rate * 60 / 1000);
  const double peak = 32768 * std::pow(10, (level_dbm0 - full_scale_dbm0) / 20);
  for (size_t n = 0; n < sounding; ++n) {
    const auto at = 2 * std::numbers::pi * static_cast<double>(n) / static_cast<double>(rate);
    const auto value = peak * (std::sin(at * low[place / 4]) + std::sin(at * high[place % 4]));
    out[n] = static_cast<int16_t>(std::lround(std::clamp(value, -32768.0, 32767.0)));
  }
  return out;
}

// As often as it takes to last, where the codec has a memory.
std::vector<int16_t> repeated(std::vector<int16_t> turn, codec c) {
  const auto least = samples_in(c, least_loop);
  if (!traits_of(c).has_memory || turn.size() >= least)
    return turn;
  const auto turns = (least + turn.size() - 1) / turn.size();
  std::vector<int16_t> out;
  out.reserve(turns * turn.size());
  for (size_t i = 0; i < turns; ++i)
    out.insert(out.end(), turn.begin(), turn.end());
  return out;
}

} // namespace

encoded_source::encoded_source(maker, codec c, std::chrono::milliseconds packet_time,
                               std::vector<std::byte> bytes, std::vector<uint32_t> ends) noexcept
    : bytes_(std::move(bytes)), ends_(std::move(ends)), frame_count_(ends_.size() - 1),
      frame_bytes_(c == codec::opus ? 0 : bytes_.size() / frame_count_), codec_(c),
      packet_time_(packet_time) {
  if (frame_bytes_ != 0)
    ends_ = {};
}

result<std::shared_ptr<const encoded_source>>
encoded_source::make(const source_spec& spec, codec c, std::chrono::milliseconds packet_time,
                     const opus_settings& settings) {
  if (auto good = check_packet_time(c, packet_time); !good)
    return tl::unexpected(good.error());
  const auto frame = samples_in(c, packet_time);
  switch (spec.what) {
  case source_spec::kind::silence:
    break;
  case source_spec::kind::tone:
    if (spec.frequency_hz < 50 || spec.frequency_hz > 3400)
      return fail("tone", std::to_string(spec.frequency_hz) + " Hz, expected 50 to 3400");
    if (spec.level_dbm0 < -60 || spec.level_dbm0 > 3)
      return fail("tone", std::to_string(spec.level_dbm0) + " dBm0, expected -60 to 3");
    return encode(repeated(make_tone(spec, traits_of(c).sample_rate, frame), c), course::loop, c,
                  packet_time, settings);
  case source_spec::kind::file: {
    auto samples = read_audio_file(spec.path, traits_of(c).sample_rate, max_file_seconds);
    if (!samples)
      return tl::unexpected(samples.error());
    return from_samples(*samples, c, packet_time, settings);
  }
  case source_spec::kind::digit: {
    const auto samples =
      make_digit(spec.path.size() == 1 ? spec.path.front() : ' ', traits_of(c).sample_rate);
    if (samples.empty())
      return fail("digit", "\"" + spec.path + "\" is none, expected one of 0-9*#A-D");
    return from_samples(samples, c, packet_time, settings);
  }
  }
  return encode(repeated(std::vector<int16_t>(frame), c), course::loop, c, packet_time, settings);
}

result<std::shared_ptr<const encoded_source>>
encoded_source::from_samples(std::span<const int16_t> samples, codec c,
                             std::chrono::milliseconds packet_time, const opus_settings& settings) {
  return encode(samples, course::once, c, packet_time, settings);
}

result<std::shared_ptr<const encoded_source>>
encoded_source::encode(std::span<const int16_t> samples, course how, codec c,
                       std::chrono::milliseconds packet_time, const opus_settings& settings) {
  auto made = encoder::make(c, packet_time, settings);
  if (!made)
    return tl::unexpected(made.error());
  auto& coder = **made;
  if (samples.empty())
    return fail("audio", "no samples, expected at least one");
  const auto frame = coder.frame_samples();
  // What is still in the encoder at the end comes out with silence behind it.
  const auto rest = how == course::once ? coder.lookahead() : 0;
  const auto frames = (samples.size() + rest + frame - 1) / frame;
  std::vector<int16_t> samples_of_frame(frame);
  std::array<std::byte, encoder::most_bytes> payload;
  const auto encode_frame = [&](size_t index) {
    const auto begin = std::min(index * frame, samples.size());
    const auto piece = samples.subspan(begin, std::min(frame, samples.size() - begin));
    const auto end = std::ranges::copy(piece, samples_of_frame.begin()).out;
    std::fill(end, samples_of_frame.end(), int16_t{0});
    return coder.encode(samples_of_frame, payload);
  };
  if (how == course::loop && traits_of(c).has_memory) {
    for (size_t i = 0; i < frames; ++i)
      encode_frame(i);
  }
  std::vector<std::byte> bytes;
  std::vector<uint32_t> ends{0};
  ends.reserve(frames + 1);
  for (size_t i = 0; i < frames; ++i) {
    const auto size = encode_frame(i);
    if (size == 0)
      return fail("audio", "cannot be encoded as " + std::string{traits_of(c).name});
    const auto sent = settings.dtx && size <= longest_left_out ? 0 : size;
    bytes.insert(bytes.end(), payload.begin(), payload.begin() + static_cast<std::ptrdiff_t>(sent));
    ends.push_back(static_cast<uint32_t>(bytes.size()));
  }
  bytes.shrink_to_fit();
  return std::make_shared<const encoded_source>(maker{}, c, packet_time, std::move(bytes),
                                                std::move(ends));
}

result<std::shared_ptr<const encoded_source>>
source_cache::get(const source_spec& spec, codec c, std::chrono::milliseconds packet_time,
                  const opus_settings& settings) {
  const std::lock_guard guard{mutex_};
  const key k{spec, c, packet_time, c == codec::opus ? settings : opus_settings{}};
  if (const auto found = sources_.find(k); found != sources_.end())
    return found->second;
  auto made = encoded_source::make(spec, c, packet_time, settings);
  if (made)
    sources_.emplace(k, *made);
  return made;
}

} // namespace jackfield::audio

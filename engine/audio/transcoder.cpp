#include "engine/audio/transcoder.hpp"

#include <algorithm>
#include <utility>

namespace jackfield::audio {

namespace {

constexpr int16_t quiet = 328; // -40 dBov

} // namespace

result<std::unique_ptr<transcoder>> transcoder::make(codec from, codec to,
                                                     std::chrono::milliseconds packet_time,
                                                     const opus_settings& settings) {
  auto out = encoder::make(to, packet_time, settings);
  if (!out)
    return tl::unexpected(out.error());
  return std::make_unique<transcoder>(from, to, decoder::make(from), std::move(*out));
}

transcoder::transcoder(codec from, codec to, std::unique_ptr<decoder> in,
                       std::unique_ptr<encoder> out)
    : in_(std::move(in)), out_(std::move(out)),
      resampler_(traits_of(from).sample_rate, traits_of(to).sample_rate),
      waiting_(resampler_.delay()), from_(from), to_(to) {
  // What the resampler holds back is silence's at first: a whole packet gives a whole frame.
}

tl::expected<void, payload_fault> transcoder::on_payload(std::span<const std::byte> payload) {
  const auto samples = in_->decode(payload);
  if (!samples)
    return tl::unexpected(samples.error());
  add(*samples);
  return {};
}

void transcoder::on_lost(std::chrono::microseconds missing) {
  add(in_->conceal(missing));
}

void transcoder::on_recovered(std::span<const std::byte> next, std::chrono::microseconds missing) {
  add(in_->decode_fec(next, missing));
}

void transcoder::on_silence(uint8_t level, std::chrono::microseconds length) {
  std::array<int16_t, samples_in(codec::opus, longest_packet)> samples;
  const auto bounded =
    std::clamp<std::chrono::microseconds>(length, std::chrono::microseconds{0}, longest_packet);
  const auto noise = std::span{samples}.first(samples_in(from_, bounded));
  noise_.set_level(level);
  noise_.fill(noise);
  add(noise);
}

std::span<const std::byte> transcoder::next_frame() {
  const auto frame = out_->frame_samples();
  if (waiting_.size() < frame)
    return {};
  const auto size = out_->encode(std::span{waiting_}.first(frame), payload_);
  waiting_.erase(waiting_.begin(), waiting_.begin() + static_cast<std::ptrdiff_t>(frame));
  return std::span{payload_}.first(size);
}

std::chrono::microseconds transcoder::waiting() const noexcept {
  return std::chrono::microseconds{waiting_.size() * 1'000'000 / traits_of(to_).sample_rate};
}

void transcoder::add(std::span<const int16_t> samples) {
  quiet_ = std::ranges::all_of(samples, [](int16_t s) { return s > -quiet && s < quiet; });
  const auto resampled = resampler_.process(samples);
  waiting_.insert(waiting_.end(), resampled.begin(), resampled.end());
  const size_t most = traits_of(to_).sample_rate;
  if (waiting_.size() > most)
    waiting_.erase(waiting_.begin(), waiting_.end() - static_cast<std::ptrdiff_t>(most));
}

} // namespace jackfield::audio

#include "actors/media/mixing.hpp"

#include <algorithm>
#include <cstring>
#include <limits>
#include <utility>

#include "actors/media/transcoding.hpp"
#include "engine/audio/decoder.hpp"
#include "engine/audio/transcoder.hpp"

namespace jackfield {

namespace {

/// Of this one's samples voices are added up.
constexpr auto mixed_as = audio::codec::g722;
constexpr std::chrono::milliseconds piece_time{10};
constexpr size_t piece = audio::samples_in(mixed_as, piece_time);

/// "Encodes" samples as they are.
class as_samples final : public audio::encoder {
public:
  as_samples() : encoder(piece) {}
  size_t encode(std::span<const int16_t> frame, std::span<std::byte> out) noexcept override {
    if (!takes(frame, out))
      return 0;
    std::memcpy(out.data(), frame.data(), frame.size_bytes());
    return frame.size_bytes();
  }
};

} // namespace

/// What one stream hears.
class mixing::voice final : public heard_tap {
public:
  bool on_heard(const rtp::heard_packet& packet) override {
    using content = rtp::heard_packet::content;
    if (packet.is == content::audio) {
      const auto from = static_cast<audio::codec>(packet.codec);
      if (!made_ || made_->agreed().from != from)
        made_ = std::make_unique<transcoding>(
          transcoding::terms{from, mixed_as, piece_time},
          std::make_unique<audio::transcoder>(from, mixed_as, audio::decoder::make(from),
                                              std::make_unique<as_samples>()));
    }
    if (made_)
      made_->on_heard(packet);
    return wanted_;
  }
  /// Adds the next piece; false: there is none.
  bool add_to(std::span<int32_t> sum, rtp::time_point now) {
    const auto samples = made_ ? made_->next_frame(now) : std::span<const std::byte>{};
    if (samples.size() != piece * sizeof(int16_t))
      return false;
    std::array<int16_t, piece> one{};
    std::memcpy(one.data(), samples.data(), samples.size());
    std::transform(one.begin(), one.end(), sum.begin(), sum.begin(),
                   [](int16_t sample, int32_t before) { return before + sample; });
    return true;
  }
  void end() noexcept { wanted_ = false; }

private:
  std::unique_ptr<transcoding> made_; // null: nothing came yet
  bool wanted_ = true;
};

mixing::~mixing() {
  for (const auto& each : voices_) // the streams let go of them
    each->end();
}

result<std::unique_ptr<mixing>> mixing::make(const terms& wanted,
                                             const audio::opus_settings& settings) {
  std::unique_ptr<mixing> made{new mixing};
  if (auto done = made->change(wanted, settings); !done)
    return tl::unexpected{std::move(done.error())};
  return made;
}

result<void> mixing::change(const terms& wanted, const audio::opus_settings& settings) {
  auto coder = audio::encoder::make(wanted.to, wanted.packet_time, settings);
  if (!coder)
    return tl::unexpected{std::move(coder.error())};
  terms_ = wanted;
  encoder_ = std::move(*coder);
  resampler_ = std::make_unique<audio::resampler>(audio::traits_of(mixed_as).sample_rate,
                                                  audio::traits_of(wanted.to).sample_rate);
  // What it holds back is silence's at first: whole pieces give a whole frame.
  waiting_.assign(resampler_->delay(), 0);
  return {};
}

std::shared_ptr<heard_tap> mixing::add() {
  return voices_.emplace_back(std::make_shared<voice>());
}

std::span<const std::byte> mixing::next_frame(rtp::time_point now) {
  bool said = false;
  for (auto left = terms_.packet_time; left >= piece_time; left -= piece_time) {
    std::array<int32_t, piece> sum{};
    for (const auto& each : voices_)
      said = each->add_to(sum, now) || said;
    std::array<int16_t, piece> mixed{};
    std::ranges::transform(sum, mixed.begin(), [](int32_t sample) {
      using limits = std::numeric_limits<int16_t>;
      return static_cast<int16_t>(std::clamp<int32_t>(sample, limits::min(), limits::max()));
    });
    const auto out = resampler_->process(mixed);
    waiting_.insert(waiting_.end(), out.begin(), out.end());
  }
  const auto frame = encoder_->frame_samples();
  if (waiting_.size() < frame)
    return {};
  const auto size = said ? encoder_->encode(std::span{waiting_}.first(frame), payload_) : size_t{0};
  waiting_.erase(waiting_.begin(), waiting_.begin() + static_cast<std::ptrdiff_t>(frame));
  return std::span{payload_}.first(size);
}

} // namespace jackfield

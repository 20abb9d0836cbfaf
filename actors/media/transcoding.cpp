#include "actors/media/transcoding.hpp"

#include <algorithm>
#include <utility>

#include "engine/audio/comfort_noise.hpp"

namespace jackfield {

namespace {

constexpr uint8_t comfort_noise_type = 13; // RFC 3551 §6; of 8000 Hz alone
constexpr uint8_t no_noise = 127;
constexpr size_t longest_opus_silence = 2; // RFC 7587 §3.1.3: DTX

rtp::jitter_buffer_options buffer_for(audio::codec from) {
  rtp::jitter_buffer_options options;
  options.clock_rate = audio::traits_of(from).clock_rate;
  return options;
}

} // namespace

result<std::unique_ptr<transcoding>> transcoding::make(const terms& wanted,
                                                       const audio::opus_settings& settings) {
  auto made = audio::transcoder::make(wanted.from, wanted.to, wanted.packet_time, settings);
  if (!made)
    return tl::unexpected{std::move(made.error())};
  return std::make_unique<transcoding>(wanted, std::move(*made));
}

transcoding::transcoding(const terms& wanted, std::unique_ptr<audio::transcoder> made)
    : terms_(wanted), made_(std::move(made)), buffer_(buffer_for(wanted.from)),
      noise_level_(no_noise) {
  // nop
}

void transcoding::on_heard(const rtp::heard_packet& heard) noexcept {
  using content = rtp::heard_packet::content;
  const bool noise = heard.is == content::other && heard.what.payload_type == comfort_noise_type;
  const bool audio = heard.is == content::audio && heard.codec == static_cast<uint8_t>(terms_.from);
  if (noise || audio)
    buffer_.insert(heard.what, heard.arrived,
                   noise || (terms_.from == audio::codec::opus &&
                             heard.what.payload.size() <= longest_opus_silence));
}

std::span<const std::byte> transcoding::next_frame(rtp::time_point now) {
  for (;;) {
    if (const auto frame = made_->next_frame(); !frame.empty())
      return frame;
    if (!fill(now))
      return {};
  }
}

// A piece more of what is to be heard; false if there is none.
bool transcoding::fill(rtp::time_point now) {
  const auto next = buffer_.pull(now, made_->is_quiet());
  if (next.what == rtp::playout::kind::nothing)
    return false;
  const auto length = std::chrono::duration_cast<std::chrono::microseconds>(
    rtp::to_duration(next.units, audio::traits_of(terms_.from).clock_rate));
  play(next, std::min<std::chrono::microseconds>(length, audio::longest_packet));
  return true;
}

void transcoding::play(const rtp::playout& next, std::chrono::microseconds length) {
  using kind = rtp::playout::kind;
  const bool opus = terms_.from == audio::codec::opus;
  switch (next.what) {
  case kind::packet:
    if (next.ends_talk && !opus) {
      noise_level_ = audio::comfort_noise::level_of(next.payload).value_or(no_noise);
      made_->on_silence(noise_level_, length);
    } else if (!made_->on_payload(next.payload)) {
      made_->on_lost(length);
    }
    break;
  case kind::fec:
    made_->on_recovered(next.payload, length);
    break;
  case kind::silence:
    if (!opus) {
      made_->on_silence(noise_level_, length);
      break;
    }
    [[fallthrough]]; // its decoder has noise of its own for that
  case kind::conceal:
    made_->on_lost(length);
    break;
  case kind::nothing:
    break;
  }
}

} // namespace jackfield

#include "engine/audio/opus_encoder.hpp"

#include <new>

#include <opus.h>

namespace jackfield::audio {

void opus_encoder::destroy::operator()(OpusEncoder* state) const noexcept {
  opus_encoder_destroy(state);
}

opus_encoder::opus_encoder(size_t frame_samples, const opus_settings& settings)
    : encoder(frame_samples) {
  const auto application = settings.tuned_for == opus_settings::application::voip
                             ? OPUS_APPLICATION_VOIP
                             : OPUS_APPLICATION_AUDIO;
  int error = OPUS_OK;
  state_.reset(opus_encoder_create(48'000, 1, application, &error));
  if (!state_)
    throw std::bad_alloc{};
  auto* state = state_.get();
  opus_encoder_ctl(state, OPUS_SET_BITRATE(static_cast<opus_int32>(settings.bitrate)));
  opus_encoder_ctl(state, OPUS_SET_COMPLEXITY(settings.complexity));
  opus_encoder_ctl(state, OPUS_SET_INBAND_FEC(settings.fec ? 1 : 0));
  opus_encoder_ctl(state, OPUS_SET_PACKET_LOSS_PERC(settings.expected_loss_percent));
  opus_encoder_ctl(state, OPUS_SET_DTX(settings.dtx ? 1 : 0));
  opus_int32 lookahead = 0;
  opus_encoder_ctl(state, OPUS_GET_LOOKAHEAD(&lookahead));
  lookahead_ = static_cast<size_t>(lookahead);
}

size_t opus_encoder::encode(std::span<const int16_t> frame, std::span<std::byte> out) noexcept {
  if (!takes(frame, out))
    return 0;
  const auto size =
    opus_encode(state_.get(), frame.data(), static_cast<int>(frame.size()),
                reinterpret_cast<unsigned char*>(out.data()), static_cast<opus_int32>(most_bytes));
  return size > 0 ? static_cast<size_t>(size) : 0;
}

} // namespace jackfield::audio

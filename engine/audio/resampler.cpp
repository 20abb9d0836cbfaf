#include "engine/audio/resampler.hpp"

#include <algorithm>
#include <array>
#include <new>

#include <speex/speex_resampler.h>

namespace jackfield::audio {

void resampler::destroy::operator()(SpeexResamplerState_* state) const noexcept {
  speex_resampler_destroy(state);
}

resampler::resampler(uint32_t from, uint32_t to, int quality) : from_(from), to_(to) {
  if (from == to)
    return;
  int error = RESAMPLER_ERR_SUCCESS;
  state_.reset(speex_resampler_init(1, from, to, quality, &error));
  if (!state_)
    throw std::bad_alloc{};
  speex_resampler_skip_zeros(state_.get());
}

std::span<const int16_t> resampler::process(std::span<const int16_t> in) {
  came_ += in.size();
  if (!state_) {
    out_.assign(in.begin(), in.end());
    return out_;
  }
  out_.clear();
  take(in);
  went_ += out_.size();
  return out_;
}

size_t resampler::delay() const noexcept {
  return state_ ? static_cast<size_t>(speex_resampler_get_output_latency(state_.get())) : 0;
}

std::span<const int16_t> resampler::finish() {
  out_.clear();
  if (!state_)
    return out_;
  const auto due = (came_ * to_ + from_ - 1) / from_ - went_;
  constexpr std::array<int16_t, 256> silence{};
  auto left = static_cast<size_t>(speex_resampler_get_input_latency(state_.get())) + 1;
  while (left > 0 && out_.size() < due) {
    const auto count = std::min(left, silence.size());
    take(std::span{silence}.first(count));
    left -= count;
  }
  out_.resize(due);
  went_ += due;
  return out_;
}

void resampler::take(std::span<const int16_t> in) {
  while (!in.empty()) {
    const auto piece = std::min<size_t>(in.size(), 4096);
    const auto room = piece * to_ / from_ + 16;
    const auto before = out_.size();
    out_.resize(before + room);
    auto read = static_cast<spx_uint32_t>(piece);
    auto written = static_cast<spx_uint32_t>(room);
    speex_resampler_process_int(state_.get(), 0, in.data(), &read, out_.data() + before, &written);
    out_.resize(before + written);
    if (read == 0 && written == 0)
      return;
    in = in.subspan(read);
  }
}

} // namespace jackfield::audio

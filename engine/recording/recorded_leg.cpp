#include "engine/recording/recorded_leg.hpp"

#include <algorithm>
#include <chrono>
#include <cstdlib>
#include <utility>

namespace jackfield::recording {

namespace {

constexpr int64_t millisecond = sample_rate / 1000;
/// A timestamp that is this far from its arrival says nothing of the time.
constexpr int64_t furthest = 1000 * millisecond;
/// By so much a sender's clock may have run off before it is followed.
constexpr int64_t most_drift = 30 * millisecond;
/// Packets whose jitter is taken into account then.
constexpr unsigned clock_window = 250;
/// Of a longer gap the rest is silence: nobody guesses what was said.
constexpr int64_t longest_concealment = 100 * millisecond;
/// A gap that is no more is rounding: Opus conceals in steps of it.
constexpr int64_t slack = sample_rate / 400;
/// What the resamplers hold back at most.
constexpr int64_t held_back = 10 * millisecond;

std::chrono::microseconds time_of(int64_t samples) {
  return std::chrono::microseconds{samples * 1'000'000 / sample_rate};
}

} // namespace

void recorded_leg::add(recorded_packet packet) {
  if (waiting_.size() >= most_waiting) {
    ++counts_.refused;
    return;
  }
  const auto at = place_of(packet);
  const auto after = std::upper_bound(waiting_.begin(), waiting_.end(), at,
                                      [](int64_t t, const placed& each) { return t < each.at; });
  waiting_.insert(after, placed{at, std::move(packet)});
}

int64_t recorded_leg::place_of(const recorded_packet& packet) {
  const auto came = samples_in(packet.at);
  const auto rate = audio::traits_of(packet.codec).clock_rate;
  const bool goes_on = ssrc_ == packet.ssrc && rate == audio::traits_of(clock_of_).clock_rate;
  if (goes_on) {
    units_ += static_cast<int32_t>(packet.timestamp - timestamp_);
    timestamp_ = packet.timestamp;
    const auto at = anchor_ + samples_in(rtp::to_duration(units_, rate));
    if (std::abs(came - at) <= furthest) {
      follow_clock(came - at);
      return at;
    }
  }
  ssrc_ = packet.ssrc;
  clock_of_ = packet.codec;
  timestamp_ = packet.timestamp;
  units_ = 0;
  anchor_ = came;
  least_late_ = INT64_MAX;
  seen_ = 0;
  return came;
}

// The packet that was on its way for the least time tells how the clocks differ. That the first one
// was late is found so, too.
void recorded_leg::follow_clock(int64_t late) {
  least_late_ = std::min(least_late_, late);
  if (++seen_ < clock_window)
    return;
  if (std::abs(least_late_) > most_drift)
    anchor_ += least_late_;
  least_late_ = INT64_MAX;
  seen_ = 0;
}

void recorded_leg::write_until(rtp::duration until, std::vector<int16_t>& out) {
  const auto end = samples_in(until);
  if (end <= written_)
    return;
  const auto wanted = end + held_back;
  // A gap that reaches beyond is filled in as a whole: what is behind it tells what it was.
  while (!waiting_.empty() &&
         (waiting_.front().at < wanted ||
          (fed_ < wanted && waiting_.front().at <= fed_ + longest_concealment))) {
    const auto next = std::move(waiting_.front());
    waiting_.pop_front();
    play(next);
  }
  // What is still missing comes too late now.
  if (fed_ < wanted)
    bridge(wanted - fed_, nullptr);
  const auto count = static_cast<size_t>(end - written_);
  if (ready_.size() < count) // the resampler holds back more than was thought
    ready_.resize(count);
  const auto last = ready_.begin() + static_cast<std::ptrdiff_t>(count);
  out.insert(out.end(), ready_.begin(), last);
  ready_.erase(ready_.begin(), last);
  written_ = end;
}

void recorded_leg::play(const placed& next) {
  const auto& packet = next.what;
  const bool same = decoder_ != nullptr && packet.codec == codec_;
  if (const auto gap = next.at - fed_; gap > slack)
    bridge(gap, same && !packet.payload.empty() ? &packet : nullptr);
  if (packet.payload.empty()) {
    talk_ended_ = talk_ended_ || (packet.ends_talk && next.at >= fed_ - slack);
    return;
  }
  const auto cut = fed_ - next.at;
  if (cut >= std::max(length_, millisecond)) {
    ++counts_.late;
    return;
  }
  if (!same) {
    be_silent(0); // what the resampler still holds of the other codec
    decoder_ = audio::decoder::make(packet.codec);
    codec_ = packet.codec;
  }
  const auto decoded = decoder_->decode(packet.payload);
  if (!decoded) {
    ++counts_.faulty;
    return;
  }
  ++counts_.packets;
  talk_ended_ = packet.ends_talk;
  bridged_ = 0;
  const int64_t rate = audio::traits_of(codec_).sample_rate;
  length_ = static_cast<int64_t>(decoded->size()) * sample_rate / rate;
  const auto written_before =
    cut > slack ? std::min(static_cast<size_t>(cut * rate / sample_rate), decoded->size()) : 0;
  feed(decoded->subspan(written_before));
}

void recorded_leg::bridge(int64_t gap, const recorded_packet* next) {
  if (!talk_ended_ && decoder_ && bridged_ < longest_concealment) {
    ++counts_.concealed;
    const auto some = std::min(gap, longest_concealment - bridged_);
    bridged_ += some;
    const auto before = fed_;
    if (next != nullptr && some == gap)
      feed(decoder_->decode_fec(next->payload, time_of(some)));
    else
      feed(decoder_->conceal(time_of(some)));
    gap -= fed_ - before;
  }
  if (gap > slack)
    be_silent(gap);
}

void recorded_leg::be_silent(int64_t samples) {
  if (resampler_) {
    const auto rest = resampler_->finish();
    ready_.insert(ready_.end(), rest.begin(), rest.end());
    resampler_.reset();
  }
  ready_.insert(ready_.end(), static_cast<size_t>(samples), int16_t{0});
  fed_ += samples;
}

void recorded_leg::feed(std::span<const int16_t> decoded) {
  const auto rate = audio::traits_of(codec_).sample_rate;
  if (!resampler_)
    resampler_.emplace(rate, sample_rate);
  const auto samples = resampler_->process(decoded);
  ready_.insert(ready_.end(), samples.begin(), samples.end());
  fed_ += static_cast<int64_t>(decoded.size()) * sample_rate / rate;
}

} // namespace jackfield::recording

#include "actors/media/sound_listener.hpp"

#include <algorithm>
#include <chrono>

#include "engine/rtp/packet.hpp"

namespace jackfield {

void sound_listener::on_heard(const rtp::heard_packet& packet) {
  if (packet.is != rtp::heard_packet::content::audio)
    return; // comfort noise and digits: their time is one without sound
  const auto codec = static_cast<audio::codec>(packet.codec);
  const auto& traits = audio::traits_of(codec);
  if (!decoder_ || codec != codec_) {
    decoder_ = audio::decoder::make(codec);
    codec_ = codec;
  }
  if (!finder_) {
    finder_.emplace(traits.sample_rate);
    next_ = packet.what.timestamp;
  } else {
    skip_to(packet.what.timestamp, packet.arrived, traits.clock_rate);
    if (next_ != packet.what.timestamp)
      return; // too late
  }
  arrived_ = packet.arrived;
  const auto samples = decoder_->decode(packet.what.payload);
  if (!samples)
    return;
  finder_->add(*samples, traits.sample_rate);
  next_ += static_cast<uint32_t>(samples->size() * traits.clock_rate / traits.sample_rate);
}

// Timestamps may jump (RFC 3550 section 6.4.1 promises nothing between sources), back or further
// ahead than packets can be late: then as much time passed as between the arrivals.
void sound_listener::skip_to(uint32_t timestamp, rtp::time_point arrived, uint32_t clock_rate) {
  using std::chrono::milliseconds;
  const auto ahead = static_cast<int32_t>(timestamp - next_);
  const auto far = static_cast<int32_t>(clock_rate); // a second
  if (ahead == 0 || (ahead < 0 && ahead > -far))
    return;
  const auto waited =
    std::max(milliseconds{0}, std::chrono::duration_cast<milliseconds>(arrived - arrived_));
  const milliseconds by_timestamp{int64_t{ahead} * 1000 / clock_rate};
  const bool jumped = ahead < 0 || by_timestamp > waited + milliseconds{1000};
  finder_->skip(jumped ? waited : by_timestamp);
  next_ = timestamp;
}

audio::heard_sounds sound_listener::found() const {
  return finder_ ? finder_->found() : audio::heard_sounds{};
}

} // namespace jackfield

#include "engine/rtp/jitter_buffer.hpp"

#include <algorithm>

namespace jackfield::rtp {
namespace {

// RFC 3550 A.1: further ahead or behind is not the same count of packets.
constexpr int max_dropout = 3000;
constexpr int max_misorder = 100;
// A timestamp that breaks with arrival time by more is not of the same clock.
constexpr duration max_drift = std::chrono::seconds{10};
// Concealment has faded to silence long before.
constexpr duration longest_starving = std::chrono::milliseconds{400};
constexpr uint32_t packets_between_drops = 10;

} // namespace

jitter_buffer::jitter_buffer(const jitter_buffer_options& options)
    : bytes_(capacity * most_bytes), options_(options),
      step_(std::max<uint32_t>(
        1, static_cast<uint32_t>(to_units(options.packet_time, options.clock_rate)))) {}

insertion jitter_buffer::insert(const packet& p, time_point arrival, bool ends_talk) noexcept {
  if (p.payload.empty() || p.payload.size() > most_bytes) {
    ++counts_.refused;
    return insertion::refused;
  }
  if (!began_ || p.ssrc != ssrc_)
    begin(p, arrival);
  auto at = place_of(p, arrival);
  if (!at) {
    if (!has_stray_ || p.sequence != stray_) {
      has_stray_ = true;
      stray_ = static_cast<uint16_t>(p.sequence + 1);
      ++counts_.strays;
      return insertion::stray;
    }
    begin(p, arrival);
    at = place_of(p, arrival);
  }
  has_stray_ = false;
  auto& s = slots_[index_of(at->sequence)];
  if (s.sequence == at->sequence) {
    ++counts_.duplicates;
    return insertion::duplicate;
  }
  const auto took = transit(at->timestamp, arrival);
  if (restart_delay_ && at->sequence >= next_sequence_) {
    estimate_.restart(took);
    restart_delay_ = false;
  }
  estimate_.on_packet(took);
  if (nothing_played_ && at->sequence < next_sequence_ &&
      highest_.sequence - at->sequence < static_cast<int64_t>(capacity)) {
    next_sequence_ = at->sequence; // the first packet had overtaken it
    next_timestamp_ = at->timestamp;
  }
  // Something else was played in its time, or what follows it.
  if (at->sequence < next_sequence_ || (starved_ > 0 && at->timestamp < next_timestamp_)) {
    next_sequence_ = std::max(next_sequence_, at->sequence + 1);
    ++counts_.late;
    return insertion::late;
  }
  make_room(at->sequence);
  note_step(*at);
  if (at->sequence >= highest_.sequence) {
    highest_ = *at;
    last_arrival_ = arrival;
  }
  s = {at->sequence, at->timestamp, static_cast<uint16_t>(p.payload.size()), true, ends_talk};
  std::ranges::copy(p.payload, bytes_.begin() +
                                 static_cast<std::ptrdiff_t>(index_of(at->sequence) * most_bytes));
  ++counts_.stored;
  return insertion::stored;
}

void jitter_buffer::begin(const packet& p, time_point arrival) noexcept {
  if (began_)
    ++counts_.restarts;
  slots_ = {};
  estimate_ = {};
  // Room for packets that the first one overtook.
  highest_ = {int64_t{1} << 16 | p.sequence, p.timestamp};
  next_sequence_ = highest_.sequence;
  next_timestamp_ = highest_.timestamp;
  origin_ = arrival;
  last_arrival_ = arrival;
  ssrc_ = p.ssrc;
  starved_ = 0;
  state_ = state::waiting;
  began_ = true;
  nothing_played_ = true;
  has_stray_ = false;
  restart_delay_ = false;
  talk_ended_ = false;
}

std::optional<jitter_buffer::place> jitter_buffer::place_of(const packet& p,
                                                            time_point arrival) noexcept {
  const auto ahead = static_cast<int16_t>(
    static_cast<uint16_t>(p.sequence - static_cast<uint16_t>(highest_.sequence)));
  const auto units = static_cast<int32_t>(p.timestamp - static_cast<uint32_t>(highest_.timestamp));
  if (ahead > max_dropout || ahead < -max_misorder)
    return std::nullopt;
  const auto drift = to_duration(units, options_.clock_rate) - (arrival - last_arrival_);
  if (drift > max_drift || drift < -max_drift)
    return std::nullopt;
  return place{highest_.sequence + ahead, highest_.timestamp + units};
}

// What is too far behind a packet to be kept with it is given up; playing begins anew with the
// rest.
void jitter_buffer::make_room(int64_t sequence) noexcept {
  const auto first = sequence - static_cast<int64_t>(capacity) + 1;
  if (next_sequence_ >= first)
    return;
  counts_.missing += static_cast<uint64_t>(first - next_sequence_);
  for (auto& s : slots_) {
    if (s.full && s.sequence < first) {
      s.full = false;
      ++counts_.dropped;
      --counts_.missing;
    }
  }
  next_sequence_ = first;
  state_ = state::waiting;
}

void jitter_buffer::note_step(const place& at) noexcept {
  const auto units = at.timestamp - highest_.timestamp;
  if (at.sequence == highest_.sequence + 1 && units > 0 &&
      to_duration(units, options_.clock_rate) <= std::chrono::milliseconds{120})
    step_ = static_cast<uint32_t>(units);
}

std::span<const std::byte> jitter_buffer::payload_of(const slot& s) const noexcept {
  return std::span{bytes_}.subspan(index_of(s.sequence) * most_bytes, s.size);
}

duration jitter_buffer::transit(int64_t timestamp, time_point t) const noexcept {
  return (t - origin_) - to_duration(timestamp, options_.clock_rate);
}

duration jitter_buffer::target() const noexcept {
  return std::clamp<duration>(estimate_.needed(), options_.least_delay,
                              std::max(options_.least_delay, options_.most_delay));
}

duration jitter_buffer::delay(time_point now) const noexcept {
  return began_ ? transit(next_timestamp_, now) - estimate_.earliest() : duration::zero();
}

jitter_buffer::slot* jitter_buffer::head() noexcept {
  for (auto i = next_sequence_; i < next_sequence_ + static_cast<int64_t>(capacity); ++i) {
    auto& s = slots_[index_of(i)];
    if (s.full && s.sequence == i)
      return &s;
  }
  return nullptr;
}

playout jitter_buffer::pull(time_point now, bool quiet) noexcept {
  auto* first = head();
  if (state_ == state::playing && first != nullptr && first->sequence == next_sequence_ &&
      first->timestamp - next_timestamp_ >= int64_t{step_})
    state_ = state::silent; // numbers go on and time has passed: the sender paused
  if (state_ != state::playing) {
    // Whoever begins to talk is given the whole delay again, whatever it was before.
    if (first == nullptr || transit(first->timestamp, now) - estimate_.earliest() < target())
      return state_ == state::silent ? pause() : playout{};
    counts_.missing += static_cast<uint64_t>(first->sequence - next_sequence_);
    state_ = state::playing;
    next_sequence_ = first->sequence;
    next_timestamp_ = first->timestamp;
  }
  if (first == nullptr)
    return starve(now);
  shorten(first, now, quiet);
  const auto out = first->sequence == next_sequence_ ? play(*first) : skip(*first, now);
  starved_ = 0;
  return out;
}

playout jitter_buffer::play(slot& s) noexcept {
  s.full = false;
  nothing_played_ = false;
  talk_ended_ = s.ends_talk;
  next_sequence_ = s.sequence + 1;
  next_timestamp_ = s.timestamp + step_;
  ++since_drop_;
  ++counts_.played;
  return {playout::kind::packet, payload_of(s), step_, s.ends_talk};
}

// The packet to be played is not there, but one after it.
playout jitter_buffer::skip(slot& next, time_point now) noexcept {
  const auto gap = next.sequence - next_sequence_;
  if (next.timestamp <= next_timestamp_ ||
      delay(now) > target() + to_duration(step_, options_.clock_rate)) {
    // Its time was concealed already, or the delay is too long and a gap the place to catch up.
    counts_.missing += static_cast<uint64_t>(gap);
    next_sequence_ = next.sequence;
    next_timestamp_ = next.timestamp;
    return play(next);
  }
  ++counts_.missing;
  ++next_sequence_;
  next_timestamp_ += step_;
  if (gap > 1)
    return {playout::kind::conceal, {}, step_};
  ++counts_.recoverable;
  return {playout::kind::fec, payload_of(next), step_};
}

playout jitter_buffer::starve(time_point now) noexcept {
  if (talk_ended_) {
    state_ = state::silent;
    return pause();
  }
  ++starved_;
  if (to_duration(int64_t{starved_} * step_, options_.clock_rate) > longest_starving) {
    state_ = state::waiting;
    restart_delay_ = true;
    starved_ = 0;
    return {};
  }
  if (delay(now) < target()) {
    ++counts_.stretched; // the packet may still come, and is in time then
  } else {
    next_timestamp_ += step_; // whether a packet is missing is seen with the next one
  }
  return {playout::kind::conceal, {}, step_};
}

playout jitter_buffer::pause() noexcept {
  next_timestamp_ += step_;
  return {playout::kind::silence, {}, step_};
}

// Leaves out packets while the delay is too long. Far too long, it is brought back at once.
void jitter_buffer::shorten(slot*& first, time_point now, bool quiet) noexcept {
  const auto packet_time = to_duration(step_, options_.clock_rate);
  for (;;) {
    const auto over = transit(first->timestamp, now) - estimate_.earliest() - target();
    const bool far = over > options_.most_delay;
    if (over <= packet_time || !(far || quiet || since_drop_ >= packets_between_drops))
      return;
    const auto& next = slots_[index_of(first->sequence + 1)];
    if (first->sequence != next_sequence_ || !next.full || next.sequence != first->sequence + 1)
      return;
    first->full = false;
    next_sequence_ = next.sequence;
    next_timestamp_ = next.timestamp;
    ++counts_.dropped;
    since_drop_ = 0;
    first = &slots_[index_of(next_sequence_)];
    if (!far)
      return;
  }
}

} // namespace jackfield::rtp

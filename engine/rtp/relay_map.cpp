#include "engine/rtp/relay_map.hpp"

#include <algorithm>
#include <cstdlib>

namespace jackfield::rtp {
namespace {

// RFC 3550 A.1, as `receiver_statistics` has them: beyond these a source has begun anew.
constexpr unsigned max_dropout = 3000;
constexpr unsigned max_misorder = 100;

// A timestamp further from its time than this is of another base, not late. Where a talkspurt
// begins less will do: listeners set their delay anew there, and senders that were on hold often
// have not counted the time. Elsewhere a network that stood still for some seconds must not move
// what it held back.
constexpr int64_t jump_seconds = 10;
constexpr int64_t jump_seconds_at_marker = 1;

// RFC 4733 §2.5.1.3: the next segment of a long event begins this much later, and is not marked.
constexpr uint32_t longest_segment = 0xffff;

bool is_before(uint32_t a, uint32_t b) noexcept {
  return static_cast<int32_t>(a - b) < 0;
}

} // namespace

void relay_map::begin(uint32_t timestamp, time_point at, uint32_t clock_rate,
                      uint32_t samples) noexcept {
  anchor_ = floor_ = timestamp;
  anchor_at_ = at;
  clock_rate_ = clock_rate;
  samples_ = samples;
  has_source_ = false;
}

std::optional<relay_map::place> relay_map::map(const header& in, content what, time_point arrived,
                                               uint16_t next_sequence) noexcept {
  const unsigned ahead = static_cast<uint16_t>(in.sequence - highest_);
  const unsigned behind = static_cast<uint16_t>(-ahead);
  if (!has_source_ || in.ssrc != ssrc_ || (ahead >= max_dropout && behind > max_misorder)) {
    has_source_ = true;
    has_event_ = false;
    ssrc_ = in.ssrc;
    highest_ = in.sequence;
    reach_ = 0;
    sequence_offset_ = static_cast<uint16_t>(next_sequence - in.sequence);
    fix(in.timestamp, arrived);
  } else if (ahead == 0 || ahead >= max_dropout) {
    if (behind == 0 || behind > reach_)
      return std::nullopt;
    return place{static_cast<uint16_t>(in.sequence + sequence_offset_),
                 in.timestamp + timestamp_offset_, what == content::audio && in.marker};
  } else {
    highest_ = in.sequence;
    reach_ = static_cast<uint16_t>(std::min(reach_ + ahead, max_misorder));
    if (what == content::audio && jumps(in, arrived)) {
      reach_ = 0;
      fix(in.timestamp, arrived);
    }
  }
  place out{static_cast<uint16_t>(in.sequence + sequence_offset_), in.timestamp + timestamp_offset_,
            in.marker};
  if (what == content::event) {
    // The first packet that is sent is marked, whether or not it is the one that its source marked.
    const bool same = has_event_ && in.timestamp == event_;
    const bool next_segment = has_event_ && !in.marker && in.timestamp == event_ + longest_segment;
    out.marker = !same && !next_segment;
    has_event_ = true;
    event_ = in.timestamp;
    return out;
  }
  out.marker = in.marker || mark_next_;
  mark_next_ = false;
  anchor_ = out.timestamp;
  anchor_at_ = arrived;
  floor_ = out.timestamp + samples_;
  return out;
}

void relay_map::skip(const header& in, bool mark) noexcept {
  mark_next_ = mark_next_ || mark;
  const unsigned ahead = static_cast<uint16_t>(in.sequence - highest_);
  if (!has_source_ || in.ssrc != ssrc_ || ahead == 0 || ahead >= max_dropout)
    return; // a new source's numbers have no place yet, and one that was overtaken stays a gap
  highest_ = in.sequence;
  reach_ = 0;
  --sequence_offset_;
}

void relay_map::inserted() noexcept {
  reach_ = 0;
  ++sequence_offset_;
}

uint32_t relay_map::timestamp_at(time_point t) const noexcept {
  return anchor_ + static_cast<uint32_t>(to_units(t - anchor_at_, clock_rate_));
}

uint32_t relay_map::free_timestamp_at(time_point t) const noexcept {
  const auto now = timestamp_at(t);
  return is_before(now, floor_) ? floor_ : now;
}

void relay_map::fix(uint32_t timestamp, time_point arrived) noexcept {
  timestamp_offset_ = free_timestamp_at(arrived) - timestamp;
  mark_next_ = true;
}

bool relay_map::jumps(const header& in, time_point arrived) const noexcept {
  const auto off = static_cast<int32_t>(in.timestamp + timestamp_offset_ - timestamp_at(arrived));
  return std::abs(int64_t{off}) >
         (in.marker ? jump_seconds_at_marker : jump_seconds) * int64_t{clock_rate_};
}

} // namespace jackfield::rtp

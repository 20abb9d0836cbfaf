#include "engine/rtp/receiver_statistics.hpp"

#include <algorithm>
#include <cstdlib>

#include "engine/rtp/rtcp.hpp"

namespace jackfield::rtp {
namespace {

// RFC 3550 A.1.
constexpr unsigned max_dropout = 3000;
constexpr unsigned max_misorder = 100;

constexpr unsigned window = 64;
constexpr uint64_t first_cycle = uint64_t{1} << 32;

// Packets after which the least transit of the turn before last is forgotten: clocks that drift
// apart and routes that change must not make all that follows late.
constexpr uint32_t turn_length = 256;

// How long a candidate is kept against other sources: the longest packet time, and some jitter.
constexpr duration candidate_patience = std::chrono::milliseconds{200};

// A timestamp that departs from arrival time by more seconds than this is a jump, not jitter.
constexpr int64_t jump_seconds = 10;

duration to_duration(double units, uint32_t rate) noexcept {
  return duration{static_cast<int64_t>(units * 1e9 / rate)};
}

int32_t difference(uint32_t a, uint32_t b) noexcept {
  return static_cast<int32_t>(a - b);
}

} // namespace

std::optional<double> reception_summary::effective_loss() const noexcept {
  if (expected == 0)
    return std::nullopt;
  return std::min(1.0, static_cast<double>(lost + discarded) / static_cast<double>(expected));
}

receiver_statistics::receiver_statistics(const receiver_options& options) noexcept
    : clock_rate_(std::clamp(options.clock_rate, 1u, 192'000u)),
      depth_(
        static_cast<uint32_t>(to_units(std::clamp<duration>(options.jitter_buffer, duration::zero(),
                                                            std::chrono::seconds{jump_seconds}),
                                       clock_rate_))) {}

bool receiver_statistics::on_packet(const packet& p, time_point arrival, bool paced) noexcept {
  ++packets_;
  octets_ += p.payload.size();
  arrival = std::max(arrival, last_);
  if (!accepted_ || p.ssrc != ssrc_)
    return probation(p, arrival, paced);
  const unsigned ahead = static_cast<uint16_t>(p.sequence - static_cast<uint16_t>(highest_));
  if (ahead != 0 && ahead < max_dropout) {
    advance(ahead);
    ++unique_;
    note_arrival(arrival);
    if (paced && !in_time(p.timestamp, arrival, p.marker)) {
      unheard_ |= 1;
      ++discarded_;
    }
    return true;
  }
  const unsigned behind = static_cast<uint16_t>(-ahead);
  if (behind < window)
    return fill(behind, p, arrival, paced);
  if (behind <= max_misorder) {
    ++late_;
    note_arrival(arrival);
    return false;
  }
  return probation(p, arrival, paced);
}

// A packet that may be the first of another source, or of this source begun anew.
bool receiver_statistics::probation(const packet& p, time_point arrival, bool paced) noexcept {
  ++rejected_;
  // Two sources that both begin now must not keep each other out for ever.
  if (candidate_.valid && candidate_.ssrc != p.ssrc &&
      arrival - candidate_.arrival < candidate_patience)
    return false;
  // Not only the very next number: the source is no less real for a loss at its beginning, or for a
  // first packet that was overtaken.
  const unsigned ahead = static_cast<uint16_t>(p.sequence - candidate_.sequence);
  const unsigned behind = static_cast<uint16_t>(-ahead);
  const candidate next{arrival, p.ssrc, p.timestamp, p.sequence, true, paced};
  if (!candidate_.valid || candidate_.ssrc != p.ssrc || ahead == 0 ||
      std::min(ahead, behind) >= window) {
    candidate_ = next;
    return false;
  }
  rejected_ -= 2;
  begin_segment(candidate_);
  if (behind < window)
    return fill(behind, p, arrival, paced);
  advance(ahead);
  ++unique_;
  note_arrival(arrival);
  if (paced)
    static_cast<void>(in_time(p.timestamp, arrival, p.marker));
  return true;
}

void receiver_statistics::begin_segment(const candidate& first) noexcept {
  if (accepted_) {
    if (first.ssrc == ssrc_)
      ++restarts_;
    else
      ++ssrc_changes_;
    expected_before_ = expected();
    end_segment();
  } else {
    first_ = first.arrival;
    last_ = first.arrival;
  }
  accepted_ = true;
  has_transit_ = false;
  ssrc_ = first.ssrc;
  base_ = highest_ = first_cycle + first.sequence;
  came_ = 1;
  unheard_ = 0;
  repeated_ = 0;
  unique_before_ = unique_++;
  expected_prior_ = 0;
  unique_prior_ = 0;
  epoch_ = first.arrival;
  jitter_ = 0;
  note_arrival(first.arrival);
  if (first.paced)
    static_cast<void>(in_time(first.timestamp, first.arrival, false));
}

// Tells the clusters of what is still in the window.
void receiver_statistics::end_segment(uint64_t unheard_after) noexcept {
  for (unsigned i = window; i-- > 0;) {
    if ((unheard_ >> i) & 1)
      clusters_.lost(1);
    else
      clusters_.heard();
  }
  if (unheard_after > 0)
    clusters_.lost(unheard_after);
  clusters_.close();
}

// Moves the window `delta` packets on; all but the last of them are missing so far.
void receiver_statistics::advance(unsigned delta) noexcept {
  highest_ += delta;
  if (delta == 1) [[likely]] {
    const bool leaves_unheard = (unheard_ >> (window - 1)) != 0;
    came_ = came_ << 1 | 1;
    unheard_ <<= 1;
    repeated_ <<= 1;
    if (leaves_unheard)
      clusters_.lost(1);
    else
      clusters_.heard();
    return;
  }
  for (unsigned i = window; i-- > window - std::min(delta, window);) {
    if ((unheard_ >> i) & 1)
      clusters_.lost(1);
    else
      clusters_.heard();
  }
  if (delta >= window) {
    clusters_.lost(delta - window);
    came_ = 1;
    unheard_ = ~uint64_t{1};
    repeated_ = 0;
    return;
  }
  came_ = came_ << delta | 1;
  repeated_ <<= delta;
  unheard_ = unheard_ << delta | ((uint64_t{1} << delta) - 2);
}

// A packet whose place is in the window.
bool receiver_statistics::fill(unsigned behind, const packet& p, time_point arrival,
                               bool paced) noexcept {
  note_arrival(arrival);
  const auto bit = uint64_t{1} << behind;
  if ((came_ & bit) != 0) {
    ++duplicates_;
    return false;
  }
  const auto number = highest_ - behind;
  if (number < base_) {
    // From before the first: what lies between is expected now. Bits above `behind` stay clear.
    const auto known = static_cast<unsigned>(highest_ - base_);
    unheard_ |= (bit - 1) & ~((uint64_t{2} << known) - 1);
    base_ = number;
  }
  came_ |= bit;
  unheard_ &= ~bit;
  if ((repeated_ & bit) != 0) {
    repeated_ &= ~bit;
    --recovered_;
  }
  ++unique_;
  ++reordered_;
  if (paced && !in_time(p.timestamp, arrival, false)) {
    unheard_ |= bit;
    ++discarded_;
  }
  return true;
}

// Takes the packet into jitter and least transit; false if it is too late for the jitter buffer.
bool receiver_statistics::in_time(uint32_t timestamp, time_point arrival, bool marker) noexcept {
  const auto transit = static_cast<uint32_t>(to_units(arrival - epoch_, clock_rate_)) - timestamp;
  const auto anchor = [&] { least_transit_ = least_transit_before_ = transit; };
  if (!has_transit_) {
    has_transit_ = true;
    transit_ = transit;
    turn_ = 0;
    anchor();
    return true;
  }
  const auto change = std::abs(int64_t{difference(transit, transit_)});
  transit_ = transit;
  if (change > jump_seconds * clock_rate_) {
    ++timestamp_jumps_;
    anchor();
    return true;
  }
  jitter_ += static_cast<uint32_t>(change) - ((jitter_ + 8) >> 4);
  jitter_max_ = std::max(jitter_max_, jitter_);
  jitter_sum_ += static_cast<uint64_t>(change);
  ++jitter_count_;
  if (++turn_ == turn_length) {
    turn_ = 0;
    least_transit_before_ = least_transit_;
    least_transit_ = transit;
  }
  if (difference(transit, least_transit_) < 0)
    least_transit_ = transit;
  if (lateness() <= int64_t{depth_})
    return true;
  // Jitter buffers set their delay anew when a talkspurt starts.
  if (marker) {
    anchor();
    return true;
  }
  return false;
}

// How much longer the last packet was on its way than the fastest of late, timestamp units.
int64_t receiver_statistics::lateness() const noexcept {
  return std::max(difference(transit_, least_transit_),
                  difference(transit_, least_transit_before_));
}

void receiver_statistics::on_repetition(uint16_t sequence, uint32_t units) noexcept {
  // What is repeated is to be played before the packet that repeats it.
  if (!follows_a_loss(sequence) || lateness() + units > depth_)
    return;
  const unsigned behind = static_cast<uint16_t>(static_cast<uint16_t>(highest_) - sequence) + 1U;
  const auto bit = uint64_t{1} << behind;
  recovered_ += (repeated_ & bit) == 0 ? 1 : 0;
  repeated_ |= bit;
}

void receiver_statistics::note_arrival(time_point arrival) noexcept {
  gap_max_ = std::max(gap_max_, arrival - last_);
  last_ = arrival;
  candidate_.valid = false;
}

void receiver_statistics::set_clock_rate(uint32_t clock_rate) noexcept {
  clock_rate = std::clamp(clock_rate, 1u, 192'000u);
  if (clock_rate == clock_rate_)
    return;
  const auto scaled = [&](auto units) {
    return static_cast<decltype(units)>(static_cast<double>(units) * clock_rate / clock_rate_);
  };
  depth_ = scaled(depth_);
  jitter_ = scaled(jitter_);
  jitter_max_ = scaled(jitter_max_);
  jitter_sum_ = scaled(jitter_sum_);
  clock_rate_ = clock_rate;
  has_transit_ = false;
}

reception_summary receiver_statistics::summary(uint64_t unheard_after) const noexcept {
  if (!accepted_)
    unheard_after = 0;
  reception_summary out;
  out.packets = packets_;
  out.octets = octets_;
  out.expected = expected() + unheard_after;
  out.lost = lost() + unheard_after;
  out.duplicates = duplicates_;
  out.reordered = reordered_;
  out.late = late_;
  out.rejected = rejected_;
  out.discarded = discarded_;
  out.recovered = recovered_;
  out.restarts = restarts_;
  out.ssrc_changes = ssrc_changes_;
  out.timestamp_jumps = timestamp_jumps_;
  out.jitter_units = jitter_ >> 4;
  out.jitter = to_duration(jitter_ / 16.0, clock_rate_);
  out.jitter_max = to_duration(jitter_max_ / 16.0, clock_rate_);
  if (jitter_count_ != 0)
    out.jitter_mean = to_duration(
      static_cast<double>(jitter_sum_) / static_cast<double>(jitter_count_), clock_rate_);
  out.gap_max = gap_max_;
  if (accepted_) {
    out.first_packet = first_;
    out.last_packet = last_;
  }
  auto ended = *this;
  ended.end_segment(unheard_after);
  out.losses = ended.clusters_.pattern(out.expected);
  return out;
}

bool receiver_statistics::next_report(report_block& out) noexcept {
  if (!accepted_)
    return false;
  const auto expected_here = highest_ - base_ + 1;
  const auto unique_here = unique_ - unique_before_;
  const auto expected_interval = expected_here - expected_prior_;
  const auto unique_interval = unique_here - unique_prior_;
  expected_prior_ = expected_here;
  unique_prior_ = unique_here;
  out.ssrc = ssrc_;
  // What came in this interval for places of the one before can outweigh this one's losses.
  out.fraction_lost = 0;
  if (expected_interval > unique_interval)
    out.fraction_lost = static_cast<uint8_t>(
      std::min<uint64_t>(((expected_interval - unique_interval) << 8) / expected_interval, 255));
  out.cumulative_lost =
    static_cast<int32_t>(std::min<uint64_t>(expected_here - unique_here, 0x7fffff));
  out.highest_sequence = static_cast<uint32_t>(highest_);
  out.jitter = jitter_ >> 4;
  return true;
}

std::optional<uint32_t> receiver_statistics::ssrc() const noexcept {
  return accepted_ ? std::optional{ssrc_} : std::nullopt;
}

std::optional<time_point> receiver_statistics::last_packet() const noexcept {
  return accepted_ ? std::optional{last_} : std::nullopt;
}

bool receiver_statistics::one_way(time_point sending_since, time_point now,
                                  duration bound) const noexcept {
  return now - sending_since >= bound && (!accepted_ || now - last_ >= bound);
}

} // namespace jackfield::rtp

#include "engine/rtp/telephone_event.hpp"

#include <algorithm>
#include <string>

#include "engine/bytes/big_endian.hpp"

namespace jackfield::rtp {

using namespace bytes;
namespace {

constexpr std::string_view digits = "0123456789*#ABCD";
constexpr uint32_t longest_segment = 0xffff;
constexpr uint32_t end_packets = 3;
constexpr std::chrono::milliseconds longest_event = std::chrono::minutes{10};

// A timestamp this many seconds or less before the last event's belongs to an earlier one that
// came late; one further away means that the sender has begun anew.
constexpr int64_t stale_seconds = 10;

} // namespace

std::optional<telephone_event> parse_telephone_event(std::span<const std::byte> payload) noexcept {
  if (payload.size() < telephone_event::size)
    return std::nullopt;
  const auto flags = load8(payload.data() + 1);
  telephone_event out;
  out.event = load8(payload.data());
  out.end = (flags & 0x80) != 0;
  out.volume = flags & 0x3f;
  out.duration = load16(payload.data() + 2);
  return out;
}

std::array<std::byte, telephone_event::size> encode(const telephone_event& event) noexcept {
  std::array<std::byte, telephone_event::size> out{};
  store8(out.data(), event.event);
  store8(out.data() + 1, static_cast<uint8_t>((event.end ? 0x80 : 0) | (event.volume & 0x3f)));
  store16(out.data() + 2, event.duration);
  return out;
}

std::optional<uint8_t> event_of_digit(char digit) noexcept {
  if (digit >= 'a' && digit <= 'd')
    digit = static_cast<char>(digit - 'a' + 'A');
  const auto at = digits.find(digit);
  if (at == std::string_view::npos)
    return std::nullopt;
  return static_cast<uint8_t>(at);
}

std::optional<char> digit_of_event(uint8_t event) noexcept {
  if (event >= digits.size())
    return std::nullopt;
  return digits[event];
}

// -- sender ----------------------------------------------------------------------

telephone_event_sender::telephone_event_sender(const telephone_event_options& options) noexcept
    : tone_(std::clamp(options.tone, std::chrono::milliseconds{1}, longest_event)),
      pause_(std::clamp(options.pause, std::chrono::milliseconds{0}, longest_event)),
      volume_(std::min<uint8_t>(options.volume, 63)) {
  set_pace(options.clock_rate, options.packet_time);
}

void telephone_event_sender::set_pace(uint32_t clock_rate,
                                      std::chrono::milliseconds packet_time) noexcept {
  using std::chrono::milliseconds;
  clock_rate_ = std::clamp(clock_rate, 1000u, 192'000u);
  packet_time = std::clamp(packet_time, milliseconds{1}, milliseconds{120});
  packet_units_ = units(packet_time);
  pause_packets_ = static_cast<uint32_t>((pause_ + packet_time - milliseconds{1}) / packet_time);
}

result<void> telephone_event_sender::dial(std::string_view text) {
  for (const auto c : text) {
    if (!event_of_digit(c))
      return fail("digits \"" + std::string(text) + "\"",
                  "'" + std::string(1, c) + "' is no digit, expected 0-9, *, # or A-D");
  }
  if (text.size() > max_queued - queued())
    return fail("digits", "more than " + std::to_string(max_queued) + " waiting to be sent");
  for (const auto c : text)
    enqueue({static_cast<uint32_t>(tone_.count()), *event_of_digit(c)});
  return {};
}

result<void> telephone_event_sender::dial_event(uint8_t event, std::chrono::milliseconds length) {
  if (length < std::chrono::milliseconds{1} || length > longest_event)
    return fail("event length", "expected 1 ms to 10 minutes");
  if (queued() == max_queued)
    return fail("events", "more than " + std::to_string(max_queued) + " waiting to be sent");
  enqueue({static_cast<uint32_t>(length.count()), event});
  return {};
}

void telephone_event_sender::enqueue(pending p) {
  if (queued() == 0) {
    queue_.clear();
    next_ = 0;
  } else if (next_ >= max_queued) {
    queue_.erase(queue_.begin(), queue_.begin() + static_cast<ptrdiff_t>(next_));
    next_ = 0;
  }
  queue_.push_back(p);
}

std::optional<telephone_event_sender::outgoing>
telephone_event_sender::next(uint32_t media_timestamp) {
  if (phase_ == phase::pausing) {
    if (left_ != 0) {
      --left_;
      return std::nullopt;
    }
    phase_ = phase::idle;
  }
  if (phase_ == phase::idle) {
    if (queued() == 0)
      return std::nullopt;
    const auto begins = queue_[next_++];
    event_ = begins.event;
    length_ = units(std::chrono::milliseconds{begins.length_ms});
    timestamp_ = media_timestamp;
    elapsed_ = 0;
    segment_ = 0;
    first_ = true;
    phase_ = phase::tone;
  }
  if (phase_ == phase::tone)
    return continue_tone();
  // The end again, as it was.
  auto out = packet(static_cast<uint16_t>(elapsed_ - segment_), true);
  if (--left_ == 0) {
    phase_ = phase::pausing;
    // The pause began when the event ended, at the first end packet.
    left_ = pause_packets_ > end_packets - 1 ? pause_packets_ - (end_packets - 1) : 0;
    ++sent_;
  }
  return out;
}

telephone_event_sender::outgoing telephone_event_sender::continue_tone() noexcept {
  elapsed_ = std::min(elapsed_ + packet_units_, length_);
  const auto in_segment = elapsed_ - segment_;
  if (in_segment > longest_segment) {
    // The segment is full: say so, and go on in the next from the next packet.
    auto out = packet(longest_segment, false);
    segment_ += longest_segment;
    timestamp_ += longest_segment;
    return out;
  }
  const bool end = elapsed_ == length_;
  if (end) {
    phase_ = phase::ending;
    left_ = end_packets - 1;
  }
  return packet(static_cast<uint16_t>(in_segment), end);
}

telephone_event_sender::outgoing telephone_event_sender::packet(uint16_t length,
                                                                bool end) noexcept {
  outgoing out{encode({event_, end, volume_, length}), timestamp_, first_};
  first_ = false;
  return out;
}

uint32_t telephone_event_sender::units(std::chrono::milliseconds t) const noexcept {
  return static_cast<uint32_t>(static_cast<uint64_t>(t.count()) * clock_rate_ / 1000);
}

// -- receiver --------------------------------------------------------------------

telephone_event_receiver::telephone_event_receiver(uint32_t clock_rate) noexcept
    : clock_rate_(std::clamp(clock_rate, 1u, 192'000u)) {}

void telephone_event_receiver::set_clock_rate(uint32_t clock_rate) noexcept {
  clock_rate_ = std::clamp(clock_rate, 1u, 192'000u);
}

telephone_event_change telephone_event_receiver::on_packet(uint32_t timestamp,
                                                           std::span<const std::byte> payload,
                                                           time_point arrival) noexcept {
  telephone_event_change out;
  const auto event = parse_telephone_event(payload);
  if (!event) {
    ++malformed_;
    return out;
  }
  const bool same = seen_any_ && event->event == event_ && timestamp == timestamp_;
  const bool continues =
    seen_any_ && !end_seen_ && event->event == event_ && timestamp == timestamp_ + longest_segment;
  if (continues) {
    before_ += longest_segment;
    duration_ = 0;
    timestamp_ = timestamp;
  } else if (!same) {
    const auto ahead = int64_t{static_cast<int32_t>(timestamp - timestamp_)};
    if (seen_any_ && ahead < 0 && ahead >= -stale_seconds * clock_rate_)
      return out;
    if (active_)
      out.interrupted = finish();
    seen_any_ = true;
    active_ = true;
    end_seen_ = false;
    event_ = event->event;
    timestamp_ = timestamp;
    before_ = 0;
    duration_ = 0;
    out.started = event_;
  }
  if (!active_)
    return out;
  last_arrival_ = arrival;
  duration_ = std::max<uint32_t>(duration_, event->duration);
  if (event->end) {
    end_seen_ = true;
    out.ended = finish();
  }
  return out;
}

telephone_event_change telephone_event_receiver::on_time(time_point now,
                                                         duration patience) noexcept {
  telephone_event_change out;
  if (active_ && now - last_arrival_ >= patience)
    out.interrupted = finish();
  return out;
}

telephone_event_change::ended_event telephone_event_receiver::finish() noexcept {
  active_ = false;
  return {event_, before_ + duration_};
}

} // namespace jackfield::rtp

#include "engine/rtp/stream.hpp"

#include <algorithm>
#include <array>

#include "engine/rtp/mos.hpp"
#include "engine/rtp/relay_map.hpp"
#include "engine/rtp/telephone_event.hpp"

namespace jackfield::rtp {
namespace {

// Beyond this whoever calls us was stalled or suspended: the stream goes on from now instead of
// sending all that it missed at once.
constexpr duration resync_after = std::chrono::seconds{1};

constexpr size_t most_digits_kept = 256;

// What a listener is assumed to have: what `receiver_statistics` counts discards by.
constexpr std::chrono::milliseconds jitter_buffer{60};

// Room for what a datagram carries; left uninitialised, as it is filled for each packet.
using packet_buffer = std::array<std::byte, 2048>;

} // namespace

struct stream::digits {
  digits(uint32_t clock_rate, std::chrono::milliseconds packet_time)
      : out(telephone_event_options{.clock_rate = clock_rate, .packet_time = packet_time}),
        in(clock_rate) {}

  telephone_event_sender out;
  telephone_event_receiver in;
  std::string heard;
};

stream::stream(const stream_identity& who, stream_mode mode) noexcept
    : mode_(mode), sender_({who.ssrc, who.first_sequence, who.first_timestamp, 0}),
      random_((who.ssrc ^ who.first_timestamp) | 1U), rtcp_(who.ssrc, who.cname, who.clock) {}

stream::~stream() = default;

void stream::connect(const stream_setup& how, time_point now) {
  if (connected_ && !is_paced())
    step_to(now);
  const auto packet_time =
    std::clamp(how.packet_time, std::chrono::milliseconds{1}, std::chrono::milliseconds{120});
  const auto clock_rate = std::clamp(how.clock_rate, 1000U, 192'000U);
  const auto samples = static_cast<uint16_t>(to_units(packet_time, clock_rate));
  // A re-offer that changes neither must not be heard in what is relayed.
  const bool fixes_anew = !map_ || clock_rate != clock_rate_ || samples != samples_;
  if (forwards() && fixes_anew)
    end_forwarding();
  packet_time_ms_ = static_cast<uint8_t>(packet_time.count());
  clock_rate_ = clock_rate;
  judged_as_ = how.judged_as;
  repeats_ = how.repeats;
  samples_ = samples;
  send_ = how.send;
  receive_ = how.receive;
  send_event_type_ = how.send_event_type.value_or(payload_format::no_type);
  receive_event_type_ = how.receive_event_type.value_or(payload_format::no_type);
  sends_ = how.sends && !send_.empty() && !stopped_;
  sender_.set_payload_type(send_.front().payload_type);
  statistics_.set_clock_rate(clock_rate_);
  if (digits_) {
    digits_->out.set_pace(clock_rate_, packet_time);
    digits_->in.set_clock_rate(clock_rate_);
  }
  if (!connected_) {
    connected_ = true;
    next_frame_ = now + how.phase;
    next_report_ = now + report_interval(true, random_unit());
  }
  if (forwards() && fixes_anew)
    begin_forwarding();
}

void stream::set_mode(stream_mode mode, time_point now) {
  if (connected_ && !is_paced())
    step_to(now);
  if (connected_ && forwards())
    end_forwarding();
  mode_ = mode;
  if (connected_ && forwards())
    begin_forwarding();
}

// -- what is sent ----------------------------------------------------------------

bool stream::sends_by_pace() const noexcept {
  return sends_ && (mode_ == stream_mode::play || dialing());
}

bool stream::is_paced() const noexcept {
  return sends_by_pace() || (digits_ && digits_->in.active());
}

time_point stream::deadline() const noexcept {
  if (!connected_)
    return time_point::max();
  const auto report = stopped_ ? time_point::max() : next_report_;
  return is_paced() ? std::min(next_frame_, report) : report;
}

// Steps that nothing was sent at: the pace keeps its phase, and media time goes on.
void stream::step_to(time_point t) noexcept {
  if (next_frame_ >= t)
    return;
  const auto steps = (t - next_frame_ + packet_time() - duration{1}) / packet_time();
  next_frame_ += steps * packet_time();
  sender_.pause(static_cast<uint32_t>(steps) * samples_);
}

void stream::tick(time_point now, stream_host& host) {
  if (!connected_)
    return;
  if (now >= next_frame_)
    frame(now, host);
  if (!stopped_ && now >= next_report_) {
    next_report_ = now + report_interval(false, random_unit());
    report(now, false, host);
  }
  if (digits_ && digits_->in.active())
    if (const auto ended = digits_->in.on_time(now).interrupted)
      host.on_event_ended(ended->event, length_of(ended->duration), now);
}

void stream::frame(time_point now, stream_host& host) {
  if (!sends_by_pace()) {
    sends_event_ = false;
    step_to(now + duration{1});
    return;
  }
  const auto due = next_frame_;
  if (now - due > resync_after)
    step_to(now - packet_time() + duration{1});
  const auto timestamp =
    forwards() ? map_->free_timestamp_at(next_frame_) : sender_.next_timestamp();
  next_frame_ += packet_time();
  packet_buffer packet;
  const auto size = write_frame(timestamp, packet, host);
  if (size == 0)
    return;
  sender_.note_sent(due, now, [&](duration late) { host.note_lateness(late); });
  host.send_rtp({packet.data(), size});
}

// The packet of this packet time, which passes whether or not there is one.
size_t stream::write_frame(uint32_t timestamp, std::span<std::byte> out, stream_host& host) {
  sends_event_ = false;
  if (digits_ && send_event_type_ != payload_format::no_type) {
    if (const auto event = digits_->out.next(timestamp)) {
      sends_event_ = true;
      if (forwards())
        map_->inserted();
      else if (mode_ == stream_mode::play)
        (void)host.next_frame(); // its time passes, too
      const auto size =
        sender_.write_event(send_event_type_, event->marker, event->timestamp, event->payload, out);
      sender_.pause(samples_);
      return size;
    }
  }
  size_t size = 0;
  if (mode_ == stream_mode::play)
    if (const auto payload = host.next_frame(); !payload.empty())
      size = sender_.write(payload, samples_, out);
  if (size == 0)
    sender_.pause(samples_);
  return size;
}

void stream::report(time_point now, bool bye, stream_host& host) {
  std::array<std::byte, rtcp_session::max_size> buffer;
  const auto timestamp = timestamp_at(now);
  const auto size = bye ? rtcp_.bye(sender_, statistics_, timestamp, now, buffer)
                        : rtcp_.report(sender_, statistics_, timestamp, now, buffer);
  if (size > 0)
    host.send_rtcp({buffer.data(), size});
}

void stream::stop(time_point now, stream_host& host) {
  if (!connected_ || stopped_)
    return;
  stopped_ = true;
  sends_ = false;
  report(now, true, host);
}

uint32_t stream::timestamp_at(time_point t) const noexcept {
  return forwards() ? map_->timestamp_at(t)
                    : sender_.next_timestamp() +
                        static_cast<uint32_t>(to_units(t - next_frame_, clock_rate_));
}

template <class Queue>
result<void> stream::dial_by(time_point now, Queue&& queue) {
  if (send_event_type_ == payload_format::no_type)
    return fail("digits", "the peer takes no telephone events");
  const bool was_paced = is_paced();
  auto queued = queue(make_digits().out);
  if (queued && !was_paced)
    step_to(now);
  return queued;
}

result<void> stream::dial(std::string_view text, time_point now) {
  return dial_by(now, [&](telephone_event_sender& out) { return out.dial(text); });
}

result<void> stream::dial_event(uint8_t event, std::chrono::milliseconds length, time_point now) {
  return dial_by(now, [&](telephone_event_sender& out) { return out.dial_event(event, length); });
}

bool stream::dialing() const noexcept {
  return digits_ && digits_->out.busy();
}

stream::digits& stream::make_digits() {
  if (!digits_)
    digits_ = std::make_unique<digits>(clock_rate_, std::chrono::milliseconds{packet_time_ms_});
  return *digits_;
}

// -- what is forwarded -----------------------------------------------------------

// While packets are forwarded the map keeps media time, and the sender's lies still.
void stream::begin_forwarding() {
  if (!map_)
    map_ = std::make_unique<relay_map>();
  map_->begin(sender_.next_timestamp(), next_frame_, clock_rate_, samples_);
}

void stream::end_forwarding() noexcept {
  if (map_)
    sender_.move_to(map_->free_timestamp_at(next_frame_));
}

void stream::relay(const heard_packet& heard, stream_host& host) {
  if (connected_ && mode_ == stream_mode::relay)
    forward(heard, host);
}

void stream::forward(const heard_packet& heard, stream_host& host) {
  using content = heard_packet::content;
  const bool echoes = mode_ == stream_mode::echo;
  auto type = payload_format::no_type;
  if (heard.is == content::audio) {
    if (const auto* format = send_.of_codec(heard.codec))
      type = format->payload_type;
  } else if (heard.is == content::event && !echoes) {
    type = send_event_type_; // digits are not echoed, but their time passes here too
  }
  if (!sends_ || sends_event_ || type == payload_format::no_type) {
    map_->skip(heard.what, heard.is != content::other);
    return;
  }
  const auto place = map_->map(
    heard.what, heard.is == content::event ? relay_map::content::event : relay_map::content::audio,
    heard.arrived, sender_.next_sequence());
  if (!place)
    return;
  // An echo's losses are its peer's own: what comes back to it has none of them.
  const auto sequence = echoes ? sender_.next_sequence() : place->sequence;
  packet_buffer packet;
  const auto size =
    sender_.forward(type, place->marker, sequence, place->timestamp, heard.what.payload, packet);
  if (size > 0)
    host.send_rtp({packet.data(), size});
}

// -- what is heard ---------------------------------------------------------------

void stream::on_datagram(std::span<const std::byte> bytes, time_point arrived, stream_host& host) {
  if (!connected_)
    return;
  if (is_rtcp(bytes)) {
    rtcp_.on_datagram(bytes, arrived);
    return;
  }
  const auto packet = parse_packet(bytes);
  if (!packet)
    return;
  if (packet->payload_type == receive_event_type_) {
    on_event(*packet, arrived, host);
    return;
  }
  const auto* format = receive_.of_type(packet->payload_type);
  if (format == nullptr) {
    on_other(*packet, arrived, host);
    return;
  }
  if (!statistics_.on_packet(*packet, arrived))
    return;
  if (repeats_ != nullptr && statistics_.follows_a_loss(packet->sequence))
    if (const auto units = repeats_(packet->payload); units != 0)
      statistics_.on_repetition(packet->sequence, units);
  receiving_ = *format;
  ends_in_other_ = false;
  const heard_packet heard{*packet, heard_packet::content::audio, receiving_.codec, arrived};
  if (mode_ == stream_mode::echo)
    forward(heard, host);
  host.on_heard(heard);
}

void stream::on_event(const packet& p, time_point arrived, stream_host& host) {
  const bool fresh = statistics_.on_packet(p, arrived, false);
  auto& here = make_digits();
  const auto change = here.in.on_packet(p.timestamp, p.payload, arrived);
  if (change.started && here.heard.size() < most_digits_kept)
    if (const auto digit = digit_of_event(*change.started))
      here.heard += *digit;
  const heard_packet heard{p, heard_packet::content::event, 0, arrived};
  if (fresh && mode_ == stream_mode::echo)
    forward(heard, host);
  if (change.interrupted)
    host.on_event_ended(change.interrupted->event, length_of(change.interrupted->duration),
                        arrived);
  if (change.started)
    host.on_event_started(*change.started, arrived);
  if (change.ended)
    host.on_event_ended(change.ended->event, length_of(change.ended->duration), arrived);
  if (fresh)
    host.on_heard(heard);
}

// A payload type that is none of ours has its number all the same, but makes no source ours.
void stream::on_other(const packet& p, time_point arrived, stream_host& host) {
  ++other_types_;
  ends_in_other_ = true;
  if (statistics_.ssrc() != p.ssrc || !statistics_.on_packet(p, arrived, false))
    return;
  const heard_packet heard{p, heard_packet::content::other, 0, arrived};
  if (mode_ == stream_mode::echo)
    forward(heard, host);
  host.on_heard(heard);
}

// -- judgement -------------------------------------------------------------------

stream_outcome stream::outcome(duration unheard_after) const {
  stream_outcome out;
  out.connected = connected_;
  if (!connected_)
    return out;
  const std::chrono::milliseconds packet_time{packet_time_ms_};
  out.packets_sent = sender_.packets();
  out.received = statistics_.summary();
  out.clock_rate = clock_rate_;
  if (receiving_.payload_type != payload_format::no_type)
    out.receiving = receiving_;
  out.other_types = other_types_;
  out.relayed_gaps = sender_.gaps();
  out.remote = rtcp_.remote_report();
  out.round_trip = rtcp_.round_trip();
  const auto unheard = static_cast<uint64_t>(unheard_after / packet_time);
  if (const auto quality = judge(unheard > 0 ? statistics_.summary(unheard) : out.received,
                                 out.round_trip, jitter_buffer, packet_time, *judged_as_))
    out.mos = quality->mos;
  if (out.remote && out.packets_sent > 0) {
    // The peer's report says how much it lost, not in what bursts.
    quality_input in;
    in.loss = std::max(0, out.remote->cumulative_lost) /
              static_cast<double>(out.packets_sent + out.relayed_gaps);
    in.loss = std::min(in.loss, 1.0);
    in.delay = out.round_trip.value_or(duration{}) / 2 + jitter_buffer + packet_time;
    out.remote_mos = mos_of(rating(in, *judged_as_), judged_as_->model);
  }
  if (digits_) {
    out.digits_sent = digits_->out.sent();
    out.digits_received = digits_->heard;
  }
  return out;
}

duration stream::length_of(uint32_t units) const noexcept {
  return std::chrono::nanoseconds{int64_t{units} * 1'000'000'000 / clock_rate_};
}

// For the spread of reports only: Marsaglia's xorshift.
double stream::random_unit() noexcept {
  random_ ^= random_ << 13U;
  random_ ^= random_ >> 17U;
  random_ ^= random_ << 5U;
  return random_ / 4294967296.0;
}

} // namespace jackfield::rtp

#include "actors/media/media_stream.hpp"

#include <array>
#include <cstring>
#include <utility>

#include <caf/behavior.hpp>

#include "engine/audio/g711.hpp"
#include "engine/rtp/mos.hpp"
#include "engine/rtp/packet.hpp"

namespace jackfield {

namespace {

/// Beyond this a lane was stalled or suspended: the stream goes on from now instead of sending all
/// that it missed at once.
constexpr lane::duration resync_after = std::chrono::seconds{1};

std::string_view as_text(const std::byte* data, size_t size) {
  return {reinterpret_cast<const char*>(data), size};
}

} // namespace

struct media_stream::digits {
  explicit digits(std::chrono::milliseconds packet_time)
      : out(rtp::telephone_event_options{.packet_time = packet_time}) {}
  rtp::telephone_event_sender out;
  rtp::telephone_event_receiver in;
  std::string heard;
};

media_stream::media_stream(caf::actor_config& config, lane::lane& home, media_plane& plane,
                           std::shared_ptr<const audio_settings> settings,
                           caf::strong_actor_ptr owner)
    : lane::lane_actor(config, home), plane_(plane), settings_(std::move(settings)),
      owner_(std::move(owner)),
      tick_([](void* self) { static_cast<media_stream*>(self)->on_tick(); }, this) {
  // nop
}

media_stream::~media_stream() = default;

caf::behavior media_stream::make_behavior() {
  open();
  return {
    [this](const media_connect& how) { connect(how); },
    [this](const media_dial& how) { dial(how.digits); },
    [this](const media_stop&) { stop(); },
    [this](const media_close&) { close(); },
  };
}

void media_stream::on_exit() {
  tick_.cancel();
  if (socket_)
    plane_.forget(*socket_);
  rtcp_socket_.reset();
  socket_.reset();
  owner_ = nullptr;
}

void media_stream::open() {
  auto socket = plane_.open_rtp(*this, settings_->mode != audio_mode::echo);
  if (!socket) {
    lane::tell(home(), owner_, media_opened{tl::unexpected{std::move(socket.error())}});
    return;
  }
  socket_ = std::move(*socket);
  // What comes before the peer's description does is taken off the socket all the same.
  next_frame_ = home().now() + plane_.next_phase(std::chrono::milliseconds{ptime_ms_});
  home().arm(tick_, next_frame_);
  lane::tell(home(), owner_, media_opened{socket_->local()});
}

void media_stream::connect(const media_connect& how) {
  if (!socket_)
    return;
  const auto& audio = how.audio;
  const auto codec = audio.audio.encoding == "PCMA" ? audio::codec::pcma : audio::codec::pcmu;
  ptime_ms_ = audio.send_ptime_ms;
  samples_ = static_cast<uint16_t>(audio.audio.clock_rate / 1000 * ptime_ms_);
  receive_type_ = audio.receive_payload_type;
  send_event_type_ = audio.send_event_payload_type;
  receive_event_type_ = audio.receive_event_payload_type;
  sends_ = sdp::sends(audio.way) && settings_->mode != audio_mode::listen;
  const auto remote = lane::endpoint::parse(audio.remote_host, audio.remote_port);
  if (!remote || remote->is_forbidden_destination())
    sends_ = false; // on hold by address, or a name: media addresses are numbers here
  if (sends_ && settings_->mode == audio_mode::play)
    if (auto source =
          settings_->cache->get(settings_->source, codec, std::chrono::milliseconds{ptime_ms_}))
      source_ = std::move(*source);
  if (remote && *remote != remote_) {
    remote_ = *remote;
    // A peer of another address family cannot be reached; its packets cannot come either.
    if (!socket_->connect(remote_))
      sends_ = false;
  }
  if (audio.muxed) {
    remote_rtcp_ = remote_;
    rtcp_socket_.reset();
  } else if (const auto rtcp =
               lane::endpoint::parse(audio.remote_rtcp_host, audio.remote_rtcp_port);
             rtcp && audio.remote_rtcp_port != 0) {
    remote_rtcp_ = *rtcp;
    if (!rtcp_socket_)
      if (auto socket = plane_.open_rtcp(*this, socket_->local()))
        rtcp_socket_ = std::move(*socket);
  }
  if (!sender_) {
    rtp::sender_options options;
    const auto random = home().random();
    options.ssrc = static_cast<uint32_t>(random);
    options.first_sequence = static_cast<uint16_t>(random >> 32U);
    options.first_timestamp = static_cast<uint32_t>(home().random());
    options.payload_type = audio.send_payload_type;
    sender_.emplace(options);
    rtcp_.emplace(options.ssrc, plane_.cname(), plane_.clock());
    next_report_ = home().now() + rtp::report_interval(true, home().random_unit());
    next_frame_ = home().now() + plane_.next_phase(std::chrono::milliseconds{ptime_ms_});
  } else {
    sender_->set_payload_type(audio.send_payload_type);
  }
  connected_ = true;
  home().arm(tick_, next_frame_);
}

void media_stream::dial(const std::string& wanted) {
  if (!connected_ || !send_event_type_)
    return;
  if (!digits_)
    digits_ = std::make_unique<digits>(std::chrono::milliseconds{ptime_ms_});
  // Digits are checked where the user gave them.
  (void)digits_->out.dial(wanted);
}

void media_stream::stop() {
  if (sender_ && connected_ && !stopped_)
    send_rtcp(home().now(), true);
  sends_ = false;
  stopped_ = true; // the ticks go on: what is still on its way is heard
}

void media_stream::close() {
  // A call may leave the latest for the next one: until one brings nothing, or a flood's end is not
  // to be seen.
  constexpr int most_reads = 16;
  auto before = heard_ + 1;
  for (int i = 0; socket_ && i < most_reads && before != heard_; ++i) {
    before = heard_;
    socket_->receive_pending();
  }
  lane::tell(home(), owner_, media_closed{outcome()});
  quit();
}

void media_stream::on_tick() {
  const auto due = next_frame_;
  const auto now = home().exact_now();
  if (sends_) {
    plane_.note_lateness(now - due);
    send_frame(now);
  } else if (connected_ && !stopped_ && settings_->mode == audio_mode::play) {
    sender_->pause(samples_); // on hold, media time goes on
  }
  plane_.read_soon(*socket_);
  if (connected_ && !stopped_ && now >= next_report_) {
    send_rtcp(now, false);
    next_report_ = now + rtp::report_interval(false, home().random_unit());
  }
  next_frame_ = now - due > resync_after ? now : due;
  next_frame_ += std::chrono::milliseconds{ptime_ms_};
  home().arm(tick_, next_frame_);
}

void media_stream::send_frame(lane::time_point now) {
  std::array<std::byte, 2048> packet;
  size_t size = 0;
  if (digits_ && send_event_type_) {
    if (const auto event = digits_->out.next(sender_->next_timestamp())) {
      size = sender_->write_event(*send_event_type_, event->marker, event->timestamp,
                                  event->payload, packet);
      sender_->pause(samples_);
    }
  }
  if (size == 0) {
    if (settings_->mode != audio_mode::play || !source_)
      return;
    size = sender_->write(source_->frame(frame_++), samples_, packet);
  }
  sender_->note_sent(next_frame_, now, [](lane::duration) {});
  plane_.note_sent();
  socket_->send(remote_, as_text(packet.data(), size));
}

void media_stream::send_rtcp(lane::time_point now, bool bye) {
  if (!remote_rtcp_.valid())
    return;
  std::array<std::byte, rtp::rtcp_session::max_size> buffer;
  const auto timestamp = sender_->next_timestamp();
  const auto size = bye ? rtcp_->bye(*sender_, statistics_, timestamp, now, buffer)
                        : rtcp_->report(*sender_, statistics_, timestamp, now, buffer);
  auto& socket = rtcp_socket_ ? *rtcp_socket_ : *socket_;
  if (size > 0 && (rtcp_socket_ || remote_rtcp_ == remote_))
    socket.send(remote_rtcp_, as_text(buffer.data(), size));
}

void media_stream::on_datagram(const lane::endpoint& from, std::span<const std::byte> bytes,
                               lane::time_point arrived) {
  ++heard_;
  // Nothing is learned from strangers: only the address that was signalled is heard.
  if (!connected_ || (from != remote_ && from != remote_rtcp_))
    return;
  if (rtp::is_rtcp(bytes)) {
    rtcp_->on_datagram(bytes, arrived);
    return;
  }
  const auto packet = rtp::parse_packet(bytes);
  if (!packet)
    return;
  if (receive_event_type_ && packet->payload_type == *receive_event_type_) {
    if (!digits_)
      digits_ = std::make_unique<digits>(std::chrono::milliseconds{ptime_ms_});
    statistics_.on_packet(*packet, arrived, false);
    const auto change = digits_->in.on_packet(packet->timestamp, packet->payload, arrived);
    constexpr size_t most_heard = 256;
    if (change.started && digits_->heard.size() < most_heard)
      if (const auto digit = rtp::digit_of_event(*change.started))
        digits_->heard += *digit;
    if (sends_ && settings_->mode == audio_mode::echo)
      sender_->pause(samples_); // digits are not echoed, but their time passes here too
    return;
  }
  if (packet->payload_type != receive_type_)
    return;
  const bool playable = statistics_.on_packet(*packet, arrived);
  if (playable && sends_ && settings_->mode == audio_mode::echo) {
    std::array<std::byte, 2048> out;
    const auto size =
      sender_->write(packet->payload, static_cast<uint32_t>(packet->payload.size()), out);
    if (size == 0)
      return;
    plane_.note_sent();
    socket_->send(remote_, as_text(out.data(), size));
  }
}

media_outcome media_stream::outcome() const {
  media_outcome out;
  out.connected = connected_;
  if (!connected_)
    return out;
  out.packets_sent = sender_->packets();
  out.received = statistics_.summary();
  out.remote = rtcp_->remote_report();
  out.round_trip = rtcp_->round_trip();
  constexpr std::chrono::milliseconds jitter_buffer{60};
  if (const auto quality = rtp::judge(out.received, out.round_trip, jitter_buffer,
                                      std::chrono::milliseconds{ptime_ms_}))
    out.mos = quality->mos;
  if (out.remote && out.packets_sent > 0) {
    // The peer's report says how much it lost, not in what bursts.
    rtp::quality_input in;
    in.loss = std::max(0, out.remote->cumulative_lost) / static_cast<double>(out.packets_sent);
    in.loss = std::min(in.loss, 1.0);
    in.delay = out.round_trip.value_or(lane::duration{}) / 2 + jitter_buffer +
               std::chrono::milliseconds{ptime_ms_};
    out.remote_mos = rtp::mos_of(rtp::rating(in));
  }
  if (digits_) {
    out.digits_sent = digits_->out.sent();
    out.digits_received = digits_->heard;
  }
  return out;
}

} // namespace jackfield

#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <caf/actor_cast.hpp>
#include <caf/behavior.hpp>
#include <gtest/gtest.h>

#include "actors/media/media_stream.hpp"
#include "engine/lane/sim_lane.hpp"
#include "engine/rtp/packet.hpp"

namespace jackfield {

/// A peer's end of a stream: says what a test writes and keeps what comes.
class rtp_peer final : public lane::datagram_handler {
public:
  struct packet : rtp::header {
    lane::time_point at;
    std::vector<std::byte> payload;
    [[nodiscard]] unsigned tag() const { return std::to_integer<unsigned>(payload.front()); }
  };

  rtp_peer(lane::sim_lane& home, std::string_view address, uint32_t ssrc)
      : home_(home), ssrc_(ssrc), sequence_(static_cast<uint16_t>(ssrc)), timestamp_(ssrc * 77),
        socket_(
          home.open_datagram(lane::endpoint::parse(address, 20'000).value(), *this, {}).value()) {}

  [[nodiscard]] const lane::endpoint& address() const { return socket_->local(); }

  /// 20 ms of audio, all of its bytes a tag that counts up, kept in `said`.
  void speak(const lane::endpoint& to, uint8_t type) {
    send(to, type, std::exchange(marks_, false), timestamp_,
         std::vector<std::byte>(160, static_cast<std::byte>(said.size())));
    timestamp_ += 160;
  }
  /// 20 ms of G.711.
  void say(const lane::endpoint& to, uint8_t type, const std::vector<std::byte>& payload) {
    send(to, type, std::exchange(marks_, false), timestamp_, payload);
    timestamp_ += 160;
  }
  /// A packet of an event that began now; `units` long so far (RFC 4733 §2.3).
  void sign(const lane::endpoint& to, uint8_t type, uint8_t event, uint16_t units, bool ends) {
    const std::vector<std::byte> payload{std::byte{event}, std::byte(ends ? 0x8a : 0x0a),
                                         static_cast<std::byte>(units >> 8U),
                                         static_cast<std::byte>(units)};
    send(to, type, units == 160, timestamp_, payload);
  }
  void be_silent(uint32_t units) {
    timestamp_ += units;
    marks_ = true;
  }

  void on_datagram(const lane::endpoint& /*from*/, std::span<const std::byte> bytes,
                   lane::time_point arrived) override {
    if (rtp::is_rtcp(bytes))
      return;
    const auto p = rtp::parse_packet(bytes);
    ASSERT_TRUE(p);
    const rtp::header& header = *p;
    heard.push_back({header, arrived, {p->payload.begin(), p->payload.end()}});
  }

  std::vector<packet> heard;
  std::vector<packet> said;

private:
  void send(const lane::endpoint& to, uint8_t type, bool marker, uint32_t timestamp,
            const std::vector<std::byte>& payload) {
    rtp::header h;
    h.marker = marker;
    h.payload_type = type;
    h.sequence = sequence_++;
    h.timestamp = timestamp;
    h.ssrc = ssrc_;
    std::vector<std::byte> bytes(rtp::header_size + payload.size());
    rtp::write_header(h, std::span{bytes}.first<rtp::header_size>());
    std::copy(payload.begin(), payload.end(), bytes.begin() + rtp::header_size);
    said.push_back({h, home_.now(), payload});
    socket_->send(to, {reinterpret_cast<const char*>(bytes.data()), bytes.size()});
  }

  lane::sim_lane& home_;
  uint32_t ssrc_;
  uint16_t sequence_;
  uint32_t timestamp_;
  bool marks_ = true;
  std::unique_ptr<lane::datagram_socket> socket_;
};

/// A stream of ours with an owner that keeps what it is told.
class stream_end {
public:
  stream_end(lane::lane& home, media_plane& plane, std::unique_ptr<media_path> path = nullptr,
             audio_mode mode = audio_mode::play)
      : home_(home), told_(std::make_shared<told>()) {
    auto settings = std::make_shared<audio_settings>();
    settings->mode = mode;
    owner_ = caf::actor_cast<caf::strong_actor_ptr>(home.spawn<owner>(told_));
    stream = caf::actor_cast<caf::strong_actor_ptr>(home.spawn<media_stream>(
      plane, std::shared_ptr<const audio_settings>{std::move(settings)}, owner_, std::move(path)));
  }

  template <class T>
  void tell(T&& what) {
    stream->get()->enqueue(
      caf::make_mailbox_element(owner_, caf::make_message_id(), {}, std::forward<T>(what)), &home_);
  }

  /// What its owner was told, in order of time.
  struct told {
    std::optional<media_opened> opened;
    std::vector<media_join_result::outcome> results;
    std::vector<media_restarted> restarted;
    std::vector<media_parted::cause> parted;
    std::vector<media_closed> closed;
  };
  [[nodiscard]] const told& heard() const { return *told_; }
  [[nodiscard]] const lane::endpoint& address() const { return *told_->opened->local; }

  caf::strong_actor_ptr stream;

private:
  class owner final : public lane::lane_actor {
  public:
    owner(caf::actor_config& config, lane::lane& home, std::shared_ptr<told> t)
        : lane::lane_actor(config, home), told_(std::move(t)) {}
    caf::behavior make_behavior() override {
      return {
        [this](const media_opened& o) { told_->opened = o; },
        [this](const media_join_result& r) { told_->results.push_back(r.what); },
        [this](const media_restarted& r) { told_->restarted.push_back(r); },
        [this](const media_parted& p) { told_->parted.push_back(p.why); },
        [this](const media_closed& c) { told_->closed.push_back(c); },
      };
    }

  private:
    std::shared_ptr<told> told_;
  };

  lane::lane& home_;
  std::shared_ptr<told> told_;
  caf::strong_actor_ptr owner_;
};

/// What offer and answer would agree on: G.711 with that peer, telephone events as type 101.
inline sdp::negotiated_audio agreed(const lane::endpoint& peer) {
  sdp::negotiated_audio audio;
  audio.audio = sdp::pcmu();
  audio.send_event_payload_type = audio.receive_event_payload_type = 101;
  audio.remote_host = peer.address();
  audio.remote_port = audio.remote_rtcp_port = peer.port();
  audio.muxed = true;
  return audio;
}

} // namespace jackfield

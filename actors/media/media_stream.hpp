#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>

#include <caf/actor_control_block.hpp>

#include "actors/media/media_messages.hpp"
#include "actors/media/media_plane.hpp"
#include "engine/audio/source.hpp"
#include "engine/lane/lane_actor.hpp"
#include "engine/rtp/receiver_statistics.hpp"
#include "engine/rtp/rtcp_session.hpp"
#include "engine/rtp/sender.hpp"
#include "engine/rtp/telephone_event.hpp"
#include "engine/sdp/offer_answer.hpp"

namespace jackfield {

/// What a stream sends.
enum class audio_mode : uint8_t {
  play,   ///< the source, over and over
  echo,   ///< each packet's payload back as it comes
  listen, ///< nothing
};

/// Shared by all streams of a run or a service; immutable but for the cache's own lock.
struct audio_settings {
  audio_mode mode = audio_mode::play;
  audio::source_spec source;
  std::shared_ptr<audio::source_cache> cache = std::make_shared<audio::source_cache>();
};

/// One audio stream of a call over plain RTP: its socket, its pace, what it sends and how what it
/// receives is judged. The lane hands it timer ticks directly, and at each it reads what came in
/// since the last, by the kernel's own arrival times; only an echo, which must not wait, is woken
/// by each packet. Control comes by message.
class media_stream final : public lane::lane_actor, private lane::datagram_handler {
public:
  media_stream(caf::actor_config& config, lane::lane& home, media_plane& plane,
               std::shared_ptr<const audio_settings> settings, caf::strong_actor_ptr owner);
  ~media_stream() override;

  const char* name() const override { return "media_stream"; }

protected:
  caf::behavior make_behavior() override;
  void on_exit() override;

private:
  void open();
  void connect(const media_connect& how);
  void dial(const std::string& wanted);
  void stop();
  void close();

  void on_datagram(const lane::endpoint& from, std::span<const std::byte> bytes,
                   lane::time_point arrived) override;
  void on_tick();
  void send_frame(lane::time_point now);
  void send_rtcp(lane::time_point now, bool bye);
  [[nodiscard]] media_outcome outcome() const;

  media_plane& plane_;
  std::shared_ptr<const audio_settings> settings_;
  caf::strong_actor_ptr owner_;
  std::unique_ptr<lane::datagram_socket> socket_;
  std::unique_ptr<lane::datagram_socket> rtcp_socket_; // only if the peer does not multiplex
  std::shared_ptr<const audio::encoded_source> source_;
  lane::timer tick_;
  lane::endpoint remote_;
  lane::endpoint remote_rtcp_;
  lane::time_point next_frame_{};
  lane::time_point next_report_{};
  uint64_t frame_ = 0;
  uint64_t heard_ = 0; // datagrams
  rtp::receiver_statistics statistics_;
  std::optional<rtp::sender> sender_;
  std::optional<rtp::rtcp_session> rtcp_;
  struct digits;
  std::unique_ptr<digits> digits_; // only once telephone events are sent or come
  uint16_t samples_ = 160;         // a frame's, timestamp units
  uint8_t ptime_ms_ = 20;
  uint8_t receive_type_ = 0;
  std::optional<uint8_t> send_event_type_;
  std::optional<uint8_t> receive_event_type_;
  bool sends_ = false;
  bool connected_ = false;
  bool stopped_ = false;
};

} // namespace jackfield

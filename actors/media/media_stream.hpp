#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include <caf/actor_control_block.hpp>

#include "actors/media/audio_settings.hpp"
#include "actors/media/heard_tap.hpp"
#include "actors/media/media_messages.hpp"
#include "actors/media/media_path.hpp"
#include "actors/media/media_plane.hpp"
#include "actors/media/media_play.hpp"
#include "actors/media/mixing.hpp"
#include "actors/media/sound_listener.hpp"
#include "actors/media/transcoding.hpp"
#include "engine/audio/source.hpp"
#include "engine/lane/lane_actor.hpp"
#include "engine/rtp/stream.hpp"

namespace jackfield {

/// One audio stream of a call: `rtp::stream` over a `media_path`, as an actor. The lane hands it
/// timer ticks directly, and at each it reads what came in since the last, by the kernel's own
/// arrival times; only one that echoes or is joined, which must not wait, is woken by each packet.
/// Control comes by message. Two that are joined hand each other packets directly, on their lane;
/// what they have no codec in common for is transcoded there.
class media_stream final : public lane::lane_actor,
                           private media_path_user,
                           private rtp::stream_host {
public:
  /// So long is sent to a peer of which nothing but its INVITE is known.
  static constexpr lane::duration credit = std::chrono::seconds{3};

  /// Over `path`, by default a `plain_path`. `owner` hears of it (`media_messages.hpp`).
  media_stream(caf::actor_config& config, lane::lane& home, media_plane& plane,
               std::shared_ptr<const audio_settings> settings, caf::strong_actor_ptr owner,
               std::unique_ptr<media_path> path = nullptr);
  ~media_stream() override;

  const char* name() const override { return "media_stream"; }

protected:
  caf::behavior make_behavior() override;
  void on_exit() override;

private:
  void connect(const media_connect& how);
  void confirm();
  void dial(const std::string& wanted, media_dial::way by);
  /// The next frame of a digit that is dialled in the audio.
  [[nodiscard]] std::span<const std::byte> next_of_digit();
  void restart(const media_restart& how);
  void tell_candidates();
  /// What is played, in the codec that was agreed on.
  [[nodiscard]] std::shared_ptr<const audio::encoded_source> find_source() const;
  void play(const media_play& how);
  /// What was to be played once has been.
  void end_prompt();
  [[nodiscard]] media_join_result mix(const media_mix& how);
  void stop();
  void close(std::optional<error> failure);
  [[nodiscard]] media_join_result join(const media_join& with);
  [[nodiscard]] media_join_result part();
  void end_join(media_parted::cause why, bool tell_own);
  void send_what_is_due();
  /// Has the stream be as agreed, as far as the path and the peer's credit allow.
  void agree();
  /// Is the peer silent for too long, or has it had its credit?
  void watch(lane::time_point now);
  void schedule();
  [[nodiscard]] bool is_woken_by_packets() const noexcept {
    return joined_ != nullptr || settings_->mode == audio_mode::echo;
  }
  [[nodiscard]] media_outcome outcome() const;
  /// How long the peer, which was to send, has been silent by now; 0 where it may be, or for less
  /// than a pause of speech.
  [[nodiscard]] lane::duration silence(lane::time_point now) const noexcept;
  /// The plane counts packets as they come.
  void tell_plane();
  /// So many of the missing may come yet: they count neither as expected nor as lost.
  void tell_heard(uint64_t may_come);
  void tell_reported();
  [[nodiscard]] transcoding::terms terms_with(const media_stream& other) const noexcept;
  /// What it takes to send here what `other` hears; null: nothing, packets go as they are.
  [[nodiscard]] result<std::unique_ptr<transcoding>> made_of(const media_stream& other) const;
  /// Sends what the other one of a join hears.
  void pass_on(std::unique_ptr<transcoding> made);
  /// What is to be sent may have changed.
  void set_mode();
  [[nodiscard]] mixing::terms mixing_terms() const noexcept;
  /// After either of a join may have agreed on another codec. False: there is no way.
  [[nodiscard]] bool match(const media_stream& other);

  // media_path_user
  void on_path_opened(const lane::endpoint& local,
                      std::shared_ptr<const sdp::stream_transport> transport) override;
  void on_path_restarted(const result<lane::endpoint>& local,
                         const std::shared_ptr<const sdp::stream_transport>& transport) override;
  void on_path_connected(bool can_send) override;
  void on_path_candidates() override;
  void on_path_failed(const error& why) override;
  void on_path_packet(std::span<const std::byte> bytes, lane::time_point arrived) override;

  // rtp::stream_host
  void send_rtp(std::span<const std::byte> packet) override;
  void send_rtcp(std::span<const std::byte> packet) override;
  std::span<const std::byte> next_frame() override;
  void note_lateness(lane::duration lateness) override;
  void on_heard(const rtp::heard_packet& packet) override;
  void on_event_started(uint8_t event, lane::time_point at) override;
  void on_event_ended(uint8_t event, lane::duration length, lane::time_point at) override;

  // What each packet needs lies together.
  media_plane& plane_;
  std::unique_ptr<media_path> path_;
  std::shared_ptr<const audio_settings> settings_;
  std::shared_ptr<const audio::encoded_source> source_;
  uint64_t frame_ = 0;
  std::optional<uint32_t> prompt_; // is played once, of this number
  bool tells_keys_ = false;
  audio::opus_settings opus_;         // as the peer takes it
  media_stream* joined_ = nullptr;    // of this lane; whichever ends first tells the other
  std::unique_ptr<transcoding> made_; // of what `joined_` hears; null where it is sent as it is
  std::vector<std::shared_ptr<heard_tap>> taps_;
  std::unique_ptr<mixing> mixed_; // to be sent; null: none is
  lane::timer tick_;
  bool opened_ = false;
  bool transcoded_ = false;
  bool can_send_ = false; // says the path
  bool withheld_ = false; // the peer's credit is used up
  bool expects_ = false;  // that the peer sends
  lane::time_point credit_until_ = lane::time_point::max();
  lane::time_point heard_{};        // the peer, last
  lane::time_point silent_since_{}; // at the earliest
  lane::duration stopped_for_{};    // when it was stopped
  media_plane::tally heard_tally_;  // as the plane knows it
  media_plane::tally reported_tally_;
  rtp::stream stream_;
  caf::strong_actor_ptr owner_;                       // null: it has been told of the end
  std::unique_ptr<sound_listener> listener_;          // null: nobody wants to know what is heard
  std::string digits_;                                // to be dialled once connected
  media_dial::way dial_by_ = media_dial::way::events; // those
  std::string digits_in_audio_; // to be sent, the first from frame `digit_frame_` on
  size_t digit_frame_ = 0;
  uint64_t digits_in_audio_sent_ = 0;
  uint64_t digits_not_taken_ = 0;
  caf::strong_actor_ptr restarter_; // waits for a `media_restarted`
  caf::strong_actor_ptr trickler_;  // hears of candidates
  rtp::stream_setup setup_;         // agreed last
};

} // namespace jackfield

#pragma once

#include <memory>
#include <utility>

#include <caf/actor_control_block.hpp>

#include "actors/call/call_leg.hpp"
#include "actors/media/media_protection.hpp"
#include "actors/media/media_stream.hpp"

namespace jackfield {

/// A media stream that a leg's user has made for its leg, on the leg's lane: the stream's messages
/// come to the leg's actor. A part of the user.
class own_stream {
public:
  /// Spawns it, to be protected so; `controls_ice`: our role where it is done; `port`: as in
  /// `make_path`. `on_media_opened` follows.
  void open(call_leg& leg, media_plane& plane, std::shared_ptr<const audio_settings> settings,
            sdp::protection how, bool controls_ice, uint16_t port = 0) {
    stream_ = caf::actor_cast<caf::strong_actor_ptr>(
      leg.home().spawn<media_stream>(plane, std::move(settings), caf::strong_actor_ptr{leg.ctrl()},
                                     make_path(plane, how, controls_ice, port)));
  }
  /// Has it; until `on_closed`.
  [[nodiscard]] explicit operator bool() const noexcept { return stream_ != nullptr; }
  [[nodiscard]] const caf::strong_actor_ptr& handle() const noexcept { return stream_; }

  /// No more is sent; what is still on its way is heard.
  void stop(call_leg& leg) {
    if (stream_)
      lane::tell(leg.home(), stream_, media_stop{});
  }
  /// Asks for the end, once; `on_media_closed` follows. False if there is nothing to wait for.
  bool close(call_leg& leg) {
    if (!stream_)
      return false;
    if (!std::exchange(closing_, true)) {
      stop(leg);
      lane::tell(leg.home(), stream_, media_close{});
    }
    return true;
  }
  void on_closed(const media_closed& closed) {
    stream_ = nullptr;
    outcome_ = std::make_unique<media_outcome>(closed.outcome);
  }
  /// How it went; null before it has closed.
  [[nodiscard]] std::unique_ptr<media_outcome> take_outcome() { return std::move(outcome_); }

private:
  caf::strong_actor_ptr stream_;
  std::unique_ptr<media_outcome> outcome_;
  bool closing_ = false;
};

} // namespace jackfield

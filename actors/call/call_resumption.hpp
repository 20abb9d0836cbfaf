#pragma once

#include <chrono>
#include <cstdint>
#include <memory>
#include <optional>
#include <span>

#include "actors/call/call_leg.hpp"
#include "actors/call/own_stream.hpp"
#include "engine/sip/digest.hpp"
#include "engine/transport/transport_settings.hpp"
#include "storage/records.hpp"

namespace jackfield {

/// How a call that a crash left becomes the live call that it was: its dialog is taken up, its
/// audio is heard where it was, and an offer (a re-INVITE) has the peer send there again and hear
/// what we send; with new keys where those are in the descriptions. Of WebRTC nothing but the
/// dialog goes on: the offer begins ICE anew and shows another certificate, so that hands are
/// shaken again. A part of the leg's user, which hands on what it is told.
///
/// Where only the peer can make a connection (it called over TLS, or a WebSocket), it is waited
/// for: for its next request in the dialog, or that it registers anew. The offer follows that.
class call_resumption {
public:
  /// An offer that comes at a bad moment (491, 500, 503) is made again so often,
  static constexpr unsigned most_offers = 6;
  /// after so long.
  static constexpr lane::duration again_after = std::chrono::milliseconds{700};
  /// So long a peer is waited for that has to come.
  static constexpr lane::duration patience = std::chrono::seconds{60};
  /// Requests that may have left after the last record of them was written.
  static constexpr uint32_t unrecorded_requests = 4;

  /// A call that is taken up. Calls without a dialog are not, nor legs of two.
  [[nodiscard]] static bool takes(const storage::call_record& call) noexcept;

  /// What it takes beside the record of the call.
  struct means {
    std::shared_ptr<const transport::open_settings> connections;
    std::span<const sip::credential> credentials; ///< outlive the leg
    std::shared_ptr<const audio_settings> audio;  ///< null: without
    std::shared_ptr<const sdp::offer_template> media;
    uint16_t inactive_port = 0; ///< shown where there is no audio
  };
  /// In `leg_user::on_start`. Fails if there is no way to the peer, or the leg cannot be had.
  result<void> begin(call_leg& leg, const storage::call_record& call, media_plane& plane,
                     own_stream& stream, means with);

  /// The same, of a leg of two as well, whose owner opens the stream (`use_stream`); `with.audio`
  /// is not looked at. Fails if nothing was ever said of the call's audio.
  result<void> begin(call_leg& leg, const storage::call_record& call, means with);

  enum class state : uint8_t {
    waiting,
    resumed, ///< the peer has agreed
    failed,  ///< it has not, or it is not to be reached: the leg is to hang up
  };
  [[nodiscard]] state current() const noexcept { return state_; }
  /// A stream that the leg's owner has opened. Once; returns how it stands now.
  struct open_stream {
    caf::strong_actor_ptr handle;
    uint16_t port = 0; ///< where it is heard
    std::shared_ptr<const sdp::stream_transport> transport;
  };
  state use_stream(call_leg& leg, open_stream stream);
  /// As the user's of the same names; each returns how it stands now.
  state on_media_opened(call_leg& leg, const media_opened& opened, const own_stream& stream);
  state on_settled(call_leg& leg, const leg_settled& settled);
  state on_wake(call_leg& leg);
  /// An offer of the peer's that is or will be answered does as well as ours.
  state on_offer(call_leg& leg);
  state on_way_back(call_leg& leg);

  /// Our own hold, as it was: `sendonly`, else `sendrecv` or what this side wanted.
  [[nodiscard]] sdp::direction way() const noexcept { return way_; }

private:
  result<void> adopt(call_leg& leg, const storage::call_record& call, means& with);
  state offer(call_leg& leg);
  state offer_again(call_leg& leg);
  state end(state how) noexcept { return state_ = how; }

  std::optional<sdp::negotiation_record> agreed_; // until it is taken up
  std::shared_ptr<const sdp::offer_template> media_;
  state state_ = state::waiting;
  sdp::direction way_ = sdp::direction::sendrecv;
  unsigned offers_ = 0;
  bool waits_for_peer_ = false;
  bool ready_ = false; // to make an offer
};

} // namespace jackfield

#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include <caf/actor_control_block.hpp>
#include <caf/allowed_unsafe_message_type.hpp>

#include "actors/media/media_path.hpp"
#include "engine/audio/heard_sounds.hpp"
#include "engine/error/error.hpp"
#include "engine/lane/endpoint.hpp"
#include "engine/rtp/stream.hpp"
#include "engine/sdp/offer_answer.hpp"

/// What a media stream and its owner say to one another; the sender of what the owner gets is the
/// stream's actor.
namespace jackfield {

/// To the stream's owner, first of all: the address to offer, or why there is none; and what is
/// said of the stream beside, unless it is plain RTP.
struct media_opened {
  result<lane::endpoint> local;
  std::shared_ptr<const sdp::stream_transport> transport = {};
};

/// To the stream: what offer and answer agreed on. Again after a re-offer.
struct media_connect {
  sdp::negotiated_audio audio;
  /// Whoever called has not shown yet that it is where it says (RFC 3261 §13.2.2.4, the ACK):
  /// unless something is heard from there, what is sent there ends after `media_stream::credit`.
  bool unconfirmed = false;
};

/// To the stream: it has.
struct media_confirmed {};

/// To the stream: dial these digits (RFC 4733), if the peer takes them. Before it is connected they
/// are kept until then.
struct media_dial {
  enum class way : uint8_t {
    events, ///< RFC 4733
    audio,  ///< their tones in place of what is sent
    either  ///< events if the peer takes them, else audio
  };
  std::string digits;
  way by = way::events;
};

/// To the stream: find its way anew (an ICE restart), while the old one is used on. Once connected.
/// The sender gets a `media_restarted`.
struct media_restart {
  bool controlling = true; ///< our role in ICE
};

/// What is to be said of the stream from now on, or why the way stays as it is. The next
/// `media_connect` leads there.
struct media_restarted {
  result<lane::endpoint> local;
  std::shared_ptr<const sdp::stream_transport> transport = {};
};

/// To the stream: the peer's candidates that came after its description (RFC 8838). After the
/// `media_connect` of that description.
struct media_take_candidates {
  sdp::ice_fragment told;
};

/// To the stream: the peer takes ours that way, too. The sender gets a `media_candidates` with all
/// that there is to tell, now and whenever there is more.
struct media_tell_candidates {};

struct media_candidates {
  sdp::ice_fragment::stream told;
};

/// To the owner: the peer, which has agreed to send, is silent, RTCP and all. `heard`: it was heard
/// once, and then not for `audio_settings::silence_limit`; told once. Else it never was in
/// `audio_settings::unheard_limit`; told each time that passes.
struct media_silent {
  bool heard = false;
};

/// To the stream: stop sending; keep hearing what is still on its way.
struct media_stop {};

/// To the stream: end. The owner gets `media_closed`.
struct media_close {};

/// To the stream: relay what it hears to another one of its lane, and send what that one hears,
/// transcoded where their codecs differ, until the join ends; then each sends again what it sent
/// before. What either was joined to before, it is parted from. Both have been told what was agreed
/// on; nothing is relayed before their paths are up. The sender gets a `media_join_result`.
struct media_join {
  caf::strong_actor_ptr other;
};

/// To the stream: end its join. The sender gets a `media_join_result`.
struct media_part {};

struct media_join_result {
  enum class outcome : uint8_t {
    done,
    no_stream,     ///< the other is no media stream, has ended, or is the stream itself
    other_lane,    ///< the other lives on another lane
    not_connected, ///< one of them has not been told yet what was agreed on
    other_codec,   ///< none of their codecs can be made of the other's
    not_joined,    ///< to `media_part`
  };
  outcome what = outcome::done; ///< if anything else, all is as it was
};

/// To the owners of two streams whose join has ended, unless the owner's own stream has ended.
struct media_parted {
  enum class cause : uint8_t {
    asked, ///< by `media_part`, of either
    other_ended,
    other_codec,      ///< a re-offer chose one that cannot be made of the other's
    joined_elsewhere, ///< one of them
  };
  cause why = cause::asked;
};

/// How a stream went, and what its path kept from it.
struct media_outcome : rtp::stream_outcome {
  path_counters refused = {};
  std::string_view protected_by = {}; ///< as in `media_path`
  path_times took = {};
  bool transcoded = false; ///< what was sent was made of another codec's, if only for a while
  std::shared_ptr<const audio::heard_sounds> heard = {}; ///< null: nobody listened for it
  uint64_t digits_not_taken = 0; ///< by the peer, which has no telephone-event
  bool missed = false;           ///< what was expected to be heard was not
  lane::duration stopped_for{};  ///< the peer's audio had ended so long before the stream; 0: not
};

/// To the owner, last, whatever ended the stream.
struct media_closed {
  media_outcome outcome = {};
  /// Unset if `media_close` asked for it.
  std::optional<error> failure = {};
};

} // namespace jackfield

CAF_ALLOW_UNSAFE_MESSAGE_TYPE(jackfield::media_opened)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(jackfield::media_connect)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(jackfield::media_confirmed)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(jackfield::media_silent)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(jackfield::media_dial)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(jackfield::media_restart)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(jackfield::media_restarted)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(jackfield::media_take_candidates)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(jackfield::media_tell_candidates)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(jackfield::media_candidates)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(jackfield::media_stop)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(jackfield::media_close)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(jackfield::media_join)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(jackfield::media_part)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(jackfield::media_join_result)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(jackfield::media_parted)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(jackfield::media_closed)

#pragma once

#include <chrono>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "actors/media/audio_settings.hpp"
#include "engine/lane/timer_wheel.hpp"
#include "engine/sdp/offer_answer.hpp"
#include "engine/sip/digest.hpp"
#include "engine/transport/target_selection.hpp"
#include "engine/transport/transport_settings.hpp"

namespace jackfield {

/// What a call that goes out does while it is up.
struct call_step {
  enum class kind : uint8_t {
    hold,        ///< offers `sendonly`
    resume,      ///< offers what it offered at first
    ice_restart, ///< finds the media's way anew
    dial         ///< digits of the target's
  };
  lane::duration after{}; ///< since the answer
  kind what = kind::hold;
  uint16_t part = 0; ///< of `call_target::digits`
};

/// What is thought of a callee that hangs up before the call has run its length.
enum class callee_hang_up : uint8_t {
  usual,    ///< allowed once the call has run for a second
  allowed,  ///< at any time
  expected, ///< and a call whose callee has not by then has failed
  fails     ///< the call
};
/// A call that has run for so long may be hung up by the callee, usually.
inline constexpr lane::duration usual_patience = std::chrono::seconds{1};

/// How digits are told to the peer.
enum class dtmf_mode : uint8_t {
  rfc4733,  ///< as telephone-events in the RTP stream
  info,     ///< a request each, one after the other (RFC 6086)
  inband,   ///< as the two tones of Q.23 in the audio
  automatic ///< as telephone-events where the peer takes them, else in the audio
};

/// Whom a call is to and from; shared by the calls of one user. Values as in `sip::call_options`.
struct call_target {
  std::string uri;
  std::string from;
  std::string to;
  std::string route;
  std::string headers;
  std::vector<std::string> digits;             ///< by `call_step::part`; some may be empty
  std::shared_ptr<const audio_settings> audio; ///< what it sends; null: as the manner has it
  /// User of the Contact that is registered, escaped; empty: it has none.
  std::string contact_user;
  std::vector<sip::credential> credentials;

  /// The URI in `from`.
  [[nodiscard]] std::string_view from_uri() const noexcept;
};

/// How calls of one lane are made; shared by them, immutable.
struct call_manner {
  transport::target_selection servers; ///< where first requests go, best first
  std::shared_ptr<const transport::open_settings> connections;
  /// Nothing: signalling only, audio is offered as inactive.
  std::shared_ptr<const audio_settings> audio;
  sdp::media_capabilities capabilities;
  std::shared_ptr<const sdp::offer_template> offer;
  uint16_t inactive_port = 10'000; ///< shown where there is no audio
  bool delayed_offer = false;
  dtmf_mode dials_by = dtmf_mode::rfc4733;
  callee_hang_up callee_hangs_up = callee_hang_up::usual;
  std::vector<call_step> steps; ///< in the order of their times
  /// Not answered within this after ringing began: CANCEL.
  lane::duration ringing_limit = std::chrono::minutes{3};
};

} // namespace jackfield

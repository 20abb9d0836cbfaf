#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <variant>
#include <vector>

#include <caf/actor_control_block.hpp>
#include <caf/allowed_unsafe_message_type.hpp>
#include <caf/error.hpp>

#include "actors/wire/leg_wire.hpp"
#include "engine/sdp/offer_answer.hpp"
#include "engine/sdp/session.hpp"
#include "engine/sdp/stream_transport.hpp"
#include "engine/sip/leg_id.hpp"
#include "engine/sip/method.hpp"
#include "engine/sip/ua.hpp"

/// What is said to a leg, and by it. Commands and events are for legs whose user is a
/// `leg_reporter`; texts called `headers` are whole lines.
namespace jackfield {

/// To a leg, a registration, an out-of-dialog request: end it, whatever its state.
struct hang_up {};

/// Commands: one of them in a `leg_command`, sent as a CAF request from anywhere.
namespace leg_commands {

/// Lets the INVITE go of a leg that was told to wait (`leg_reporter::calling::wait`). Done: it
/// left.
struct send {};
/// Sends a provisional response without a description.
struct ring {
  int status = 180;
};
/// Sends the answer in a provisional response.
struct send_early_media {
  int status = 183;
};
/// Sends 200. Done: it left.
struct accept {};
struct refuse {
  int status = 480;
  std::string headers = {};
};
struct redirect {
  std::vector<std::string> uris;
};
/// Ends the call whatever its state; `headers` as "Reason: Q.850;cause=16". Done: nothing is left.
struct hang_up {
  std::string headers = {};
  /// What the call was for did not come through a crash of ours: its record says so.
  bool cut_off = false;
};
/// Offers anew. Done: the peer's answer stands; refused: as it was before, `status` is the peer's.
struct offer {
  sdp::direction wanted = sdp::direction::sendrecv;
  bool in_update = false;
};
/// Answers, or makes, the offer of an `offered` event.
struct answer_offer {
  uint32_t number = 0;
  sdp::direction wanted = sdp::direction::sendrecv;
};
struct refuse_offer {
  uint32_t number = 0;
  int status = 488;
};
/// Sends a request within the dialog. Done: a 2xx came, whose body is in the result.
struct request {
  sip::method what = sip::method::info;
  std::string body = {};
  std::string content_type = {};
  std::string headers = {};
};
/// Answers the request of a `requested` event.
struct answer_request {
  uint32_t number = 0;
  int status = 200;
  std::string headers = {};
  std::string body = {};
  std::string content_type = {};
};
/// Dials in the media (RFC 4733).
struct dial {
  std::string digits;
};
/// Hands in a media stream; null takes it away. `port` is where it hears, `transport` what it said
/// of itself beside that.
struct use_stream {
  caf::strong_actor_ptr stream;
  uint16_t port = 0;
  std::shared_ptr<const sdp::stream_transport> transport = {};
};

/// Fewer codecs from now on, or others preferred, in what is offered and what is taken: see
/// `sdp::negotiation::narrow`.
struct narrow {
  std::shared_ptr<const sdp::offer_template> media;
};
/// Has the store keep the call as it is now, if it is kept and was answered.
struct keep {};

} // namespace leg_commands

struct leg_command {
  std::variant<leg_commands::send, leg_commands::ring, leg_commands::send_early_media,
               leg_commands::accept, leg_commands::refuse, leg_commands::redirect,
               leg_commands::hang_up, leg_commands::offer, leg_commands::answer_offer,
               leg_commands::refuse_offer, leg_commands::request, leg_commands::answer_request,
               leg_commands::dial, leg_commands::use_stream, leg_commands::narrow,
               leg_commands::keep>
    what;
};

/// The answer to a command, exactly one each.
struct leg_result {
  enum class outcome : uint8_t {
    done,
    refused,    ///< by the peer, with `status`
    unanswered, ///< the peer said nothing in time
    not_now,    ///< nothing happened: `why` says what was expected
    over,       ///< the leg is over, or ended before the command was done
  };
  outcome what = outcome::done;
  int status = 0;
  std::string why = {};
  std::string body = {};
  std::string content_type = {};
};

/// A leg whose actor has gone answers a request with CAF's own error: what it stands for.
[[nodiscard]] leg_result leg_result_of(const caf::error& e);

/// Events, to the owner of a leg; their sender is the leg's actor. `tag`: see
/// `leg_reporter::settings`.
namespace leg_events {

/// The identity is fixed; nothing has left yet.
struct prepared {
  sip::leg_id leg;
  uint32_t tag = 0;
};
/// A call came in and waits to be decided on. `unacceptable`: why its offer can only be refused.
struct incoming {
  sip::leg_id leg;
  std::string uri;  ///< Request-URI
  std::string from; ///< whole values
  std::string to;
  unsigned max_forwards = 70;
  bool has_offer = false;
  bool controls_ice = true; ///< as `sdp::negotiation::controls_ice`
  std::string unacceptable;
  // of an offer that can be taken
  sdp::protection protection = sdp::protection::none; ///< that its stream has to have
  std::vector<sdp::codec> codecs = {};                ///< as `sdp::negotiation::offered_codecs`
};
/// A provisional response to our INVITE.
struct ringing {
  int status = 180;
  unsigned fork = 0;
  std::optional<sdp::negotiated_audio> early_media = {}; ///< what its answer would agree on
};
/// Our INVITE's 2xx came.
struct answered {
  int status = 200;
  std::optional<sdp::negotiated_audio> audio = {}; ///< agreed on; nothing without a stream
};
/// The ACK to our 2xx came.
struct confirmed {};
/// The peer of a call that a crash left has not agreed to go on, or has not come in time: it is
/// being hung up.
struct not_resumed {
  uint32_t tag = 0;
};
/// The peer offers anew and waits: `answer_offer` or `refuse_offer`.
struct offered {
  uint32_t number = 0;
  bool has_offer = true;
  sdp::direction way = sdp::direction::sendrecv; ///< as seen from here
};
struct offer_withdrawn {
  uint32_t number = 0;
};
/// A request of the peer's waits: `answer_request`.
struct requested {
  uint32_t number = 0;
  sip::method what = sip::method::unknown;
  std::string headers; ///< Event, Refer-To, Info-Package where there, as lines
  std::string content_type;
  std::string body;
};
/// The last. `lost`: an error within.
struct ended {
  sip::end_cause cause = sip::end_cause::none;
  int status = 0;
  bool lost = false;
  wire_counters wire = {};
  uint32_t tag = 0;
};

} // namespace leg_events

} // namespace jackfield

CAF_ALLOW_UNSAFE_MESSAGE_TYPE(jackfield::hang_up)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(jackfield::leg_command)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(jackfield::leg_result)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(jackfield::leg_events::prepared)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(jackfield::leg_events::incoming)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(jackfield::leg_events::ringing)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(jackfield::leg_events::answered)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(jackfield::leg_events::confirmed)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(jackfield::leg_events::not_resumed)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(jackfield::leg_events::offered)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(jackfield::leg_events::offer_withdrawn)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(jackfield::leg_events::requested)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(jackfield::leg_events::ended)

#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include <caf/allowed_unsafe_message_type.hpp>

#include "engine/error/error.hpp"
#include "engine/lane/endpoint.hpp"
#include "engine/lane/timer_wheel.hpp"
#include "engine/rtp/receiver_statistics.hpp"
#include "engine/rtp/rtcp.hpp"
#include "engine/sdp/offer_answer.hpp"

/// What a media stream and its owner say to one another.
namespace jackfield {

/// To the stream's owner, first of all: the address to offer, or why there is none.
struct media_opened {
  result<lane::endpoint> local;
};

/// To the stream: what offer and answer agreed on. Again after a re-offer.
struct media_connect {
  sdp::negotiated_audio audio;
};

/// To the stream: dial these digits (RFC 4733), if the peer takes them. Once connected.
struct media_dial {
  std::string digits;
};

/// To the stream: stop sending; keep hearing what is still on its way.
struct media_stop {};

/// To the stream: end. The owner gets `media_closed`.
struct media_close {};

/// How a stream went.
struct media_outcome {
  bool connected = false;
  uint64_t packets_sent = 0;
  rtp::reception_summary received;
  /// What the peer said of what it heard, in its last RTCP report.
  std::optional<rtp::report_block> remote;
  std::optional<lane::duration> round_trip;
  /// G.107; nothing where nothing was to be judged.
  std::optional<double> mos;
  std::optional<double> remote_mos;
  uint64_t digits_sent = 0;
  std::string digits_received;
};

/// To the owner, last.
struct media_closed {
  media_outcome outcome;
};

} // namespace jackfield

CAF_ALLOW_UNSAFE_MESSAGE_TYPE(jackfield::media_opened)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(jackfield::media_connect)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(jackfield::media_dial)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(jackfield::media_stop)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(jackfield::media_close)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(jackfield::media_closed)

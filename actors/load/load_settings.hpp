#pragma once

#include <chrono>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "actors/call/call_settings.hpp"
#include "actors/load/load_plan.hpp"
#include "actors/media/webrtc_settings.hpp"
#include "engine/audio/source.hpp"
#include "engine/lane/endpoint.hpp"
#include "engine/scenario/user_table.hpp"
#include "engine/sdp/stream_transport.hpp"
#include "engine/transport/protocol.hpp"

namespace jackfield {

/// What a load run is to do: checked as far as it can be without opening a socket. A command line,
/// or a request to an API, is read into it.
struct load_settings {
  /// Unset: the embedded answering engine.
  std::optional<std::string> uri;
  load_flow flow = load_flow::call;
  scenario::arrival_plan arrivals;
  uint64_t limit = UINT64_MAX;
  bool waits_when_full = false; ///< these two as in `load_plan`
  std::chrono::nanoseconds start_within = std::chrono::seconds{1};
  call_length length = std::chrono::seconds{10};
  uint64_t seed = 0;
  transport::protocol transport = transport::protocol::udp;
  bool own_connections = false; ///< a connection for each call or registration, not for each lane
  bool rtp = true;
  sdp::protection protection = sdp::protection::none; ///< of RTP
  webrtc_settings webrtc;                             ///< of streams protected by DTLS
  audio_mode mode = audio_mode::play;
  audio::source_spec source;
  /// Of each row of `users`, instead of those two; empty: all are alike.
  std::vector<audio_choice> sounds;
  bool listens = false; ///< these two as in `audio_settings`
  std::optional<audio::expected_sound> expects;
  std::vector<audio::codec> codecs{audio::codec::pcmu, audio::codec::pcma};
  audio::opus_settings opus;
  unsigned ptime_ms = 20;
  bool delayed_offer = false;
  std::vector<std::string> digits; ///< by `call_step::part`; may use {columns} of `users`
  dtmf_mode dtmf_by = dtmf_mode::rfc4733;
  callee_hang_up callee_hangs_up = callee_hang_up::usual;
  std::vector<call_step> steps; ///< in the order of their times
  unsigned lanes = 0;           ///< 0: as many as cores
  /// Address of signalling and media; invalid: the one that faces the target.
  lane::endpoint local;
  uint16_t local_port = 0;
  /// Of each lane, tried where `local_port` is 0: peers of calls left by a crash know us by them.
  std::vector<uint16_t> former_ports;
  std::vector<lane::endpoint> dns_servers; ///< none: the system's
  lane::endpoint media_address;
  uint16_t first_media_port = 10'000;
  uint16_t last_media_port = 65'535;
  std::string from; ///< URI of callers, with {columns}; empty: sip:{user}@address
  std::vector<std::string> headers;
  std::string route; ///< outbound proxy URI
  std::optional<scenario::user_table> users;
  std::string auth_user;
  std::string auth_password;
  unsigned expires = 3600;
  unsigned refreshes = 0;
  unsigned register_retries = 0; ///< as in `load_plan`
  std::chrono::nanoseconds ringing_limit = std::chrono::minutes{3};
  std::chrono::nanoseconds answer_after{}; ///< of the embedded answering engine
  bool verify = true;
  std::string ca_file;
  std::string certificate_file;
  std::string key_file;
  std::string ws_path = "/";
  std::chrono::nanoseconds keep_alive{}; ///< 0: connections and NAT bindings are not kept alive
  bool call_lines = false;               ///< one JSON line a call is wanted
  std::shared_ptr<const trace_settings> trace; ///< as in `load_plan`
};

} // namespace jackfield

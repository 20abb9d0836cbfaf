#pragma once

#include <chrono>
#include <cstdint>
#include <optional>

namespace jackfield::storage {

/// How often a step of a call was done.
struct step_figures {
  uint32_t done = 0;
  uint32_t failed = 0;
  friend bool operator==(const step_figures&, const step_figures&) = default;
};

/// What a peer's last report said of what it heard.
struct reported_figures {
  int32_t lost = 0;
  std::chrono::nanoseconds jitter{};
  std::optional<double> mos;
  friend bool operator==(const reported_figures&, const reported_figures&) = default;
};

enum class found_sound : uint8_t { silence, tone, sound };

/// Of a call's audio.
struct audio_figures {
  using duration = std::chrono::nanoseconds;
  using report = reported_figures;

  bool connected = false;
  uint64_t sent = 0; ///< packets, as are those that follow
  bool heard = false;
  uint64_t received = 0, expected = 0, lost = 0, recovered = 0, duplicates = 0, reordered = 0,
           discarded = 0;
  duration jitter{};
  std::optional<double> mos;
  /// By the peer's last report; unset: there was none.
  std::optional<report> remote;
  std::optional<duration> round_trip;
  uint64_t digits_sent = 0, digits_received = 0;
  /// What was found in what was heard; unset: nobody listened.
  std::optional<found_sound> found;
  uint64_t strangers = 0, forged = 0, replayed = 0, malformed = 0, unauthenticated = 0;
  std::optional<duration> gathering, checks, handshake;
  friend bool operator==(const audio_figures&, const audio_figures&) = default;
};

/// What a load run measured of one of its calls, as far as its report takes it: so the report of a
/// run that a crash cut off covers what came before, too.
struct call_figures {
  using duration = std::chrono::nanoseconds;

  // Since the call was started, that is its first INVITE was handed to the transport; unset: did
  // not happen.
  duration due{}; ///< not above zero
  std::optional<duration> first_response;
  std::optional<duration> ringing;
  std::optional<duration> final_response;
  std::optional<duration> acknowledged;
  std::optional<duration> bye_sent;
  bool local_bye = false; ///< our BYE ended it

  uint32_t requests = 0;
  uint32_t retransmissions = 0;
  uint32_t failovers = 0;

  using step = step_figures;
  step hold, resume, ice_restart, info_digit;

  using audio = audio_figures;
  std::optional<audio> media;

  friend bool operator==(const call_figures&, const call_figures&) = default;
};

} // namespace jackfield::storage

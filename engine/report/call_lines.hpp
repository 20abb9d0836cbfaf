#pragma once

#include <array>
#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "engine/report/failure_cause.hpp"

namespace jackfield::report {

/// One direction of a call's audio at its receiving end.
struct call_media {
  uint64_t packets = 0;
  uint64_t lost = 0;
  uint64_t fec_recovered = 0; ///< as in `media_direction`
  uint64_t duplicate = 0;
  uint64_t reordered = 0;
  uint64_t late = 0;
  std::optional<std::chrono::nanoseconds> jitter;
  std::optional<double> mos;
  std::string_view codec; ///< what was heard last; empty: not known
};

/// A stretch of what was heard.
struct call_sound {
  std::string_view what;        ///< "silence", "tone" or "sound"
  std::chrono::milliseconds at; ///< since the first packet
  std::chrono::milliseconds length;
  std::array<uint16_t, 2> hz; ///< of a tone; 0: none
};

/// One finished call. Views are read during the call only.
struct call_record {
  uint64_t id = 0;          ///< counts arrivals of the run, from 0
  std::string_view call_id; ///< Call-ID
  std::string_view from;    ///< URI
  std::string_view to;      ///< URI
  std::chrono::system_clock::time_point started{};
  std::chrono::nanoseconds due{0};     ///< when the arrival was due, since the run began
  std::chrono::nanoseconds late_by{0}; ///< how long after that it was started
  int status = 0;                      ///< final status of the INVITE; 0 if none came
  failure_cause cause;                 ///< `none` for a call that completed
  std::string_view detail;             ///< what was said of it; empty: nothing
  std::string_view ended_by;           ///< of an answered call: "caller", "callee"; empty: neither
  std::optional<std::chrono::nanoseconds> srd;
  std::optional<std::chrono::nanoseconds> pdd;
  std::optional<std::chrono::nanoseconds> setup;
  std::optional<std::chrono::nanoseconds> sdd;
  std::optional<std::chrono::nanoseconds> ice_gathering; ///< these three as in `latencies`
  std::optional<std::chrono::nanoseconds> ice_checks;
  std::optional<std::chrono::nanoseconds> dtls;
  std::optional<std::chrono::nanoseconds> duration; ///< answered calls: 200 to BYE
  uint64_t packets_sent = 0;
  std::optional<call_media> received; ///< what the caller heard; nothing without media
  std::optional<call_media> sent;     ///< what the peer says it heard
  std::optional<std::chrono::nanoseconds> rtt;
  std::optional<std::vector<call_sound>> heard; ///< by the caller; nothing: nobody listened
};

/// Appends the call as one JSON object and a newline. Times are in ms, `started` is ISO 8601 in
/// UTC with milliseconds. Allocates only when `out` must grow.
void append_call_line(std::string& out, const call_record& call);

/// One registration or request out of dialog that is over. Views are read during the call only.
struct request_record {
  std::string_view kind; ///< "register" or "options"
  uint64_t id = 0;       ///< counts arrivals of the run, from 0
  std::string_view from; ///< URI
  std::string_view to;   ///< URI
  std::chrono::nanoseconds due{0};
  int status = 0;          ///< of the response that decided; 0 if none came
  failure_cause cause;     ///< `none` if it went well
  std::string_view detail; ///< as in `call_record`
  /// From when it was due to the first response that decided: of a registration that succeeded, or
  /// of a request.
  std::optional<std::chrono::nanoseconds> took;
  std::optional<uint64_t> refreshes; ///< of a registration: those that succeeded
};

/// Appends it like a call.
void append_request_line(std::string& out, const request_record& request);

} // namespace jackfield::report

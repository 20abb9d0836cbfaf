#pragma once

#include <chrono>
#include <string>
#include <string_view>

#include "actors/wire/wire_tap.hpp"

namespace jackfield {

/// A message as a trace keeps it.
struct traced_message {
  wire_direction direction{};
  bool malformed = false;
  transport::flow over;
  lane::time_point at{};
  std::string_view bytes;
};

/// Two names of one moment, from which a trace reckons its times.
struct trace_origin {
  lane::time_point at{};
  std::chrono::system_clock::time_point wall{};
};

/// Appends one message as a trace shows it: a line with the time (UTC, and seconds since the
/// origin), transport, our address, an arrow in the direction of the message, the peer's address,
/// lane and size, then the message with its secrets blanked (`sip::append_redacted`), then an empty
/// line:
///
///     --- 2026-01-31T12:00:00.000250Z +0.000250s UDP 192.0.2.1:5060 -> 192.0.2.2:5060 lane 0, 432
///     bytes
///
/// The size is that on the wire. Control characters are shown as \xNN but for line ends and tabs,
/// and a line that looks like one of the trace's own gets a backslash, so that nobody else can
/// write into it.
void append_traced(std::string& to, const traced_message& message, const trace_origin& origin,
                   unsigned lane);

/// Appends text of others as above: control characters and the beginnings of lines.
void append_harmless(std::string& to, std::string_view text);

} // namespace jackfield

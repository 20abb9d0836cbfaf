#pragma once

#include "actors/media/media_messages.hpp"
#include "actors/media/media_plane.hpp"
#include "engine/lane/lane.hpp"
#include "engine/report/call_lines.hpp"
#include "engine/report/run_metrics.hpp"

namespace jackfield {

/// Adds what one stream received to a direction's figures.
void add_received(report::media_direction& to, const media_outcome& outcome);
/// Adds what the peer reported of what it received of us; nothing if it reported nothing.
void add_reported(report::media_direction& to, const media_outcome& outcome);

/// Adds what was found in what was heard, if anybody listened.
void add_found(report::found_sounds& to, const media_outcome& outcome);

/// Adds what its path kept from it.
void add_refused(report::ignored_packets& to, const media_outcome& outcome);

/// Adds how long the phases took of bringing it up.
void add_phases(report::latencies& to, const media_outcome& outcome);

/// The two directions of one call for its record.
[[nodiscard]] report::call_media received_of(const media_outcome& outcome);
[[nodiscard]] std::optional<report::call_media> reported_of(const media_outcome& outcome);

/// Copies how a lane kept up, and how punctual its media were.
void take_health(report::run_metrics& to, const lane::lane& home, const media_plane& media);

} // namespace jackfield

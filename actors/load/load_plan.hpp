#pragma once

#include <chrono>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "actors/call/call_settings.hpp"
#include "actors/wire/trace_outlet.hpp"
#include "engine/scenario/arrivals.hpp"
#include "engine/scenario/drawn_duration.hpp"
#include "engine/transport/protocol.hpp"

namespace jackfield {

enum class load_flow : uint8_t {
  call,      ///< INVITE, audio, BYE
  register_, ///< REGISTER, refreshes, unregister
  options,   ///< OPTIONS out of dialog
};

/// How long calls last.
using call_length = scenario::drawn_duration;

/// What a load run does; one value for all lanes, immutable.
struct load_plan {
  load_flow flow = load_flow::call;
  scenario::arrival_plan arrivals;
  /// Most calls at once, over all lanes.
  uint64_t limit = UINT64_MAX;
  /// An arrival beyond that waits until there is room, and those behind it with it, as in SIPp;
  /// else it is missed.
  bool waits_when_full = false;
  /// An arrival that we could not place in time is placed late, and missed after this.
  lane::duration start_within = std::chrono::seconds{1};
  call_length length = std::chrono::seconds{10};
  /// Seed of the arrival process and the lengths: two runs with one seed offer the same.
  uint64_t seed = 1;
  /// Arrival n is made for target n modulo their number, or a random one.
  std::vector<std::shared_ptr<const call_target>> targets;
  bool random_target = false;
  /// Registration: lifetime asked for, and refreshes after which a user unregisters.
  unsigned expires = 3600;
  unsigned refreshes = 0;
  unsigned register_retries = 0; ///< of first registrations that failed
  /// A registered user stays this long (and as many refreshes as asked for).
  lane::duration stay{};
  /// One JSON line a call is wanted.
  bool call_lines = false;
  /// What callers send and receive is traced so; null: not at all.
  std::shared_ptr<const trace_settings> trace;
};

} // namespace jackfield

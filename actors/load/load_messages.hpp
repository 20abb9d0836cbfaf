#pragma once

#include <chrono>
#include <memory>
#include <string>

#include <caf/allowed_unsafe_message_type.hpp>

#include "engine/lane/timer_wheel.hpp"
#include "engine/report/run_metrics.hpp"

/// What the parts of a load run say to one another.
namespace jackfield {

/// To an answering service or a load generator: send a copy of what you measured to the sender of
/// the request.
struct metrics_request {};

/// The answer.
struct metrics_snapshot {
  unsigned source = 0; ///< what the asker gave the asked when it was made
  std::shared_ptr<const report::run_metrics> metrics;
};

/// To a load generator: begin; the first arrival is due at `at`. `wall` is the same moment.
struct load_start {
  lane::time_point at{};
  std::chrono::system_clock::time_point wall{};
};

/// To a load generator: no new calls; those under way run their length.
struct load_drain {};

/// To a load generator: hang up everything.
struct load_abort {};

/// To a load generator: the calls that are still under way have failed, whatever becomes of them.
struct load_give_up {};

/// To the run: this generator has placed all its calls and all have ended.
struct generator_done {
  unsigned source = 0;
};

/// To the run: finished calls as JSON lines.
struct call_lines_batch {
  std::string lines;
};

/// To an answering service: take no more calls (480). The sender gets `service_stopped` when the
/// last one has ended.
struct service_drain {};
/// As `service_drain`, and hang up the calls that are up.
struct service_stop {};
struct service_stopped {
  unsigned source = 0;
  std::shared_ptr<const report::run_metrics> metrics;
};

} // namespace jackfield

CAF_ALLOW_UNSAFE_MESSAGE_TYPE(jackfield::load_start)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(jackfield::load_drain)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(jackfield::load_abort)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(jackfield::load_give_up)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(jackfield::generator_done)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(jackfield::call_lines_batch)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(jackfield::metrics_request)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(jackfield::metrics_snapshot)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(jackfield::service_drain)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(jackfield::service_stop)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(jackfield::service_stopped)

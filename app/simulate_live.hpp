#pragma once

#include "app/simulate_options.hpp"

namespace jackfield::app {

/// `jackfield simulate --live`: a queue in real time, by callers and agents over SIP.
/// `options.live` is set. Returns the exit code.
int simulate_live(const simulate_options& options);

} // namespace jackfield::app

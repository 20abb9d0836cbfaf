#pragma once

#include <string>
#include <vector>

#include "actors/centre/queue.hpp"
#include "app/centre_view.hpp"

namespace jackfield::app {

/// A contact centre as Prometheus text: by queue, and agents by state.
[[nodiscard]] std::string centre_metrics(const std::vector<queue_state>& queues,
                                         const centre_view::counts& counts, bool draining);

} // namespace jackfield::app

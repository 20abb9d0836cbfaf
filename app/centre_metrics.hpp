#pragma once

#include <string>
#include <vector>

#include "actors/centre/queue.hpp"
#include "actors/centre/trunk_book.hpp"
#include "app/centre_view.hpp"
#include "app/webhooks/webhooks.hpp"

namespace jackfield::app {

/// A contact centre as Prometheus text: by queue, and agents by state.
[[nodiscard]] std::string centre_metrics(const std::vector<queue_state>& queues,
                                         const centre_view::counts& counts, bool draining);

/// Its logins: addresses from which passwords were guessed.
[[nodiscard]] std::string login_metrics(uint64_t bans);

/// Its webhooks; nothing if there is none.
[[nodiscard]] std::string webhook_metrics(const std::vector<webhooks::webhook_state>& hooks);

/// Its trunks; nothing if there is none.
[[nodiscard]] std::string trunk_metrics(const trunk_book& book);

} // namespace jackfield::app

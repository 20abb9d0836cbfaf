#pragma once

#include <optional>
#include <string_view>

#include "engine/policy/agent_desk.hpp"
#include "engine/policy/queue_desk.hpp"

/// How configuration, events and displays call things.
namespace jackfield::policy {

/// "ring-all", "longest-idle", ...
[[nodiscard]] std::string_view to_string(strategy what) noexcept;
[[nodiscard]] std::optional<strategy> strategy_of(std::string_view name) noexcept;
/// "logged_out", "ready", ...; so the others.
[[nodiscard]] std::string_view to_string(agent_state what) noexcept;
[[nodiscard]] std::string_view to_string(presence what) noexcept;
[[nodiscard]] std::string_view to_string(join_refusal what) noexcept;
[[nodiscard]] std::string_view to_string(overflow_reason what) noexcept;
[[nodiscard]] std::string_view to_string(offer_result what) noexcept;
[[nodiscard]] std::string_view to_string(bid_verdict what) noexcept;
[[nodiscard]] std::string_view to_string(withdrawal_reason what) noexcept;

} // namespace jackfield::policy

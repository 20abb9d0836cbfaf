#include "engine/policy/names.hpp"

#include <algorithm>
#include <array>
#include <cstddef>

namespace jackfield::policy {

namespace {

template <class Enum, size_t N>
std::string_view name_in(const std::array<std::string_view, N>& names, Enum what) noexcept {
  const auto at = static_cast<size_t>(what);
  return at < N ? names[at] : std::string_view{"?"};
}

constexpr std::array<std::string_view, 7> strategy_names{
  "ring-all",        "longest-idle", "round-robin", "top-down",
  "least-talk-time", "fewest-calls", "random"};
constexpr std::array<std::string_view, 10> agent_state_names{
  "logged_out", "ready",   "paused",  "reserved", "offered",
  "answered",   "in_call", "wrap_up", "resting",  "unreachable"};
constexpr std::array<std::string_view, 4> presence_names{"away", "paused", "busy", "available"};
constexpr std::array<std::string_view, 6> join_refusal_names{
  "closed", "full", "nobody_logged_in", "nobody_working", "wait_too_long", "already_waiting"};
constexpr std::array<std::string_view, 4> overflow_reason_names{"max_wait", "no_agents", "closed",
                                                                "shrunk"};
constexpr std::array<std::string_view, 7> offer_result_names{
  "answered", "rejected", "no_answer", "busy", "unreachable", "caller_gone", "not_reserved"};
constexpr std::array<std::string_view, 6> bid_verdict_names{"granted", "unavailable", "reserved",
                                                            "outbid",  "withdrawn",   "not_member"};
constexpr std::array<std::string_view, 4> withdrawal_reason_names{
  "caller_left", "answered_elsewhere", "lease_over", "not_member"};

} // namespace

std::string_view to_string(strategy what) noexcept {
  return name_in(strategy_names, what);
}

std::optional<strategy> strategy_of(std::string_view name) noexcept {
  const auto at = std::ranges::find(strategy_names, name);
  if (at == strategy_names.end())
    return std::nullopt;
  return static_cast<strategy>(at - strategy_names.begin());
}

std::string_view to_string(agent_state what) noexcept {
  return name_in(agent_state_names, what);
}

std::string_view to_string(presence what) noexcept {
  return name_in(presence_names, what);
}

std::string_view to_string(join_refusal what) noexcept {
  return name_in(join_refusal_names, what);
}

std::string_view to_string(overflow_reason what) noexcept {
  return name_in(overflow_reason_names, what);
}

std::string_view to_string(offer_result what) noexcept {
  return name_in(offer_result_names, what);
}

std::string_view to_string(bid_verdict what) noexcept {
  return name_in(bid_verdict_names, what);
}

std::string_view to_string(withdrawal_reason what) noexcept {
  return name_in(withdrawal_reason_names, what);
}

} // namespace jackfield::policy

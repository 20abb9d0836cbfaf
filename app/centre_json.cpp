#include "app/centre_json.hpp"

#include <chrono>
#include <optional>

#include <nlohmann/json.hpp>

#include "engine/policy/names.hpp"

namespace jackfield::app {

namespace {

using json = nlohmann::ordered_json;
using std::chrono::duration_cast;

int64_t milliseconds(lane::duration d) {
  return duration_cast<std::chrono::milliseconds>(d).count();
}

int64_t microseconds(std::chrono::system_clock::time_point at) {
  return duration_cast<std::chrono::microseconds>(at.time_since_epoch()).count();
}

json milliseconds_or_null(const std::optional<lane::duration>& d) {
  return d ? json(milliseconds(*d)) : json(nullptr);
}

json text_or_null(std::string_view text) {
  return text.empty() ? json(nullptr) : json(text);
}

json level(const char* formula, std::optional<double> value) {
  json out;
  out["formula"] = formula;
  out["value"] = value ? json(*value) : json(nullptr);
  return out;
}

// What peers say of themselves may be no UTF-8.
std::string dumped(const json& what) {
  return what.dump(-1, ' ', false, json::error_handler_t::replace);
}

} // namespace

std::string queue_json(const centre_plan::queue_plan& plan, const queue_state& state,
                       bool with_line, size_t first) {
  const auto& f = state.figures;
  json out;
  out["name"] = state.name;
  out["numbers"] = plan.numbers;
  out["strategy"] = policy::to_string(plan.rules.picks);
  out["offered"] = f.offered;
  out["refused"] = f.refused;
  out["answered"] = f.answered;
  out["abandoned"] = f.abandoned;
  out["overflowed"] = f.overflowed;
  out["withdrawn"] = f.withdrawn;
  out["service_level_within_ms"] = milliseconds(plan.rules.service_level_within);
  out["service_levels"] = {level("answered_within / answered", f.service_level_of_answered()),
                           level("(answered_within + abandoned_within) / (answered + abandoned)",
                                 f.service_level_of_ended()),
                           level("answered_within / offered", f.service_level_of_offered())};
  out["mean_wait_ms"] = milliseconds_or_null(f.mean_answered_wait());
  out["longest_wait_ms"] = milliseconds(f.longest_wait);
  out["waiting"] = state.waiting;
  out["longest_waiting_ms"] = milliseconds(state.longest_wait);
  out["logged_in"] = state.logged_in;
  out["available"] = state.available;
  if (with_line) {
    auto& calls = out["calls"] = json::array();
    for (size_t i = 0; i < state.line.size(); ++i) {
      const auto& each = state.line[i];
      json one;
      one["id"] = std::to_string(each.call);
      one["call_id"] = each.call_id;
      one["from"] = each.from;
      one["position"] = first + i + 1;
      one["waited_ms"] = milliseconds(each.waited);
      one["priority"] = each.priority;
      calls.push_back(std::move(one));
    }
    const auto end = first + state.line.size();
    out["next"] =
      !state.line.empty() && end < state.waiting ? json(std::to_string(end)) : json(nullptr);
  }
  return dumped(out);
}

std::string agent_json(const agent_state_told& state, const std::vector<std::string>& queues) {
  json out;
  out["name"] = state.name;
  out["state"] = policy::to_string(state.state);
  out["since_us"] = microseconds(state.since);
  out["until_us"] = state.until ? json(microseconds(*state.until)) : json(nullptr);
  out["pause_reason"] = text_or_null(state.pause_reason);
  out["pending"] = text_or_null(state.log_out_pending ? "logged_out"
                                : state.pause_pending ? "paused"
                                                      : "");
  out["registered"] = state.registered;
  out["queues"] = queues;
  out["calls_answered"] = state.answered_calls;
  out["talk_time_ms"] = milliseconds(state.talk_time);
  return dumped(out);
}

std::string trunk_json(const trunk_line& line) {
  const auto& profile = line.profile();
  json out;
  out["name"] = profile.name;
  out["uri"] = profile.uri;
  out["in_service"] = line.in_service();
  out["registered"] = line.registered();
  out["calls"] = line.calls();
  out["most_calls"] =
    profile.most_calls == trunk_profile::no_limit ? json(nullptr) : json(profile.most_calls);
  out["came"] = line.came();
  out["placed"] = line.placed();
  out["not_taken"] = line.not_taken();
  return dumped(out);
}

std::string call_json(const centre_view::call& call, std::chrono::system_clock::time_point now) {
  json out;
  out["id"] = std::to_string(call.number);
  out["call_id"] = call.call_id;
  out["from"] = call.from;
  out["queue"] = call.queue;
  out["state"] = call.agent.empty() ? "waiting" : "talking";
  out["agent"] = text_or_null(call.agent);
  out["since_us"] = microseconds(call.since);
  out["for_ms"] = duration_cast<std::chrono::milliseconds>(now - call.since).count();
  return dumped(out);
}

std::string list_json(const char* name, const std::vector<std::string>& parts,
                      const std::string& next) {
  auto out = "{\"" + std::string{name} + "\":[";
  for (const auto& each : parts)
    out.append(&each == &parts.front() ? "" : ",").append(each);
  return out + "],\"next\":" + dumped(text_or_null(next)) + "}\n";
}

} // namespace jackfield::app

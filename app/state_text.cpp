#include "app/state_text.hpp"

#include <algorithm>
#include <chrono>
#include <cstdint>
#include <iterator>
#include <optional>
#include <string_view>
#include <utility>

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include "engine/report/escape.hpp"
#include "engine/report/figures.hpp"

namespace jackfield::app {

namespace {

using storage::run_overview;

/// Names and values in their order, from which text and JSON are made.
using fields = nlohmann::ordered_json;

nlohmann::ordered_json time_of(std::optional<storage::wall_time> t) {
  if (!t || *t == storage::wall_time{})
    return nullptr;
  return report::iso_utc(std::chrono::time_point_cast<std::chrono::system_clock::duration>(*t));
}

/// "ended", "cut off" by a crash, or "under way".
std::string_view state_of(const run_overview& run, bool in_use) {
  if (run.run.ended_by == storage::run_record::crashed)
    return "cut off";
  if (run.run.ended)
    return "ended";
  return in_use ? "under way" : "cut off";
}

fields fields_of(const run_overview& run, bool in_use) {
  return {{"run", run.number},
          {"kind", run.run.kind},
          {"command", run.run.command},
          {"state", state_of(run, in_use)},
          {"started", time_of(run.run.started)},
          {"ended", time_of(run.run.ended)},
          {"ended_by", run.run.ended_by.empty() ? fields{} : fields(run.run.ended_by)},
          {"seed", run.run.seed},
          {"calls_finished", run.calls_finished},
          {"calls_under_way", run.calls_under_way},
          {"registrations", run.registrations}};
}

std::string_view direction_of(bool incoming) {
  return incoming ? "incoming" : "outgoing";
}

/// A time that lasts, in seconds.
std::string seconds(std::chrono::nanoseconds length) {
  return fmt::format("{:.3f}", std::chrono::duration<double>(length).count());
}

/// Where it waits or waited, if it is a caller's leg to a queue.
void add(fields& all, const std::optional<storage::queueing_record>& queueing) {
  if (!queueing)
    return;
  all["queue"] = queueing->queue;
  all["priority"] = queueing->priority;
  all["since"] = time_of(queueing->since);
  all["agent"] = queueing->agent.empty() ? fields{} : fields(queueing->agent);
  all["taken"] = time_of(queueing->taken);
}

fields fields_of(const storage::call_key& id, const storage::call_record& call) {
  fields all{{"id", id.text()},
             {"state", call.answered ? "answered" : "not answered yet"},
             {"direction", direction_of(call.incoming)},
             {"call_id", call.call_id},
             {"from", call.from},
             {"to", call.to},
             {"started", time_of(call.started)},
             {"answered", time_of(call.answered)},
             {"leg", call.leg},
             {"target", call.target}};
  add(all, call.queueing);
  return all;
}

fields fields_of(const storage::call_key& id, const storage::registration_record& made) {
  return {{"id", id.text()},
          {"state", made.registered ? "registered" : "not registered yet"},
          {"address", made.aor},
          {"contact", made.contact},
          {"registrar", made.registrar},
          {"call_id", made.call_id},
          {"cseq", made.cseq},
          {"expires", made.expires},
          {"started", time_of(made.started)},
          {"registered", time_of(made.registered)},
          {"until", time_of(made.until)},
          {"leg", made.leg},
          {"target", made.target}};
}

fields fields_of(const storage::finished_call& f) {
  const auto& call = f.call;
  fields all{{"id", call.call.text()},
             {"state", "finished"},
             {"direction", direction_of(call.incoming)},
             {"call_id", call.call_id},
             {"from", call.from},
             {"to", call.to},
             {"started", time_of(call.started)},
             {"answered", time_of(call.answered)},
             {"ended", time_of(call.ended)},
             {"cause", call.cause.empty() ? "completed" : call.cause},
             {"status", call.status == 0 ? fields{} : fields(call.status)},
             {"seq", f.sequence}};
  add(all, call.queueing);
  if (call.queueing) {
    all["waited"] = seconds(call.queueing->waited(call.ended));
    all["talked"] = seconds(call.queueing->talked(call.ended));
    all["left"] = call.queueing->left;
  }
  return all;
}

std::string json_of(const fields& all) {
  return all.dump(2, ' ', true, fields::error_handler_t::replace) + "\n";
}

/// One a line: "calls finished  12".
std::string text_of(const fields& all) {
  size_t width = 0;
  for (const auto& field : all.items())
    width = std::max(width, field.key().size());
  std::string out;
  for (const auto& field : all.items()) {
    auto name = field.key();
    std::ranges::replace(name, '_', ' ');
    const auto& value = field.value();
    const auto text = value.is_null()     ? std::string{"-"}
                      : value.is_string() ? value.get_ref<const std::string&>()
                                          : value.dump();
    fmt::format_to(std::back_inserter(out), "{:<{}}  {}\n", name, width,
                   report::escape_terminal(text));
  }
  return out;
}

} // namespace

std::string list_text(const std::vector<run_overview>& runs, bool in_use) {
  std::string out = fmt::format("{:>5}  {:<6}  {:<24}  {:<24}  {:>11}  {:>9}  {}\n", "run", "kind",
                                "started", "ended", "finished", "under way", "command");
  uint64_t finished = 0;
  uint64_t under_way = 0;
  uint64_t registrations = 0;
  for (const auto& run : runs) {
    finished += run.calls_finished;
    under_way += run.calls_under_way;
    registrations += run.registrations;
    const auto state = state_of(run, in_use);
    const auto started = time_of(run.run.started);
    const auto ended = state == "ended" ? time_of(run.run.ended) : fields(state);
    fmt::format_to(std::back_inserter(out), "{:>5}  {:<6}  {:<24}  {:<24}  {:>11}  {:>9}  {}\n",
                   run.number, report::escape_terminal(run.run.kind),
                   started.is_null() ? "-" : started.get_ref<const std::string&>(),
                   ended.is_null() ? "-" : ended.get_ref<const std::string&>(),
                   report::grouped(run.calls_finished), report::grouped(run.calls_under_way),
                   report::escape_terminal(run.run.command));
  }
  fmt::format_to(std::back_inserter(out), "{} {}, {} calls finished, {} under way",
                 report::grouped(runs.size()), runs.size() == 1 ? "run" : "runs",
                 report::grouped(finished), report::grouped(under_way));
  if (registrations > 0)
    fmt::format_to(std::back_inserter(out), ", {} {}", report::grouped(registrations),
                   registrations == 1 ? "registration" : "registrations");
  out += '\n';
  return out;
}

std::string list_json(const std::vector<run_overview>& runs, bool in_use) {
  auto all = fields::array();
  uint64_t finished = 0;
  uint64_t under_way = 0;
  uint64_t registrations = 0;
  for (const auto& run : runs) {
    finished += run.calls_finished;
    under_way += run.calls_under_way;
    registrations += run.registrations;
    all.push_back(fields_of(run, in_use));
  }
  return json_of({{"runs", std::move(all)},
                  {"calls_finished", finished},
                  {"calls_under_way", under_way},
                  {"registrations", registrations}});
}

std::string run_text(const run_overview& run, bool in_use) {
  return text_of(fields_of(run, in_use));
}

std::string run_json(const run_overview& run, bool in_use) {
  return json_of(fields_of(run, in_use));
}

std::string call_text(const storage::call_key& id, const storage::call_record& call) {
  return text_of(fields_of(id, call));
}

std::string call_json(const storage::call_key& id, const storage::call_record& call) {
  return json_of(fields_of(id, call));
}

std::string registration_text(const storage::call_key& id,
                              const storage::registration_record& made) {
  return text_of(fields_of(id, made));
}

std::string registration_json(const storage::call_key& id,
                              const storage::registration_record& made) {
  return json_of(fields_of(id, made));
}

std::string call_text(const storage::finished_call& call) {
  return text_of(fields_of(call));
}

std::string call_json(const storage::finished_call& call) {
  return json_of(fields_of(call));
}

} // namespace jackfield::app

#include "storage/run_book.hpp"

#include <algorithm>
#include <functional>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "storage/commit_log.hpp"

namespace jackfield::storage {

namespace {

/// Calls closed in one batch.
constexpr size_t calls_a_batch = 1000;

outcome<void> write_run(store& s, uint64_t number, const run_record& run,
                        const event_record& event) {
  auto log = commit_log::begin(s);
  if (!log)
    return tl::unexpected{std::move(log.error())};
  change c;
  c.writes.put(keyspace::runs, run_key(number), pack(run));
  c.events.push_back(pack(event));
  c.how = durability::durable;
  log->add(std::move(c));
  return log->commit();
}

tl::unexpected<fault> unreadable(std::string_view what, error why) {
  return fail(fault_kind::corrupt, std::string{what}, std::move(why.cause));
}

} // namespace

outcome<wall_time> last_heard(const store& s) {
  auto key = s.last_key(keyspace::events);
  if (!key)
    return tl::unexpected{std::move(key.error())};
  if (!*key)
    return wall_time{};
  auto bytes = s.read(keyspace::events, **key);
  if (!bytes)
    return tl::unexpected{std::move(bytes.error())};
  if (!*bytes)
    return wall_time{};
  auto event = unpack_event(**bytes);
  if (!event)
    return unreadable("the last event", std::move(event.error()));
  return event->at;
}

namespace {

outcome<std::vector<open_run>> open_runs(const store& s) {
  std::vector<open_run> open;
  std::optional<error> bad;
  auto scanned = s.scan(keyspace::runs, {}, {}, [&](std::string_view key, std::string_view value) {
    const auto number = number_of_key(key);
    auto run = unpack_run(value);
    if (!number || !run) {
      bad = run ? error{{}, "its key is no number"} : std::move(run.error());
      return false;
    }
    if (!run->ended)
      open.push_back({*number, std::move(*run)});
    return true;
  });
  if (!scanned)
    return tl::unexpected{std::move(scanned.error())};
  if (bad)
    return unreadable("a run", std::move(*bad));
  return open;
}

/// Ends runs that have not, as cut off; returns how many.
outcome<uint64_t> end_open_runs(store& s, wall_time heard, uint64_t but) {
  auto open = open_runs(s);
  if (!open)
    return tl::unexpected{std::move(open.error())};
  std::erase_if(*open, [but](const open_run& run) { return run.number == but; });
  for (auto& [number, record] : *open) {
    record.ended = std::max(heard, record.started);
    record.ended_by = run_record::crashed;
    const event_record event{*record.ended, run_ended{number, record.ended_by}};
    if (auto ended = write_run(s, number, record, event); !ended)
      return tl::unexpected{std::move(ended.error())};
  }
  return open->size();
}

/// From that key on, and until `visit` says no.
outcome<void> visit_calls(const store& s, std::string_view from,
                          const std::function<bool(interrupted_call)>& visit) {
  std::optional<error> bad;
  auto scanned =
    s.scan(keyspace::calls, from, {}, [&](std::string_view key, std::string_view value) {
      const auto call = call_of_key(key);
      auto record = unpack_call(value);
      if (!call || !record) {
        bad = record ? error{{}, "its key is no call's"} : std::move(record.error());
        bad->place = call ? "a call of run " + std::to_string(call->run) : "a call under way";
        return false;
      }
      return visit({*call, std::move(*record)});
    });
  if (scanned && bad)
    return tl::unexpected<fault>{fault{fault_kind::corrupt, std::move(*bad)}};
  return scanned;
}

/// Closes some calls, from that key on; returns the key to go on from, or nothing.
outcome<std::string> close_some(store& s, commit_log& log, wall_time heard, std::string_view from,
                                const std::function<bool(const interrupted_call&)>& which,
                                closed_runs& counts) {
  change c;
  c.how = durability::durable;
  size_t closed = 0;
  std::string next;
  auto visited = visit_calls(s, from, [&](interrupted_call call) {
    if (which && !which(call))
      return true;
    if (closed == calls_a_batch) {
      next = key_of(call.key);
      return false;
    }
    ++closed;
    auto& record = call.record;
    call_ended end;
    end.call = call.key;
    end.incoming = record.incoming;
    end.call_id = std::move(record.call_id);
    end.from = std::move(record.from);
    end.to = std::move(record.to);
    end.started = record.started;
    end.answered = record.answered;
    end.ended = std::max(heard, record.answered.value_or(record.started));
    end.cause = record.answered ? call_ended::engine_restart : call_ended::indeterminate;
    end.status = record.answered ? 200 : 0;
    end.queueing = std::move(record.queueing);
    if (end.queueing && end.queueing->left.empty())
      end.queueing->left = call_ended::engine_restart;
    ++(record.answered ? counts.answered : counts.indeterminate);
    c.writes.erase(keyspace::calls, key_of(call.key));
    c.events.push_back(pack(event_record{end.ended, std::move(end)}));
    return true;
  });
  if (!visited)
    return tl::unexpected{std::move(visited.error())};
  log.add(std::move(c));
  if (auto done = log.commit(); !done)
    return tl::unexpected{std::move(done.error())};
  return next;
}

} // namespace

outcome<uint64_t> begin_run(store& s, const run_record& run) {
  auto last = s.last_key(keyspace::runs);
  if (!last)
    return tl::unexpected{std::move(last.error())};
  const auto before = *last ? number_of_key(**last) : std::optional<uint64_t>{0};
  if (!before)
    return fail(fault_kind::corrupt, "runs", "the last key is no number");
  const auto number = *before + 1;
  if (auto done = write_run(s, number, run, {run.started, run_started{number}}); !done)
    return tl::unexpected{std::move(done.error())};
  return number;
}

outcome<run_record> read_run(const store& s, uint64_t run) {
  auto bytes = s.read(keyspace::runs, run_key(run));
  if (!bytes)
    return tl::unexpected{std::move(bytes.error())};
  if (!*bytes)
    return fail(fault_kind::corrupt, "run " + std::to_string(run), "is not in the store any more");
  auto record = unpack_run(**bytes);
  if (!record)
    return unreadable("run " + std::to_string(run), std::move(record.error()));
  return std::move(*record);
}

outcome<std::optional<open_run>> last_open_run(const store& s, std::string_view kind) {
  auto open = open_runs(s);
  if (!open)
    return tl::unexpected{std::move(open.error())};
  const auto last = std::find_if(open->rbegin(), open->rend(),
                                 [&](const open_run& run) { return run.record.kind == kind; });
  return last == open->rend() ? std::nullopt : std::optional{std::move(*last)};
}

outcome<uint64_t> resume_run(store& s, uint64_t run, wall_time at) {
  auto record = read_run(s, run);
  if (!record)
    return tl::unexpected{std::move(record.error())};
  ++record->resumed;
  if (auto done = write_run(s, run, *record, {at, run_resumed{run}}); !done)
    return tl::unexpected{std::move(done.error())};
  return run;
}

outcome<void> end_run(store& s, uint64_t run, wall_time at, std::string_view ended_by) {
  auto record = read_run(s, run);
  if (!record)
    return tl::unexpected{std::move(record.error())};
  record->ended = at;
  record->ended_by = ended_by;
  return write_run(s, run, *record, {at, run_ended{run, std::string{ended_by}}});
}

outcome<std::vector<interrupted_call>> interrupted_calls(const store& s) {
  std::vector<interrupted_call> all;
  auto visited = visit_calls(s, {}, [&](interrupted_call call) {
    all.push_back(std::move(call));
    return true;
  });
  if (!visited)
    return tl::unexpected{std::move(visited.error())};
  return all;
}

outcome<closed_runs> close_interrupted(store& s,
                                       const std::function<bool(const interrupted_call&)>& which,
                                       uint64_t going_on) {
  closed_runs counts;
  const auto heard = last_heard(s);
  if (!heard)
    return tl::unexpected{heard.error()};
  auto log = commit_log::begin(s);
  if (!log)
    return tl::unexpected{std::move(log.error())};
  std::string from;
  do {
    auto next = close_some(s, *log, *heard, from, which, counts);
    if (!next)
      return tl::unexpected{std::move(next.error())};
    from = std::move(*next);
  } while (!from.empty());
  auto runs = end_open_runs(s, *heard, going_on);
  if (!runs)
    return tl::unexpected{std::move(runs.error())};
  counts.runs = *runs;
  return counts;
}

} // namespace jackfield::storage

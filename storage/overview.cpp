#include "storage/overview.hpp"

#include <algorithm>
#include <string>
#include <string_view>
#include <utility>
#include <variant>

#include "storage/scan.hpp"

namespace jackfield::storage {

namespace {

template <class Look>
outcome<void> scan_all(const store& s, keyspace space, Look look) {
  return scan_records(s, space, {}, {}, std::move(look));
}

tl::unexpected<error> unreadable(std::string place, error why) {
  return tl::unexpected<error>{error{std::move(place), std::move(why.cause)}};
}

/// `see` gets the number and the record of each event, and returns whether to go on.
template <class See>
outcome<void> scan_events(const store& s, See see) {
  return scan_all(
    s, keyspace::events, [&](std::string_view key, std::string_view value) -> result<bool> {
      const auto number = number_of_key(key);
      if (!number)
        return unreadable("an event", {{}, "its key is no number"});
      auto event = unpack_event(value);
      if (!event)
        return unreadable("event " + std::to_string(*number), std::move(event.error()));
      return see(*number, std::move(*event));
    });
}

run_overview* find(std::vector<run_overview>& runs, uint64_t number) {
  const auto at = std::ranges::lower_bound(runs, number, {}, &run_overview::number);
  return at == runs.end() || at->number != number ? nullptr : &*at;
}

} // namespace

outcome<std::vector<run_overview>> overview(const store& s) {
  std::vector<run_overview> runs;
  auto read =
    scan_all(s, keyspace::runs, [&](std::string_view key, std::string_view value) -> result<bool> {
      const auto number = number_of_key(key);
      if (!number)
        return unreadable("a run", {{}, "its key is no number"});
      auto run = unpack_run(value);
      if (!run)
        return unreadable("run " + std::to_string(*number), std::move(run.error()));
      runs.push_back({*number, std::move(*run)});
      return true;
    });
  if (read)
    read = scan_events(s, [&](uint64_t /*sequence*/, const event_record& event) {
      const auto* ended = std::get_if<call_ended>(&event.what);
      if (auto* run = ended != nullptr ? find(runs, ended->call.run) : nullptr)
        ++run->calls_finished;
      return true;
    });
  if (read)
    read = scan_all(s, keyspace::calls,
                    [&](std::string_view key, std::string_view /*value*/) -> result<bool> {
                      const auto call = call_of_key(key);
                      if (!call)
                        return unreadable("a call", {{}, "its key is no call's"});
                      if (auto* run = find(runs, call->run))
                        ++run->calls_under_way;
                      return true;
                    });
  if (read)
    read = scan_all(s, keyspace::registrations,
                    [&](std::string_view key, std::string_view /*value*/) -> result<bool> {
                      const auto made = registration_of_key(key);
                      if (auto* run = made ? find(runs, made->run) : nullptr)
                        ++run->registrations;
                      return true;
                    });
  if (!read)
    return tl::unexpected{std::move(read.error())};
  return runs;
}

outcome<std::optional<call_record>> find_under_way(const store& s, const call_key& call) {
  auto bytes = s.read(keyspace::calls, key_of(call));
  if (!bytes)
    return tl::unexpected{std::move(bytes.error())};
  if (!*bytes)
    return std::nullopt;
  auto record = unpack_call(**bytes);
  if (!record)
    return fail(fault_kind::corrupt, "call " + call.text(), std::move(record.error().cause));
  return std::optional{std::move(*record)};
}

outcome<std::optional<registration_record>> find_registration(const store& s,
                                                              const call_key& which) {
  auto bytes = s.read(keyspace::registrations, registration_key(which));
  if (!bytes)
    return tl::unexpected{std::move(bytes.error())};
  if (!*bytes)
    return std::nullopt;
  auto record = unpack_registration(**bytes);
  if (!record)
    return fail(fault_kind::corrupt, "registration " + which.text(),
                std::move(record.error().cause));
  return std::optional{std::move(*record)};
}

outcome<std::optional<finished_call>> find_finished(const store& s, const call_key& call) {
  std::optional<finished_call> found;
  auto read = scan_events(s, [&](uint64_t sequence, event_record event) {
    auto* ended = std::get_if<call_ended>(&event.what);
    if (ended == nullptr || ended->call != call)
      return true;
    found = finished_call{sequence, std::move(*ended)};
    return false;
  });
  if (!found && !read) // what else is damaged does not hide it
    return tl::unexpected{std::move(read.error())};
  return found;
}

} // namespace jackfield::storage

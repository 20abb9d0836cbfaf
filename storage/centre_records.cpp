#include "storage/centre_records.hpp"

#include <algorithm>
#include <utility>

#include <storage/records.pb.h>

#include "storage/packing.hpp"
#include "storage/scan.hpp"

namespace jackfield::storage {

namespace {

constexpr std::string_view agent_prefix = "agent/";
constexpr std::string_view queue_prefix = "queue/";
constexpr std::string_view callback_prefix = "callback/";

std::optional<std::string_view> behind(std::string_view prefix, std::string_view key) {
  if (!key.starts_with(prefix))
    return std::nullopt;
  return key.substr(prefix.size());
}

std::chrono::nanoseconds nanoseconds_of(int64_t count) {
  return std::chrono::nanoseconds{count};
}

} // namespace

uint64_t queue_record::waiting() const noexcept {
  const auto gone = answered + abandoned + overflowed + withdrawn;
  return offered > gone ? offered - gone : 0;
}

std::string pack(const agent_record& record) {
  proto::Agent out;
  out.set_logged_in(record.logged_in);
  out.set_registered(record.registered);
  out.set_paused(record.paused);
  out.set_pause_pending(record.pause_pending);
  out.set_log_out_pending(record.log_out_pending);
  out.set_pause_reason(record.pause_reason);
  out.set_call_since(stamp(record.call_since));
  out.set_call_wrap_up(record.call_wrap_up.count());
  out.set_direct_call(record.direct_call);
  out.set_wrap_up_until(stamp(record.wrap_up_until));
  out.set_rest_until(stamp(record.rest_until));
  out.set_available_since(stamp(record.available_since));
  out.set_answered_calls(record.answered_calls);
  out.set_talk_time(record.talk_time.count());
  out.set_unanswered(record.unanswered);
  return bytes_of(out);
}

std::string pack(const queue_record& record) {
  proto::Queue out;
  out.set_offered(record.offered);
  out.set_refused(record.refused);
  out.set_answered(record.answered);
  out.set_abandoned(record.abandoned);
  out.set_overflowed(record.overflowed);
  out.set_withdrawn(record.withdrawn);
  out.set_answered_within(record.answered_within);
  out.set_abandoned_within(record.abandoned_within);
  out.set_answered_wait(record.answered_wait.count());
  out.set_abandoned_wait(record.abandoned_wait.count());
  out.set_longest_wait(record.longest_wait.count());
  out.set_between(record.between.count());
  out.set_intervals(record.intervals);
  for (const auto& each : record.turns) {
    auto& kept = *out.add_turns();
    kept.set_tier(each.tier);
    kept.set_position(each.position);
    kept.set_order(each.order);
  }
  return bytes_of(out);
}

std::string pack(const callback_record& record) {
  proto::Callback out;
  out.set_call_id(record.call_id);
  out.set_from(record.from);
  out.set_to(record.to);
  out.set_number(record.number);
  out.set_queue(record.queue);
  out.set_priority(record.priority);
  out.set_since(stamp(record.since));
  out.set_attempts(record.attempts);
  out.set_under_way(record.under_way);
  return bytes_of(out);
}

result<agent_record> unpack_agent(std::string_view bytes) {
  return message_in<proto::Agent>(bytes, "an agent").map([](const proto::Agent& in) {
    agent_record record;
    record.logged_in = in.logged_in();
    record.registered = in.registered();
    record.paused = in.paused();
    record.pause_pending = in.pause_pending();
    record.log_out_pending = in.log_out_pending();
    record.pause_reason = in.pause_reason();
    record.call_since = maybe_time_of(in.call_since());
    record.call_wrap_up = nanoseconds_of(in.call_wrap_up());
    record.direct_call = in.direct_call();
    record.wrap_up_until = maybe_time_of(in.wrap_up_until());
    record.rest_until = maybe_time_of(in.rest_until());
    record.available_since = time_of(in.available_since());
    record.answered_calls = in.answered_calls();
    record.talk_time = nanoseconds_of(in.talk_time());
    record.unanswered = in.unanswered();
    return record;
  });
}

result<queue_record> unpack_queue(std::string_view bytes) {
  return message_in<proto::Queue>(bytes, "a queue").map([](const proto::Queue& in) {
    queue_record record;
    record.offered = in.offered();
    record.refused = in.refused();
    record.answered = in.answered();
    record.abandoned = in.abandoned();
    record.overflowed = in.overflowed();
    record.withdrawn = in.withdrawn();
    record.answered_within = in.answered_within();
    record.abandoned_within = in.abandoned_within();
    record.answered_wait = nanoseconds_of(in.answered_wait());
    record.abandoned_wait = nanoseconds_of(in.abandoned_wait());
    record.longest_wait = nanoseconds_of(in.longest_wait());
    record.between = nanoseconds_of(in.between());
    record.intervals = in.intervals();
    for (const auto& each : in.turns())
      record.turns.push_back({static_cast<uint16_t>(each.tier()), each.position(), each.order()});
    return record;
  });
}

result<callback_record> unpack_callback(std::string_view bytes) {
  return message_in<proto::Callback>(bytes, "a callback").map([](const proto::Callback& in) {
    callback_record record;
    record.call_id = in.call_id();
    record.from = in.from();
    record.to = in.to();
    record.number = in.number();
    record.queue = in.queue();
    record.priority = in.priority();
    record.since = time_of(in.since());
    record.attempts = in.attempts();
    record.under_way = in.under_way();
    return record;
  });
}

std::string agent_key(std::string_view name) {
  return std::string{agent_prefix}.append(name);
}

std::string queue_key(std::string_view name) {
  return std::string{queue_prefix}.append(name);
}

std::string callback_key(std::string_view call_id) {
  return std::string{callback_prefix}.append(call_id);
}

std::optional<std::string_view> agent_of_key(std::string_view key) {
  return behind(agent_prefix, key);
}

std::optional<std::string_view> queue_of_key(std::string_view key) {
  return behind(queue_prefix, key);
}

std::optional<std::string_view> callback_of_key(std::string_view key) {
  return behind(callback_prefix, key);
}

outcome<kept_centre> read_centre(const store& s) {
  kept_centre all;
  auto scanned = scan_records(
    s, keyspace::meta, {}, {}, [&](std::string_view key, std::string_view value) -> result<bool> {
      if (const auto name = agent_of_key(key)) {
        auto record = unpack_agent(value);
        if (!record)
          return jackfield::fail("agent " + std::string{*name}, std::move(record.error().cause));
        all.agents.emplace(*name, std::move(*record));
      } else if (const auto queue = queue_of_key(key)) {
        auto record = unpack_queue(value);
        if (!record)
          return jackfield::fail("queue " + std::string{*queue}, std::move(record.error().cause));
        all.queues.emplace(*queue, std::move(*record));
      } else if (const auto call = callback_of_key(key)) {
        auto record = unpack_callback(value);
        if (!record)
          return jackfield::fail("callback " + std::string{*call}, std::move(record.error().cause));
        all.callbacks.push_back(std::move(*record));
      }
      return true;
    });
  if (!scanned)
    return tl::unexpected{std::move(scanned.error())};
  std::ranges::sort(all.callbacks, {}, &callback_record::since);
  return all;
}

} // namespace jackfield::storage

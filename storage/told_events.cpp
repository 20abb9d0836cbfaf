#include "storage/told_events.hpp"

#include <algorithm>
#include <utility>

#include <storage/records.pb.h>

#include "storage/packing.hpp"
#include "storage/scan.hpp"

namespace jackfield::storage {

namespace {

constexpr std::string_view told_prefix = "told/";
constexpr std::string_view webhook_prefix = "webhook/";

/// The first key that begins by no such prefix and is behind all that do.
std::string behind(std::string_view prefix) {
  std::string end{prefix};
  ++end.back();
  return end;
}

} // namespace

std::string pack(const told_event& record) {
  proto::ToldEvent out;
  out.set_name(record.name);
  out.set_line(record.line);
  return bytes_of(out);
}

std::string pack(const webhook_record& record) {
  proto::Webhook out;
  out.set_after(record.after);
  out.set_dropped(record.dropped);
  out.set_stream(record.stream);
  return bytes_of(out);
}

result<told_event> unpack_told_event(std::string_view bytes) {
  return message_in<proto::ToldEvent>(bytes, "a told event").map([](const proto::ToldEvent& in) {
    return told_event{in.name(), in.line()};
  });
}

result<webhook_record> unpack_webhook(std::string_view bytes) {
  return message_in<proto::Webhook>(bytes, "a webhook").map([](const proto::Webhook& in) {
    return webhook_record{in.after(), in.dropped(), in.stream()};
  });
}

std::string told_key(uint64_t number) {
  return std::string{told_prefix} + event_key(number);
}

std::string webhook_key(std::string_view name) {
  return std::string{webhook_prefix}.append(name);
}

bool is_told_key(std::string_view key) noexcept {
  return key.starts_with(told_prefix);
}

std::optional<uint64_t> told_of_key(std::string_view key) {
  return is_told_key(key) ? number_of_key(key.substr(told_prefix.size())) : std::nullopt;
}

std::optional<std::string_view> webhook_of_key(std::string_view key) {
  if (!key.starts_with(webhook_prefix))
    return std::nullopt;
  return key.substr(webhook_prefix.size());
}

void put_told_event(batch& into, uint64_t number, const told_event& event) {
  into.put(keyspace::meta, told_key(number), pack(event));
  if (number > kept_told_events)
    into.erase(keyspace::meta, told_key(number - kept_told_events));
}

outcome<told_so_far> read_told(const store& s) {
  told_so_far all;
  auto scanned = scan_records(s, keyspace::meta, told_prefix, behind(told_prefix),
                              [&](std::string_view key, std::string_view value) -> result<bool> {
                                const auto number = told_of_key(key);
                                auto event = unpack_told_event(value);
                                if (!number || !event)
                                  return jackfield::fail(
                                    "told event", number ? std::move(event.error().cause)
                                                         : std::string{"its key has not its form"});
                                if (*number != all.last + 1)
                                  all.events.clear();
                                all.last = *number;
                                all.events.push_back(std::move(*event));
                                return true;
                              });
  if (!scanned)
    return tl::unexpected{std::move(scanned.error())};
  auto last = all.last;
  scanned = scan_records(s, keyspace::meta, webhook_prefix, behind(webhook_prefix),
                         [&](std::string_view key, std::string_view value) -> result<bool> {
                           const auto name = webhook_of_key(key).value_or(key);
                           auto record = unpack_webhook(value);
                           if (!record)
                             return jackfield::fail("webhook " + std::string{name},
                                                    std::move(record.error().cause));
                           last = std::max(last, record->after);
                           all.webhooks.emplace(name, *record);
                           return true;
                         });
  if (!scanned)
    return tl::unexpected{std::move(scanned.error())};
  if (last > all.last)
    all.events.clear();
  all.last = last;
  return all;
}

} // namespace jackfield::storage

#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "storage/records.hpp"
#include "storage/store.hpp"

/// What happened in a contact centre, as its API and its webhooks tell of it, by numbers that go on
/// from one start to the next; and how far webhooks have come.
namespace jackfield::storage {

struct told_event {
  std::string name; ///< "call.entered"
  std::string line; ///< JSON

  friend bool operator==(const told_event&, const told_event&) = default;
};

struct webhook_record {
  uint64_t after = 0;   ///< it has been told of all events up to this one
  uint64_t dropped = 0; ///< events before it that were gone, and of which it has not been told yet
  uint64_t stream = 0;  ///< a random number

  friend bool operator==(const webhook_record&, const webhook_record&) = default;
};

[[nodiscard]] std::string pack(const told_event& record);
[[nodiscard]] std::string pack(const webhook_record& record);
/// As those of other records.
[[nodiscard]] result<told_event> unpack_told_event(std::string_view bytes);
[[nodiscard]] result<webhook_record> unpack_webhook(std::string_view bytes);

/// In `keyspace::meta`.
[[nodiscard]] std::string told_key(uint64_t number);
[[nodiscard]] std::string webhook_key(std::string_view name);
[[nodiscard]] bool is_told_key(std::string_view key) noexcept;
/// Nothing: it has not the form of one.
[[nodiscard]] std::optional<uint64_t> told_of_key(std::string_view key);
[[nodiscard]] std::optional<std::string_view> webhook_of_key(std::string_view key);

/// The last `kept_told_events` are kept.
inline constexpr uint64_t kept_told_events = 10'000;
/// Has an event written, and the one erased that is too many with it.
void put_told_event(batch& into, uint64_t number, const told_event& event);

/// All of a store.
struct told_so_far {
  std::vector<told_event> events; ///< the last ones, without a gap, up to `last`
  uint64_t last = 0;              ///< no event, and no webhook, is beyond that number
  std::map<std::string, webhook_record> webhooks; ///< by name
};
[[nodiscard]] outcome<told_so_far> read_told(const store& s);

} // namespace jackfield::storage

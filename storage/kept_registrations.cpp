#include "storage/kept_registrations.hpp"

#include <optional>
#include <string_view>
#include <utility>

namespace jackfield::storage {

outcome<std::vector<interrupted_registration>> interrupted_registrations(const store& s) {
  std::vector<interrupted_registration> all;
  std::optional<error> bad;
  auto scanned =
    s.scan(keyspace::registrations, first_registration_key(), end_of_registration_keys(),
           [&](std::string_view key, std::string_view value) {
             const auto which = registration_of_key(key);
             auto record = unpack_registration(value);
             if (!which || !record) {
               bad = record ? error{{}, "its key has not its form"} : std::move(record.error());
               bad->place =
                 which ? "registration " + which->text() : "a registration of a load run";
               return false;
             }
             all.push_back({*which, std::move(*record)});
             return true;
           });
  if (!scanned)
    return tl::unexpected{std::move(scanned.error())};
  if (bad)
    return tl::unexpected{fault{fault_kind::corrupt, std::move(*bad)}};
  return all;
}

outcome<void> erase_registrations(store& s, const std::vector<call_key>& which) {
  if (which.empty())
    return {};
  batch writes;
  for (const auto& one : which)
    writes.erase(keyspace::registrations, registration_key(one));
  return s.write(writes, durability::durable);
}

} // namespace jackfield::storage

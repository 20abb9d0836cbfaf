#include "storage/kept_registrations.hpp"

#include <string_view>
#include <utility>

#include "storage/scan.hpp"

namespace jackfield::storage {

outcome<std::vector<interrupted_registration>> interrupted_registrations(const store& s) {
  std::vector<interrupted_registration> all;
  auto scanned = scan_records(
    s, keyspace::registrations, first_registration_key(), end_of_registration_keys(),
    [&](std::string_view key, std::string_view value) -> result<bool> {
      const auto which = registration_of_key(key);
      if (!which)
        return jackfield::fail("a registration of a load run", "its key has not its form");
      auto record = unpack_registration(value);
      if (!record)
        return jackfield::fail("registration " + which->text(), std::move(record.error().cause));
      all.push_back({*which, std::move(*record)});
      return true;
    });
  if (!scanned)
    return tl::unexpected{std::move(scanned.error())};
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

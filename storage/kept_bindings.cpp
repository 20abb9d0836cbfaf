#include "storage/kept_bindings.hpp"

#include <optional>
#include <string_view>
#include <utility>

namespace jackfield::storage {

outcome<std::vector<kept_bindings>> read_bindings(const store& s) {
  std::vector<kept_bindings> all;
  std::optional<error> bad;
  auto scanned =
    s.scan(keyspace::registrations, {}, {}, [&](std::string_view key, std::string_view value) {
      const auto address = address_of_key(key);
      if (!address) // of a kind that a later version keeps
        return true;
      auto record = unpack_bindings(value);
      if (!record) {
        bad = error{"bindings of " + std::string{*address}, std::move(record.error().cause)};
        return false;
      }
      all.push_back({std::string{*address}, std::move(*record)});
      return true;
    });
  if (!scanned)
    return tl::unexpected{std::move(scanned.error())};
  if (bad)
    return tl::unexpected{fault{fault_kind::corrupt, std::move(*bad)}};
  return all;
}

} // namespace jackfield::storage

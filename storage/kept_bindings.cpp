#include "storage/kept_bindings.hpp"

#include <string_view>
#include <utility>

#include "storage/scan.hpp"

namespace jackfield::storage {

outcome<std::vector<kept_bindings>> read_bindings(const store& s) {
  std::vector<kept_bindings> all;
  auto scanned = scan_records(s, keyspace::registrations, {}, {},
                              [&](std::string_view key, std::string_view value) -> result<bool> {
                                const auto address = address_of_key(key);
                                if (!address) // of another kind
                                  return true;
                                auto record = unpack_bindings(value);
                                if (!record)
                                  return jackfield::fail("bindings of " + std::string{*address},
                                                         std::move(record.error().cause));
                                all.push_back({std::string{*address}, std::move(*record)});
                                return true;
                              });
  if (!scanned)
    return tl::unexpected{std::move(scanned.error())};
  return all;
}

} // namespace jackfield::storage

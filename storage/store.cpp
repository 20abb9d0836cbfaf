#include "storage/store.hpp"

#include <array>
#include <iterator>

namespace jackfield::storage {

std::string_view name_of(keyspace space) noexcept {
  static constexpr std::array<std::string_view, keyspaces> names{"default", "runs", "calls",
                                                                 "registrations", "events"};
  return names.at(static_cast<size_t>(space));
}

void batch::append(batch&& other) {
  std::move(other.entries_.begin(), other.entries_.end(), std::back_inserter(entries_));
  bytes_ += other.bytes_;
  other = {};
}

} // namespace jackfield::storage

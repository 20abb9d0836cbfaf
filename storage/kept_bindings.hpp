#pragma once

#include <string>
#include <vector>

#include "storage/records.hpp"
#include "storage/store.hpp"

namespace jackfield::storage {

/// Bindings of an address of record as they are in a store.
struct kept_bindings {
  std::string address; ///< "user@host"
  bindings_record record;
};

/// All that a store has, those that have expired meanwhile too, in the order of their addresses.
[[nodiscard]] outcome<std::vector<kept_bindings>> read_bindings(const store& s);

} // namespace jackfield::storage

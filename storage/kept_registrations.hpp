#pragma once

#include <vector>

#include "storage/records.hpp"
#include "storage/store.hpp"

/// Registrations that load runs made and that were not over when their process was: in a store that
/// no engine has begun to use.
namespace jackfield::storage {

struct interrupted_registration {
  call_key key;
  registration_record record;
};

/// All that there are, in the order of their keys.
[[nodiscard]] outcome<std::vector<interrupted_registration>>
interrupted_registrations(const store& s);

/// Erases those, durably.
outcome<void> erase_registrations(store& s, const std::vector<call_key>& which);

} // namespace jackfield::storage

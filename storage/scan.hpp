#pragma once

#include <optional>
#include <string_view>
#include <utility>

#include "storage/store.hpp"

namespace jackfield::storage {

/// Scans the keys from `first` on and before `end` (empty: all behind) with `look`, which gets each
/// key and value and returns a `result<bool>`: whether to go on, or what is wrong with it. That is
/// a fault then, `corrupt`.
template <class Look>
outcome<void> scan_records(const store& s, keyspace space, std::string_view first,
                           std::string_view end, Look look) {
  std::optional<error> bad;
  auto scanned = s.scan(space, first, end, [&](std::string_view key, std::string_view value) {
    result<bool> more = look(key, value);
    if (!more)
      bad = std::move(more.error());
    return more && *more;
  });
  if (scanned && bad)
    return tl::unexpected{fault{fault_kind::corrupt, std::move(*bad)}};
  return scanned;
}

} // namespace jackfield::storage

#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <utility>
#include <vector>

#include "storage/store.hpp"

namespace jackfield::storage {

/// What takes effect together: writes, and events that still have no sequence number.
struct change {
  batch writes;
  std::vector<std::string> events; ///< packed
  durability how = durability::async;

  [[nodiscard]] bool empty() const noexcept { return writes.empty() && events.empty(); }
  /// About what it holds in memory.
  [[nodiscard]] size_t bytes() const noexcept;
  /// Takes in one that came later. Both are durable then if one was to be.
  void append(change&& later);
};

/// The one writer of a store: writes changes in the order in which they came, gives events their
/// sequence numbers, and forgets nothing that could not be written yet.
class commit_log {
public:
  /// `s` outlives it. Reads where the sequence numbers stand.
  static outcome<commit_log> begin(store& s);

  void add(change&& c) { pending_.append(std::move(c)); }
  /// Writes all that was added, in one batch. Fails: it is still there, and goes first next time.
  outcome<void> commit();
  [[nodiscard]] const change& pending() const noexcept { return pending_; }
  /// The number of the next event.
  [[nodiscard]] uint64_t next_event() const noexcept { return next_event_; }

private:
  commit_log(store& s, uint64_t next_event) : store_(&s), next_event_(next_event) {}

  store* store_;
  change pending_;
  uint64_t next_event_;
};

} // namespace jackfield::storage

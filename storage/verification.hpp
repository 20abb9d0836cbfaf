#pragma once

#include <cstdint>
#include <vector>

#include "engine/error/error.hpp"
#include "storage/store.hpp"

namespace jackfield::storage {

/// What a store holds, and what of it contradicts FORMAT.md.
struct verification {
  /// Findings that are kept; those behind them are counted.
  static constexpr size_t most_findings = 20;

  uint64_t runs = 0;
  uint64_t calls_under_way = 0;
  uint64_t calls_finished = 0;
  uint64_t addresses = 0;     ///< of record, with bindings
  uint64_t registrations = 0; ///< that load runs made, and are not over
  uint64_t events = 0;
  uint64_t first_event = 0; ///< sequence number; 0: no events
  uint64_t last_event = 0;
  /// `place` says which record: "event 12", "call 3-1042", "run 3", "bindings of joe@example.com",
  /// "registration 4-7".
  std::vector<error> findings;
  uint64_t more_findings = 0;

  [[nodiscard]] bool sound() const noexcept { return findings.empty(); }
};

/// Reads all records of a store that nobody writes to meanwhile (`rocks_store::look` gives that).
/// Every key must have its form and every record unpack; event numbers rise without a gap, but from
/// the front; no call is finished twice, or finished and under way; what names a run names one that
/// there is; and a run that ended has no calls under way. Takes some bytes a run, and some a gap in
/// the numbers of its finished calls; not for each record. Fails where the store cannot be read.
[[nodiscard]] outcome<verification> verify(const store& s);

} // namespace jackfield::storage

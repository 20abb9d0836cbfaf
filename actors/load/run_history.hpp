#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <span>
#include <vector>

#include "actors/load/load_plan.hpp"
#include "engine/report/run_metrics.hpp"
#include "storage/records.hpp"
#include "storage/run_book.hpp"

namespace jackfield {

/// What a store has of a load run that a crash cut off: what it takes to go on with it.
struct run_history {
  /// How far a lane was when it last told.
  struct lane_mark {
    uint64_t next = 0; ///< its arrivals below that number were made, or missed
    uint64_t missed_by_limit = 0;
    uint64_t missed_by_generator = 0;
  };

  uint64_t run = 0;
  std::vector<lane_mark> lanes;
  /// Numbers of the calls of which there is a record, rising: none of them is made again.
  std::vector<uint64_t> made;
  /// Where its clock stands, from the first arrival on: at that of the first arrival that is still
  /// to be made, or, where all are, when it was last heard of.
  lane::duration elapsed{};
  /// Of all calls that were made, but for those that go on; and of those that were missed.
  report::run_metrics metrics;

  [[nodiscard]] bool was_offered(uint64_t number) const noexcept;
};

/// Reads what happened in that run. `left`: its calls that are under way in the store; those of
/// which `goes_on` says so will be finished by the run.
storage::outcome<std::shared_ptr<const run_history>>
read_history(const storage::store& s, uint64_t run, const load_plan& plan, unsigned lanes,
             std::span<const storage::interrupted_call> left,
             const std::function<bool(const storage::interrupted_call&)>& goes_on);

} // namespace jackfield

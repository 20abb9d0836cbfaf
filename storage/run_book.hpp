#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <string_view>
#include <vector>

#include "storage/records.hpp"
#include "storage/store.hpp"

/// The beginning and the end of runs, written to a store before its journal begins and after that
/// has ended.
namespace jackfield::storage {

/// Writes down that a run begins, durably; returns its number.
outcome<uint64_t> begin_run(store& s, const run_record& run);

outcome<run_record> read_run(const store& s, uint64_t run);

/// A run that has not ended, in a store that no engine has begun to use: a crash cut it off.
struct open_run {
  uint64_t number;
  run_record record;
};
/// The last one of that kind; nothing if there is none.
outcome<std::optional<open_run>> last_open_run(const store& s, std::string_view kind);

/// Writes down that it goes on, durably; returns its number.
outcome<uint64_t> resume_run(store& s, uint64_t run, wall_time at);

/// Writes down that it has ended, durably. `ended_by`: as in `run_record`.
outcome<void> end_run(store& s, uint64_t run, wall_time at, std::string_view ended_by);

/// When a store last heard of anything; 1970 if it never did.
outcome<wall_time> last_heard(const store& s);

/// What a crash left, and was closed.
struct closed_runs {
  uint64_t runs = 0;
  uint64_t indeterminate = 0; ///< attempts of which nobody knows how they ended
  uint64_t answered = 0;      ///< calls that were up
};

/// A call that a crash left.
struct interrupted_call {
  call_key key;
  call_record record;
};
/// All that are under way in a store that no engine has begun to use, in the order of their keys.
outcome<std::vector<interrupted_call>> interrupted_calls(const store& s);

/// Ends interrupted runs, but for `going_on` (0: none), and closes those of the calls under way of
/// which `which` says so (unset: all), without a word to the peers: each gets its record, with the
/// time at which the store last heard of anything as its end. Attempts without an outcome become
/// `indeterminate`, calls that were up end by `engine_restart`. A crash on the way harms nothing:
/// what is left is closed the next time.
outcome<closed_runs>
close_interrupted(store& s, const std::function<bool(const interrupted_call&)>& which = nullptr,
                  uint64_t going_on = 0);

} // namespace jackfield::storage

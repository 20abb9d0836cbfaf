#pragma once

#include <cstdint>
#include <optional>
#include <vector>

#include "storage/records.hpp"
#include "storage/store.hpp"

/// What people ask of a store: its runs, and single calls.
namespace jackfield::storage {

struct run_overview {
  uint64_t number = 0;
  run_record run;
  uint64_t calls_finished = 0;
  uint64_t calls_under_way = 0;
  uint64_t registrations = 0; ///< that it made, and are not over
};

/// All runs in the order of their numbers, with their calls and registrations counted: reads the
/// whole store. What is of a run that is missing is not counted. Fails with `corrupt` at a record
/// that does not unpack.
[[nodiscard]] outcome<std::vector<run_overview>> overview(const store& s);

struct finished_call {
  uint64_t sequence = 0; ///< of its event
  call_ended call;
};

/// A call under way, by its key.
[[nodiscard]] outcome<std::optional<call_record>> find_under_way(const store& s,
                                                                 const call_key& call);
/// A registration that a load run made and that is not over, by its key.
[[nodiscard]] outcome<std::optional<registration_record>> find_registration(const store& s,
                                                                            const call_key& which);
/// A finished call; reads events from the first on until it is there.
[[nodiscard]] outcome<std::optional<finished_call>> find_finished(const store& s,
                                                                  const call_key& call);

} // namespace jackfield::storage

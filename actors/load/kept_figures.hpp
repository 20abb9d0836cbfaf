#pragma once

#include "actors/load/load_script.hpp"
#include "storage/records.hpp"

/// What a store keeps of the figures of a load run's call.
namespace jackfield {

[[nodiscard]] storage::call_figures figures_of(const call_finished& call);

/// The call as it was told to its owner when it ended, for its accounting; times count from an
/// origin of their own.
[[nodiscard]] call_finished finished_of(const storage::call_ended& record);

} // namespace jackfield

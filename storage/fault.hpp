#pragma once

#include <cstdint>
#include <string>

#include <tl/expected.hpp>

#include "engine/error/error.hpp"

namespace jackfield::storage {

/// Why a store cannot be used. The values are exit codes of `jackfield`, beside those of
/// `report::exit_code`.
enum class fault_kind : uint8_t {
  missing = 10,   ///< there is no store
  in_use = 11,    ///< another engine has it
  forbidden = 12, ///< may not be written, or read
  disk_full = 13, ///< no space left
  corrupt = 14,   ///< what is there is not what was written
  torn = 15,      ///< the log ends within a record: what was not acknowledged yet is gone
  newer = 16,     ///< written by a later version
  failed = 17,    ///< anything else of the system's
};

/// What went wrong: `why.place` is the store's directory.
struct fault {
  fault_kind kind = fault_kind::failed;
  error why;
};

[[nodiscard, gnu::cold]] inline tl::unexpected<fault> fail(fault_kind kind, std::string place,
                                                           std::string cause) {
  return tl::unexpected<fault>(fault{kind, error{std::move(place), std::move(cause)}});
}

} // namespace jackfield::storage

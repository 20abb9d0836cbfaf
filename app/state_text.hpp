#pragma once

#include <string>
#include <vector>

#include "storage/overview.hpp"

namespace jackfield::app {

// What `jackfield state list` and `show` say; the JSON is ASCII. `in_use`: an engine has the store
// open, so that a last run without an end is under way; else it was cut off.

[[nodiscard]] std::string list_text(const std::vector<storage::run_overview>& runs, bool in_use);
[[nodiscard]] std::string list_json(const std::vector<storage::run_overview>& runs, bool in_use);
[[nodiscard]] std::string run_text(const storage::run_overview& run, bool in_use);
[[nodiscard]] std::string run_json(const storage::run_overview& run, bool in_use);
[[nodiscard]] std::string call_text(const storage::call_key& id, const storage::call_record& call);
[[nodiscard]] std::string call_json(const storage::call_key& id, const storage::call_record& call);
[[nodiscard]] std::string registration_text(const storage::call_key& id,
                                            const storage::registration_record& made);
[[nodiscard]] std::string registration_json(const storage::call_key& id,
                                            const storage::registration_record& made);
[[nodiscard]] std::string call_text(const storage::finished_call& call);
[[nodiscard]] std::string call_json(const storage::finished_call& call);

} // namespace jackfield::app

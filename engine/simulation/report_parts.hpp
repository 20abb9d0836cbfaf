#pragma once

#include <optional>
#include <string>

#include <nlohmann/json_fwd.hpp>

#include "engine/simulation/single_queue.hpp"

/// What reports have in common, of one queue, simulated or live, and of a day.
namespace jackfield::simulation {

/// To six decimals; null for nothing, and for what is no number.
[[nodiscard]] nlohmann::ordered_json json_number(std::optional<double> value);
[[nodiscard]] nlohmann::ordered_json model_json(const single_queue& queue);
/// What callers and agents do, in a line.
[[nodiscard]] std::string model_text(const single_queue& queue);
/// That the formula is for something else; for one that is not `theory_exact`.
[[nodiscard]] std::string inexact_theory(const single_queue& queue);

/// "12.34 s", or "56.78 %".
[[nodiscard]] std::string figure_text(double value, bool in_seconds);
/// "20 s", unrounded.
[[nodiscard]] std::string shown_length(duration length);

} // namespace jackfield::simulation

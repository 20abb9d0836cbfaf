#pragma once

#include <string>
#include <vector>

#include "actors/load/load_settings.hpp"
#include "app/option_reader.hpp"
#include "engine/report/verdict.hpp"

namespace jackfield::app {

/// What is made of how calls went, and of how punctual we were: --callee-hangs-up, --when-full,
/// --start-within, --bound.
struct outcome_texts {
  std::string callee_hangs_up, when_full, start_within;
  std::vector<std::string> bounds;
};
void declare_outcome(CLI::App& app, outcome_texts& t, const std::string& plan,
                     const std::string& out);
void read_outcome(option_reader& r, const outcome_texts& t, load_settings& settings,
                  report::validity_bounds& bounds);

} // namespace jackfield::app

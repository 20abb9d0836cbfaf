#pragma once

#include <string>
#include <unordered_map>

#include "actors/centre/centre.hpp"
#include "app/config_reader.hpp"

namespace jackfield::app {

/// The [[menu]] of a contact centre's configuration, whose queues have been read. `numbers`: whose
/// a number is ("queue \"support\""); theirs are added.
void read_menus(config_reader& in, const toml::table& all, centre_plan& plan,
                std::unordered_map<std::string, std::string>& numbers);

} // namespace jackfield::app

#pragma once

#include "actors/centre/centre.hpp"
#include "app/config_reader.hpp"

namespace jackfield::app {

/// The [[trunk]] and [[route]] of a contact centre's configuration.
void read_trunks(config_reader& in, const toml::table& all, centre_plan& plan);

} // namespace jackfield::app

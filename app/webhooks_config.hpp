#pragma once

#include <vector>

#include "app/config_reader.hpp"
#include "app/webhooks/webhook_settings.hpp"

namespace jackfield::app {

/// Reads each `[[webhook]]` of a configuration, with the files that they name. No secret is in a
/// fault.
[[nodiscard]] std::vector<webhooks::webhook_settings> read_webhooks(config_reader& in,
                                                                    const toml::table& all);

} // namespace jackfield::app

#pragma once

#include <string_view>

namespace jackfield::app {

/// app/openapi.json: the description of `centre_api`, OpenAPI 3.1.
[[nodiscard]] std::string_view openapi_text() noexcept;

} // namespace jackfield::app

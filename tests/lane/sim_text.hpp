#pragma once

#include <cstddef>
#include <span>
#include <string>
#include <string_view>

#include "engine/lane/endpoint.hpp"

namespace jackfield::lane {

/// What a simulated peer got, as text.
inline std::string text(std::span<const std::byte> bytes) {
  return {reinterpret_cast<const char*>(bytes.data()), bytes.size()};
}

/// "10.0.0.1:5060" as an endpoint.
inline endpoint at(std::string_view address) {
  return endpoint::parse_with_port(address, 0).value();
}

} // namespace jackfield::lane

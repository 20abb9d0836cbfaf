#pragma once

#include <string_view>

#include "engine/sip/message.hpp"

/// INFO packages (RFC 6086).
namespace jackfield::sip {

/// The name in the request's Info-Package, without parameters; empty if there is none.
[[nodiscard]] std::string_view info_package(const message& info) noexcept;

/// True if a Recv-Info names the package: the sender takes INFO of it.
[[nodiscard]] bool takes_info_package(const message& m, std::string_view package) noexcept;

} // namespace jackfield::sip

#pragma once

#include "engine/error/error.hpp"
#include "engine/lane/endpoint.hpp"

namespace jackfield::lane {

/// The address of this machine that the system would send from to reach `remote`; port 0. Sends
/// nothing.
result<endpoint> source_address_for(const endpoint& remote);

} // namespace jackfield::lane

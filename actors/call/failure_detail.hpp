#pragma once

#include <string>

#include "engine/sip/ua.hpp"
#include "engine/transport/flow_end.hpp"

namespace jackfield {

/// What the peer, or the system, said of a failure beside its cause, in one line: Reason (RFC
/// 3326), Warning, Retry-After, the extension that was missing, a reason phrase that is not the
/// usual one; why there was no way to the peer (`way`, may be null). Empty: nothing.
[[nodiscard]] std::string failure_detail(const sip::ua_event& event,
                                         const transport::flow_end* way);

} // namespace jackfield

#pragma once

#include <memory>

#include "engine/transport/stream_splitter.hpp"

namespace jackfield {

/// Cuts TCP and TLS streams into SIP messages: `sip::stream_framer` behind the interface that the
/// transports ask for.
[[nodiscard]] std::unique_ptr<transport::stream_splitter> make_sip_splitter();

} // namespace jackfield

#pragma once

#include "engine/error/error.hpp"
#include "engine/report/failure_cause.hpp"
#include "engine/sip/ua.hpp"
#include "engine/transport/flow_end.hpp"

namespace jackfield {

/// The reports' name for why a leg failed; `none` where it did not. `way`: what became of the
/// latest way to its peer, where one failed and that is known; may be null.
[[nodiscard]] report::failure_cause failure_of(const sip::ua_event& event,
                                               const transport::flow_end* way = nullptr) noexcept;

/// Why a call's media stream failed, by the place that its path names.
[[nodiscard]] report::failure_cause failure_of(const error& media) noexcept;

} // namespace jackfield

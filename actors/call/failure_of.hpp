#pragma once

#include "engine/error/error.hpp"
#include "engine/report/failure_cause.hpp"
#include "engine/sip/ua.hpp"

namespace jackfield {

/// The reports' name for why a leg failed; `none` where it did not.
[[nodiscard]] report::failure_cause failure_of(const sip::ua_event& event) noexcept;

/// Why a call's media stream failed, by the place that its path names.
[[nodiscard]] report::failure_cause failure_of(const error& media) noexcept;

} // namespace jackfield

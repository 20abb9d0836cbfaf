#pragma once

#include <nice/agent.h>

#include "engine/ice/candidate.hpp"
#include "engine/lane/endpoint.hpp"

namespace jackfield::ice {

// Between libnice's values and ours.

[[nodiscard]] lane::endpoint from_nice(const NiceAddress& address) noexcept;
[[nodiscard]] NiceAddress to_nice(const lane::endpoint& address) noexcept;
[[nodiscard]] candidate_type from_nice(NiceCandidateType type) noexcept;
[[nodiscard]] candidate from_nice(const NiceCandidate& found);
/// The caller frees it by `nice_candidate_free`. `from` must be usable.
[[nodiscard]] NiceCandidate* to_nice(const candidate& from, guint stream);

} // namespace jackfield::ice

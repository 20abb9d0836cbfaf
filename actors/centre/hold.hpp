#pragma once

#include <functional>
#include <memory>

#include "actors/centre/call_side.hpp"

namespace jackfield {

/// Who does not want to hear holds the call (RFC 6337 §5.3).
[[nodiscard]] bool holds(const call_side& one) noexcept;

/// Answers what `by` offers anew. Where that puts the other side on hold, it is not told of it: it
/// hears `music` meanwhile, and the talk again after. Null: the hold is passed on, as it is where
/// the other side has no stream. `apart` is called where the two cannot be joined again. All have
/// to outlive the answer.
void answer_offer(lane::lane_actor& call, call_side& by, call_side* other,
                  const leg_events::offered& offer,
                  const std::shared_ptr<const audio_settings>& music,
                  const std::function<void()>& apart);

} // namespace jackfield

#include "engine/transport/backoff.hpp"

#include <algorithm>
#include <limits>

namespace jackfield::transport {

lane::duration backoff::fail(double random_unit, bool other_flow_works) noexcept {
  if (failures_ < std::numeric_limits<unsigned>::max())
    ++failures_;
  lane::duration upper = other_flow_works ? settings_.base_if_other_works : settings_.base;
  for (unsigned i = 0; i < failures_ && upper < settings_.max; ++i)
    upper = upper > settings_.max / 2 ? settings_.max : upper * 2;
  upper = std::min(upper, settings_.max);
  const double part = 0.5 + std::clamp(random_unit, 0.0, 1.0) / 2;
  return lane::duration{static_cast<int64_t>(static_cast<double>(upper.count()) * part)};
}

} // namespace jackfield::transport

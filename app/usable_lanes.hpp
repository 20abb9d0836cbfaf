#pragma once

namespace jackfield::app {

/// As many lanes as are wanted; 0: one for each core that this process may use, as far as lanes can
/// serve together.
[[nodiscard]] unsigned usable_lanes(unsigned wanted) noexcept;

} // namespace jackfield::app

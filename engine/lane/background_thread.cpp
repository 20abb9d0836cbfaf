#include "engine/lane/background_thread.hpp"

#include <sys/resource.h>

namespace jackfield::lane {

void stand_back() noexcept {
  // A tenth of what a lane gets where both want the core: calls that begin go on, however busy the
  // lanes are. For Linux, 0 is the calling thread.
  constexpr int steps_down = 10;
  (void)setpriority(PRIO_PROCESS, 0, steps_down);
}

} // namespace jackfield::lane

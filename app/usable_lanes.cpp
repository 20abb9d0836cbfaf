#include "app/usable_lanes.hpp"

#include <algorithm>

#include <sched.h>

#include "actors/wire/lane_peers.hpp"

namespace jackfield::app {

unsigned usable_lanes(unsigned wanted) noexcept {
  if (wanted != 0)
    return wanted;
  cpu_set_t cores;
  CPU_ZERO(&cores);
  const bool known = sched_getaffinity(0, sizeof cores, &cores) == 0;
  return std::clamp<unsigned>(known ? static_cast<unsigned>(CPU_COUNT(&cores)) : 1, 1,
                              lane_peers::most);
}

} // namespace jackfield::app

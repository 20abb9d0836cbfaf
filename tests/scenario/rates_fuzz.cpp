#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <string_view>

#include "engine/scenario/arrivals.hpp"

namespace {

void require(bool holds) {
  if (!holds)
    std::abort();
}

} // namespace

// Arrivals of whatever is accepted never go back in time and end with the phases; what is refused
// is refused in one line.
extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  using namespace jackfield::scenario;
  if (size == 0)
    return 0;
  arrival_plan plan;
  plan.poisson = (data[0] & 1U) != 0;
  const std::string_view text{reinterpret_cast<const char*>(data) + 1, size - 1};
  const auto phases = parse_rates("fuzz", text);
  if (!phases) {
    require(phases.error().to_string().find_first_of("\n\r\x1b") == std::string::npos);
    return 0;
  }
  plan.phases = *phases;
  const auto length = plan.length();
  arrival_process process{plan};
  duration before{};
  for (int i = 0; i < 1000; ++i) {
    const auto at = process.next(0.6);
    if (!at) {
      require(!process.next(0.6));
      break;
    }
    require(*at >= before && (!length || *at <= *length) && plan.rate_at(*at) >= 0);
    before = *at;
  }
  return 0;
}

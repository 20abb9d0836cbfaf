#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <string_view>

#include "engine/report/thresholds.hpp"

// What is accepted prints as something that is accepted and means the same; what is refused is
// refused in one short line.
extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  using namespace jackfield::report;
  const std::string_view text{reinterpret_cast<const char*>(data), size};
  const auto parsed = parse_thresholds("fuzz", text);
  if (!parsed) {
    const auto line = parsed.error().to_string();
    if (line.size() > 4000 || line.find_first_of("\n\r\x1b") != std::string::npos)
      std::abort();
    return 0;
  }
  for (const auto& t : *parsed) {
    const auto again = parse_thresholds("fuzz", t.text);
    if (!again || again->size() != 1 || again->front().text != t.text ||
        again->front().bound != t.bound || again->front().what != t.what)
      std::abort();
  }
  return 0;
}

#include <cstddef>
#include <cstdint>
#include <cstdlib>

#include "engine/sdp/ice_fragment.hpp"

/// What is read of one m-line prints as a fragment that reads as the same again.
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace jackfield::sdp;
  const auto read = parse_ice_fragment({reinterpret_cast<const char*>(data), size});
  if (!read) {
    return 0;
  }
  for (const auto& told : read->streams) {
    const auto printed = print_ice_fragment(told);
    const auto again = parse_ice_fragment(printed);
    if (!again && printed.size() > ice_fragment::max_bytes) {
      continue; // line ends become CRLF, and an m-line is added
    }
    if (!again || again->streams.size() != 1 || again->streams.front() != told) {
      std::abort();
    }
  }
  return 0;
}

#include <cstdint>
#include <cstdlib>
#include <string_view>

#include "engine/ice/candidate.hpp"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  using jackfield::ice::candidate;
  using jackfield::ice::candidate_transport;
  const auto read = candidate::parse({reinterpret_cast<const char*>(data), size});
  if (!read || read->transport == candidate_transport::other)
    return 0;
  const auto again = candidate::parse(read->to_string());
  if (!again || *again != *read)
    std::abort();
  return 0;
}

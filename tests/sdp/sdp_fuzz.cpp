#include <cstddef>
#include <cstdint>
#include <cstdlib>

#include "engine/sdp/session.hpp"

/// Whatever parses prints as text that parses into the same value and prints the same again.
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace jackfield::sdp;
  auto first = parse({reinterpret_cast<const char*>(data), size});
  if (!first) {
    return 0;
  }
  std::string printed = print(*first);
  auto second = parse(printed);
  if (!second) {
    // Only the caps may refuse it: line ends become CRLF, s= and t= are added.
    bool near_caps = printed.size() > max_bytes || second.error().place == "sdp line 2001";
    return near_caps ? 0 : (std::abort(), 0);
  }
  if (*first != *second || print(*second) != printed) {
    std::abort();
  }
  return 0;
}

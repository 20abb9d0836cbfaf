#include <cstdlib>
#include <string_view>

#include "engine/srtp/master_key.hpp"

using namespace jackfield;

/// A key in base64, as a peer's description has it: what is read is written alike.
extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  for (const auto with : srtp::profiles) {
    const auto key = srtp::master_key::parse(with, text);
    if (key && srtp::master_key::parse(with, key->base64()) != key)
      std::abort();
  }
  return 0;
}

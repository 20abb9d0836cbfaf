#include <cstdint>
#include <cstdlib>
#include <string_view>

#include "engine/sip/info_digit.hpp"

/// The first byte chooses the content type, the others are the body: what is read is a digit, and
/// reads back as itself.
extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  using namespace jackfield::sip;
  if (size == 0)
    return 0;
  const std::string_view body{reinterpret_cast<const char*>(data) + 1, size - 1};
  const auto read = read_info_digit(data[0] % 2 == 0 ? info_digit_type : "application/dtmf", body);
  if (read && (std::string_view{"0123456789*#ABCD"}.find(*read) == std::string_view::npos ||
               read_info_digit(info_digit_type, info_digit_body(*read)) != read))
    std::abort();
  (void)read_info_digit(body, body);
  return 0;
}

#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <string>
#include <string_view>

#include "storage/centre_records.hpp"
#include "storage/records.hpp"
#include "storage/told_events.hpp"

namespace {

using namespace jackfield::storage;

/// What can be read is written so that the same is read again.
template <class Record>
void read_and_write(std::string_view bytes, jackfield::result<Record> (*unpack)(std::string_view)) {
  const auto first = unpack(bytes);
  if (!first)
    return;
  const std::string written = pack(*first);
  const auto second = unpack(written);
  if (!second || pack(*second) != written)
    std::abort();
}

} // namespace

/// The first byte says what record the rest is to be.
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size == 0)
    return 0;
  const std::string_view bytes{reinterpret_cast<const char*>(data) + 1, size - 1};
  switch (data[0] % 11) {
  case 0:
    read_and_write(bytes, &unpack_run);
    break;
  case 1:
    read_and_write(bytes, &unpack_call);
    break;
  case 2:
    read_and_write(bytes, &unpack_event);
    break;
  case 3:
    read_and_write(bytes, &unpack_bindings);
    break;
  case 5:
    read_and_write(bytes, &unpack_registration);
    break;
  case 6:
    read_and_write(bytes, &unpack_agent);
    break;
  case 7:
    read_and_write(bytes, &unpack_queue);
    break;
  case 8:
    read_and_write(bytes, &unpack_told_event);
    break;
  case 9:
    read_and_write(bytes, &unpack_webhook);
    break;
  case 10:
    read_and_write(bytes, &unpack_callback);
    break;
  default:
    if (const auto call = call_of_key(bytes); call && key_of(*call) != bytes)
      std::abort();
    if (const auto address = address_of_key(bytes); address && bindings_key(*address) != bytes)
      std::abort();
    if (const auto made = registration_of_key(bytes); made && registration_key(*made) != bytes)
      std::abort();
    if (const auto number = number_of_key(bytes); number && event_key(*number) != bytes)
      std::abort();
  }
  return 0;
}

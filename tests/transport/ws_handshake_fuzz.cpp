// Both sides' view of one head.

#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <string_view>

#include "engine/transport/ws_handshake.hpp"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  using namespace jackfield::transport;
  const std::string_view bytes{reinterpret_cast<const char*>(data), size};
  const auto found = find_ws_head(bytes);
  if (!found || !*found)
    return 0;
  if (**found > size || **found > max_ws_head)
    std::abort();
  const auto head = bytes.substr(0, **found);
  const ws_answer answer = answer_ws_request(head, {{"https://a.test"}});
  // Whatever came in, what goes out is one well-formed head.
  if (find_ws_head(answer.response).value() != answer.response.size())
    std::abort();
  if (answer.status == 101 && check_ws_response(answer.response, "x"))
    std::abort();
  (void)check_ws_response(head, "dGhlIHNhbXBsZSBub25jZQ==");
  return 0;
}

// The first byte says which side we are and in what pieces the bytes come.

#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <string_view>

#include "engine/transport/ws_filter.hpp"

namespace {

using jackfield::transport::ws_filter;

struct fuzz_sink final : ws_filter::sink {
  virtual ~fuzz_sink() = default;
  void on_frames(std::string_view bytes) override { sent += bytes.size(); }
  bool on_message(std::string_view bytes) override {
    if (bytes.size() > ws_filter::max_message)
      std::abort();
    filter->write(bytes, *this);
    return ++messages < 100;
  }
  void on_pong() override { filter->ping(*this); }
  ws_filter* filter = nullptr;
  size_t sent = 0;
  int messages = 0;
};

} // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  if (size == 0)
    return 0;
  const bool server = (data[0] & 1U) != 0;
  const size_t step = (data[0] >> 1U) + 1U;
  std::string_view bytes{reinterpret_cast<const char*>(data) + 1, size - 1};
  fuzz_sink sink;
  ws_filter filter{server ? ws_filter::role::server : ws_filter::role::client,
                   [](std::span<std::byte> out) {
                     for (std::byte& b : out)
                       b = std::byte{0x5a};
                   }};
  sink.filter = &filter;
  while (!bytes.empty()) {
    const auto part = bytes.substr(0, step);
    bytes.remove_prefix(part.size());
    if (!filter.feed(part, sink)) {
      if (!filter.closed())
        std::abort();
      const size_t before = sink.sent;
      filter.write("late", sink);
      if (sink.sent != before)
        std::abort();
    }
  }
  filter.close(1000, sink);
  return 0;
}

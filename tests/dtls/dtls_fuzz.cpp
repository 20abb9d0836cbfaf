#include <algorithm>
#include <chrono>
#include <cstdint>
#include <cstdlib>
#include <span>

#include "engine/dtls/handshake.hpp"
#include "tests/dtls/ends.hpp"

namespace {

using namespace jackfield::dtls;

// Datagrams of the input, each behind two bytes of length and one of tens of milliseconds.
void feed(role r, const std::shared_ptr<const identity>& own, std::span<const std::byte> rest) {
  jackfield::lane::time_point now{std::chrono::seconds{1}};
  end ours{r, own};
  ours->expect(only(own->fingerprint()));
  ours->start(now);
  while (rest.size() >= 3) {
    const size_t wanted = std::to_integer<size_t>(rest[0]) << 8 | std::to_integer<size_t>(rest[1]);
    const size_t length = std::min(wanted, rest.size() - 3);
    now += std::chrono::milliseconds{10 * std::to_integer<int>(rest[2])};
    ours->on_datagram(rest.subspan(3, length), now);
    ours->on_timer(now);
    rest = rest.subspan(3 + length);
    for (const auto& sent : ours.out.take())
      if (sent.empty() || sent.size() > handshake::mtu)
        std::abort();
  }
  // Nobody without our key gets that far.
  if (ours->keys() != nullptr)
    std::abort();
}

} // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  static const auto own = identity::make().value();
  const auto input = std::as_bytes(std::span{data, size});
  feed(role::server, own, input);
  feed(role::client, own, input);
  return 0;
}

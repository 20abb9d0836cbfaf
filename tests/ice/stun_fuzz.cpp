#include <algorithm>
#include <cstdint>
#include <cstdlib>
#include <span>

#include "engine/ice/connectivity.hpp"
#include "engine/ice/stun.hpp"

namespace {

using namespace jackfield;

class zero_random final : public ice::random_source {
public:
  void fill(std::span<std::byte> out) noexcept override { std::ranges::fill(out, std::byte{}); }
};

/// Reads again what is sent.
class reading_host final : public ice::connectivity_host {
public:
  void send(const lane::endpoint&, std::span<const std::byte> message) override {
    if (!ice::read_stun(message))
      std::abort();
  }
  void on_remote_changed(const lane::endpoint& remote) override {
    if (!remote.valid())
      std::abort();
  }
  void on_consent_lost() override { ++lost; }

  int lost = 0;
};

} // namespace

// The input is a series of datagrams, each behind a byte of length, one of time since the one
// before and one that says from where.
extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  auto rest = std::as_bytes(std::span{data, size});
  static_cast<void>(ice::read_stun(rest));
  zero_random random;
  reading_host host;
  ice::connectivity_settings settings;
  // RFC 5769's, so that its vectors are authenticated.
  settings.local = {"evtj", "VOkJxbRl1RmTxUk/WvJxBt"};
  settings.remote = {"h6vY", "VOkJxbRl1RmTxUk/WvJxBt"};
  settings.remote_address = lane::endpoint::loopback_v4(4000);
  settings.controlling = size % 2 != 0;
  lane::time_point now{};
  ice::connectivity end{settings, now, random};
  while (rest.size() >= 3) {
    const auto length = std::min<size_t>(std::to_integer<size_t>(rest[0]), rest.size() - 3);
    now += std::chrono::milliseconds{std::to_integer<int>(rest[1]) * 10};
    const auto port = static_cast<uint16_t>(4000 + std::to_integer<int>(rest[2]) % 8);
    const auto datagram = rest.subspan(3, length);
    rest = rest.subspan(3 + length);
    if (ice::is_stun(datagram))
      end.on_stun(lane::endpoint::loopback_v4(port), datagram, now, host);
    else
      static_cast<void>(end.on_media_heard(lane::endpoint::loopback_v4(port), now));
    end.on_timer(now, host);
    if (end.deadline() <= now || host.lost > 1 || end.lost() != (host.lost == 1))
      std::abort();
  }
  return 0;
}

// What the machine asks for a packet of a WebRTC call at this moment, whoever sends it: protect 20
// ms of Opus at 32 kbit/s (AEAD_AES_128_GCM), send, receive, open, on one hot pair of sockets, with
// no more than the two system calls.
//
//   bench_webrtc_bare_packet
//
// Prints microseconds of CPU a packet, the median of rounds.
#include <algorithm>
#include <array>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <span>
#include <vector>

#include <arpa/inet.h>
#include <ctime>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#include "engine/srtp/receiver.hpp"
#include "engine/srtp/sender.hpp"

namespace {

using namespace jackfield;

constexpr size_t packet_bytes = 12 + 80;
constexpr int rounds = 21;
constexpr int packets_a_round = 10'000;
constexpr uint32_t ssrc = 7;

[[noreturn]] void fail(const char* why) {
  std::fprintf(stderr, "bench/webrtc: %s\n", why);
  std::exit(1);
}

/// Connected to each other on loopback.
std::array<int, 2> socket_pair() {
  std::array<int, 2> fds{};
  std::array<sockaddr_in, 2> at{};
  for (size_t i = 0; i < 2; ++i) {
    at[i].sin_family = AF_INET;
    at[i].sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    socklen_t size = sizeof at[i];
    fds[i] = socket(AF_INET, SOCK_DGRAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    if (fds[i] < 0 || bind(fds[i], reinterpret_cast<sockaddr*>(&at[i]), size) != 0 ||
        getsockname(fds[i], reinterpret_cast<sockaddr*>(&at[i]), &size) != 0)
      fail("no socket");
  }
  for (size_t i = 0; i < 2; ++i)
    if (connect(fds[i], reinterpret_cast<sockaddr*>(&at[1 - i]), sizeof at[i]) != 0)
      fail("no connection");
  return fds;
}

double cpu_us() {
  timespec t{};
  clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &t);
  return static_cast<double>(t.tv_sec) * 1e6 + static_cast<double>(t.tv_nsec) / 1e3;
}

} // namespace

int main() {
  constexpr auto profile = srtp::profile::aead_aes_128_gcm;
  const std::vector<std::byte> secret(srtp::master_key::size_for(profile), std::byte{0x5a});
  const auto key = srtp::master_key::from(profile, secret);
  auto out = srtp::sender::make(*key, ssrc);
  auto in = srtp::receiver::make(*key);
  if (!out || !in)
    fail("no SRTP");
  const auto fds = socket_pair();
  alignas(8) std::array<std::byte, 2048> buffer{};
  uint16_t sequence = 0;
  const auto pass = [&] {
    ++sequence;
    buffer[0] = std::byte{0x80};
    buffer[1] = std::byte{111};
    buffer[2] = static_cast<std::byte>(sequence >> 8U);
    buffer[3] = static_cast<std::byte>(sequence);
    buffer[11] = static_cast<std::byte>(ssrc);
    const auto size = out->protect_rtp(buffer, packet_bytes);
    if (size == 0 || send(fds[0], buffer.data(), size, 0) != static_cast<ssize_t>(size))
      fail("a packet was not sent");
    const auto got = recv(fds[1], buffer.data(), buffer.size(), 0);
    if (got <= 0 || in->open_rtp(std::span{buffer}.first(static_cast<size_t>(got))).is !=
                      srtp::receiver::verdict::accepted)
      fail("a packet did not come through");
  };
  std::vector<double> took;
  for (int r = 0; r < rounds; ++r) {
    const auto begun = cpu_us();
    for (int n = 0; n < packets_a_round; ++n)
      pass();
    took.push_back((cpu_us() - begun) / packets_a_round);
  }
  std::ranges::sort(took);
  std::printf("%.2f\n", took[rounds / 2]);
  for (const int fd : fds)
    close(fd);
  return 0;
}

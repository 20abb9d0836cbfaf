#include <array>
#include <cstdint>
#include <vector>

#include <arpa/inet.h>
#include <benchmark/benchmark.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

namespace {

/// RTP header and 20 ms of G.711.
constexpr size_t packet_bytes = 172;

/// A pair of connected UDP sockets on loopback.
class socket_pair {
public:
  socket_pair() {
    for (size_t i = 0; i < 2; ++i) {
      sockaddr_in& at = addresses_[i];
      at.sin_family = AF_INET;
      at.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
      fds_[i] = socket(AF_INET, SOCK_DGRAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
      socklen_t length = sizeof at;
      up_ = up_ && fds_[i] >= 0 && bind(fds_[i], reinterpret_cast<sockaddr*>(&at), length) == 0 &&
            getsockname(fds_[i], reinterpret_cast<sockaddr*>(&at), &length) == 0;
    }
    for (size_t i = 0; i < 2; ++i)
      up_ = up_ && ::connect(fds_[i], reinterpret_cast<sockaddr*>(&addresses_[1 - i]),
                             sizeof addresses_[i]) == 0;
  }
  ~socket_pair() {
    for (const int fd : fds_)
      if (fd >= 0)
        close(fd);
  }
  socket_pair(const socket_pair&) = delete;
  socket_pair& operator=(const socket_pair&) = delete;

  [[nodiscard]] bool up() const noexcept { return up_; }
  /// One packet there, taken at the other end.
  bool pass(std::array<char, 2048>& buffer) const {
    return send(fds_[0], buffer.data(), packet_bytes, 0) == packet_bytes &&
           recv(fds_[1], buffer.data(), buffer.size(), 0) == packet_bytes;
  }

private:
  std::array<int, 2> fds_{-1, -1};
  std::array<sockaddr_in, 2> addresses_{};
  bool up_ = true;
};

/// One packet sent and received with no more than the two system calls, on the sockets of that many
/// streams in turn: what the machine asks for a packet at this moment, whoever sends it.
void bare_packet(benchmark::State& state) {
  const std::vector<socket_pair> streams(static_cast<size_t>(state.range(0)));
  for (const auto& s : streams)
    if (!s.up())
      return state.SkipWithError("no sockets: too few file descriptors?");
  std::array<char, 2048> buffer{};
  size_t next = 0;
  for (auto _ : state)
    if (!streams[next++ % streams.size()].pass(buffer))
      return state.SkipWithError("a packet did not come through");
  state.SetItemsProcessed(state.iterations());
}
BENCHMARK(bare_packet)->Arg(1)->Arg(400);

} // namespace

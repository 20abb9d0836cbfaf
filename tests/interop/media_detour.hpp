#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <thread>
#include <vector>

#include "tests/relay/path/relay.hpp"

namespace jackfield::tests {

/// Leads the media of WebRTC calls over a bad path. Stands between caller and answerer for what
/// sets a call up (SIP over UDP) and rewrites its descriptions: the caller is told of one candidate
/// for each peer, a relay in front of it, and the answerer of none that it can reach, so that it
/// learns of the caller by the checks that come from the relay. Each peer has a relay of its own.
class media_detour {
public:
  /// Listens on a port of 127.0.0.1 for an answerer at another. `path` is what its relays do;
  /// their seeds count up from that of `path`.
  media_detour(uint16_t answerer, const relay_options& path);
  ~media_detour();
  media_detour(const media_detour&) = delete;
  media_detour& operator=(const media_detour&) = delete;

  /// Where callers call.
  [[nodiscard]] uint16_t port() const noexcept { return port_; }

  /// Ends it; what became of the media of each call.
  std::vector<relay_statistics> finish();

private:
  struct running {
    std::unique_ptr<relay> way;
    std::thread thread;
  };

  void serve();
  void pass(int from, int to, bool from_caller);
  [[nodiscard]] std::string rewritten(std::string_view message, bool from_caller);
  [[nodiscard]] std::string way_to(uint16_t peer);

  relay_options path_;
  owned_fd callers_;
  owned_fd answerer_;
  owned_fd stopper_;
  socket_address caller_;
  uint16_t port_ = 0;
  std::map<uint16_t, running> ways_; ///< by the peer's port
  std::thread thread_;
};

} // namespace jackfield::tests

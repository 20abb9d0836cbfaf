#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <thread>
#include <vector>

#include "engine/lane/endpoint.hpp"
#include "tests/interop/sip_tap.hpp"
#include "tests/relay/path/relay.hpp"

namespace jackfield::tests {

/// Leads the media of WebRTC calls over a bad path. Stands between caller and answerer for what
/// sets a call up (SIP over UDP) and rewrites its descriptions: the caller is told of one candidate
/// for each peer, a relay in front of it, and the answerer of none that it can reach, so that it
/// learns of the caller by the checks that come from the relay. Each peer has a relay of its own.
class media_detour {
public:
  /// For an answerer at this port of 127.0.0.1. `path` is what its relays do; their seeds count up
  /// from that of `path`.
  media_detour(uint16_t answerer, const relay_options& path);
  ~media_detour();
  media_detour(const media_detour&) = delete;
  media_detour& operator=(const media_detour&) = delete;

  /// Where callers call.
  [[nodiscard]] uint16_t port() const noexcept { return tap_->port(); }

  /// Ends it; what became of the media of each call.
  std::vector<relay_statistics> finish();

private:
  struct running {
    std::unique_ptr<relay> way;
    std::thread thread;
  };

  [[nodiscard]] std::string rewritten(std::string_view line, sip_tap::way which);
  [[nodiscard]] lane::endpoint way_to(uint16_t peer);

  relay_options path_;
  std::map<uint16_t, running> ways_; ///< by the peer's port; the tap's alone while there is one
  std::optional<sip_tap> tap_;
};

} // namespace jackfield::tests

#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <thread>

#include "tests/interop/sip_tap.hpp"
#include "tests/relay/path/relay.hpp"

namespace jackfield::tests {

/// Leads the media of callers of plain RTP over a bad path to somebody else. Stands between callers
/// and answerer for what sets a call up (SIP over UDP) and rewrites the ports of audio: callers are
/// told of the relay that leads to `peer`, the answerer of a port that nobody reads.
class plain_detour {
public:
  /// For an answerer at this port of 127.0.0.1, and a peer at that one. `observer` is called on the
  /// relay's thread.
  plain_detour(std::uint16_t answerer, std::uint16_t peer, const impairment_options& path,
               std::function<void(const relay_event&)> observer);
  ~plain_detour();
  plain_detour(const plain_detour&) = delete;
  plain_detour& operator=(const plain_detour&) = delete;

  /// Where callers call.
  [[nodiscard]] std::uint16_t port() const noexcept { return tap_->port(); }

  /// Ends it; what became of the media.
  relay_statistics finish();

private:
  owned_fd unread_;
  std::unique_ptr<relay> way_;
  std::thread thread_;
  std::unique_ptr<sip_tap> tap_;
};

} // namespace jackfield::tests

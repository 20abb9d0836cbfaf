#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string_view>

#include "engine/error/error.hpp"
#include "engine/lane/endpoint.hpp"
#include "engine/lane/timer_wheel.hpp"
#include "engine/sdp/ice_fragment.hpp"
#include "engine/sdp/stream_transport.hpp"

namespace jackfield {

/// Where a peer hears, as its description says.
struct media_remote {
  /// Not valid: nowhere, the peer is on hold by address.
  lane::endpoint rtp;
  /// Not valid: RTCP is not wanted. Ignored if `muxed`.
  lane::endpoint rtcp;
  bool muxed = false; ///< RTCP shares RTP's address (RFC 5761)
  /// What it says beside that, of keys the chosen one; null for plain RTP.
  std::shared_ptr<const sdp::stream_transport> transport = {};
  sdp::setup role = sdp::setup::active; ///< ours in DTLS
};

/// What a path kept from its user.
struct path_counters {
  uint64_t strangers = 0; ///< from an address that is not the peer's
  uint64_t early = 0;     ///< came before it was known whose they are
  uint64_t forged = 0;    ///< SRTP by another key, or changed
  uint64_t replayed = 0;
  uint64_t malformed = 0;       ///< SRTP or STUN that cannot be read
  uint64_t unauthenticated = 0; ///< STUN without the password, or that answers nothing we asked
  uint64_t unprotected = 0;     ///< of ours, that could not be encrypted

  friend bool operator==(const path_counters&, const path_counters&) = default;
};

/// How long a path took to come up; unset where it has no such phase, or did not get there. And
/// how often it found another way later.
struct path_times {
  std::optional<lane::duration> gathering; ///< until it could be described
  std::optional<lane::duration> checks;    ///< from the peer's description to a pair that works
  std::optional<lane::duration> handshake; ///< from there to keys
  uint32_t restarts = 0;                   ///< ways that were found anew and taken
};

/// Hears of one path. From these calls the path's own functions may be called, but it must not be
/// destroyed.
class media_path_user {
public:
  /// The path can be described: by this address, and by `transport` unless it is plain RTP's.
  virtual void on_path_opened(const lane::endpoint& local,
                              std::shared_ptr<const sdp::stream_transport> transport) = 0;
  /// As `on_path_opened`, after `restart`; or why that came to nothing.
  virtual void
  on_path_restarted(const result<lane::endpoint>& /*local*/,
                    const std::shared_ptr<const sdp::stream_transport>& /*transport*/) {}
  /// What `connect` asked for is in force: packets of the peer's are heard, and sent if `can_send`;
  /// else there is nowhere to send to. Again when that changes.
  virtual void on_path_connected(bool can_send) = 0;
  /// There is something new to tell of the path: see `media_path::later_candidates`.
  virtual void on_path_candidates() {}
  /// The path carries nothing and never will again.
  virtual void on_path_failed(const error& why) = 0;
  /// The peer's RTP or RTCP, decrypted; `arrived` as in `lane::datagram_handler`.
  virtual void on_path_packet(std::span<const std::byte> bytes, lane::time_point arrived) = 0;

protected:
  media_path_user() = default;
  media_path_user(const media_path_user&) = default;
  media_path_user& operator=(const media_path_user&) = default;
  ~media_path_user() = default;
};

/// The way of one stream's packets over the network, on its lane's thread. Opening and connecting
/// may take time: their ends are told, perhaps before the call returns. Destroyed, it is silent.
class media_path {
public:
  virtual ~media_path() = default;

  /// Once, first; `on_path_opened` or `on_path_failed` follows. `user` outlives the path.
  virtual void open(media_path_user& user) = 0;
  /// Exchanges packets with this peer from now on; `on_path_connected` or `on_path_failed` follows.
  /// Once opened; again after each re-offer.
  virtual void connect(const media_remote& remote) = 0;

  /// Finds another way beside the one that is in use (an ICE restart): `on_path_restarted` follows,
  /// and a `connect` with what the peer says of its own leads there. `controlling`: our role in
  /// ICE. False: this path, or this moment, has nothing of the kind.
  [[nodiscard]] virtual bool restart(bool /*controlling*/) { return false; }

  /// What the peer said of its candidates after its description (RFC 8838). What is about another
  /// one than that of the last `connect` is passed over, and all of it once there is a way.
  virtual void take_candidates(const sdp::ice_fragment& /*told*/) {}
  /// What there is to tell of our candidates beside the description that the peer has answered, or
  /// has the answer in; none: nothing.
  [[nodiscard]] virtual std::optional<sdp::ice_fragment::stream> later_candidates() const {
    return std::nullopt;
  }

  /// Sends at once; a packet that cannot be sent is lost.
  virtual void send_rtp(std::span<const std::byte> packet) = 0;
  virtual void send_rtcp(std::span<const std::byte> packet) = 0;

  /// Whether packets are handed up as they come, for those that must not wait; or when `read_soon`
  /// asks, once a frame, which costs less. Until it is called, the latter.
  virtual void read_at_once(bool at_once) = 0;
  /// Has what came in handed up once the streams that are due now have sent.
  virtual void read_soon() = 0;
  /// Hands up what still waits, before it returns.
  virtual void read_rest() = 0;

  [[nodiscard]] virtual path_counters counted() const = 0;
  [[nodiscard]] virtual path_times took() const { return {}; }
  /// The protection profile that is in force, by its name in SDES; empty for plain RTP.
  [[nodiscard]] virtual std::string_view protected_by() const = 0;
};

} // namespace jackfield

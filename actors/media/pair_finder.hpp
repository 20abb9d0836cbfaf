#pragma once

#include <cstddef>
#include <memory>
#include <span>
#include <vector>

#include "engine/error/error.hpp"
#include "engine/ice/agent_observer.hpp"
#include "engine/ice/agent_settings.hpp"
#include "engine/ice/candidate.hpp"
#include "engine/ice/credentials.hpp"
#include "engine/lane/endpoint.hpp"
#include "engine/lane/socket.hpp"

namespace jackfield {

class media_plane;

/// A pair of addresses that was selected, with its socket, which hands its datagrams to the handler
/// that the finder was made with. Without a socket it is relayed, and the finder carries what is
/// sent and heard, and keeps the peer's consent.
struct found_pair {
  std::unique_ptr<lane::datagram_socket> socket;
  lane::endpoint remote;
  bool controlling = false;
  std::vector<ice::early_packet> early; ///< came before, in order
};

/// Hears of one finder, on the lane's thread, perhaps before a call into the finder returns. From
/// these calls the finder may be destroyed.
class pair_finder_user {
public:
  /// Own candidates, each told once; with `done` there are no more.
  virtual void on_candidates(const std::vector<ice::candidate>& found, bool done) = 0;
  /// The last call, and the finder has no more to do, unless the pair is relayed.
  virtual void on_pair(found_pair pair) = 0;
  /// Of a relayed pair: what the peer sent, never STUN.
  virtual void on_relayed(std::span<const std::byte> packet) = 0;
  /// The last call. The place of `why` is "ice gathering", "ice checks", or "ice consent" where a
  /// relayed pair was.
  virtual void on_no_pair(const error& why) = 0;

protected:
  ~pair_finder_user() = default;
};

/// Gathers candidates and finds a pair that works (RFC 8445), for one component. On the lane's
/// thread; destroyed, it is silent.
class pair_finder {
public:
  virtual ~pair_finder() = default;
  /// Once, first.
  virtual void gather() = 0;
  /// The peer's description: the checks begin. `complete`: none of its candidates follow.
  virtual void check(const ice::credentials& remote, const std::vector<ice::candidate>& candidates,
                     bool complete) = 0;
  /// More of the peer's candidates, after its description.
  virtual void add(const std::vector<ice::candidate>& candidates, bool complete) = 0;
  /// By the relayed pair, at most as much as the network takes; the rest is dropped.
  virtual void send(std::span<const std::byte> packet) = 0;
};

/// By libnice, on a thread of its own; for a lane of the network.
[[nodiscard]] std::unique_ptr<pair_finder> make_network_finder(media_plane& plane,
                                                               ice::agent_settings settings,
                                                               pair_finder_user& user,
                                                               lane::datagram_handler& handler);

/// Its twin in simulated time: the host's own address and the peer's best one, without checks;
/// where the peer has none yet and may still tell some, they are waited for. No server ever answers
/// there: it has never gathered all where there is one.
[[nodiscard]] std::unique_ptr<pair_finder>
make_simulated_finder(media_plane& plane, const ice::agent_settings& settings,
                      pair_finder_user& user, lane::datagram_handler& handler);

} // namespace jackfield

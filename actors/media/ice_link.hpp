#pragma once

#include <cstddef>
#include <memory>
#include <optional>
#include <span>
#include <vector>

#include "actors/media/media_path.hpp"
#include "actors/media/media_plane.hpp"
#include "actors/media/pair_finder.hpp"
#include "engine/ice/connectivity.hpp"
#include "engine/ice/credentials.hpp"
#include "engine/lane/timer_wheel.hpp"

namespace jackfield {

class ice_link;

/// Hears of its links, on the lane's thread. From these calls a link must not be destroyed.
class ice_link_user {
public:
  /// The link can be described: by its credentials and these candidates.
  virtual void on_link_described(ice_link& from, const std::vector<ice::candidate>& candidates) = 0;
  /// There is more to tell of it than was described: see `later`.
  virtual void on_link_found(ice_link& from) = 0;
  /// A pair works; `send` reaches the peer from now on.
  virtual void on_link_up(ice_link& from) = 0;
  /// The link carries nothing any more. The place of `why` is "ice gathering", "ice checks" or
  /// "ice consent".
  virtual void on_link_down(ice_link& from, const error& why) = 0;
  /// A datagram from where the peer is known to be; never STUN.
  virtual void on_link_datagram(ice_link& from, std::span<const std::byte> bytes,
                                lane::time_point arrived) = 0;

protected:
  ~ice_link_user() = default;
};

/// One ICE component over one socket: finds a pair, then answers the peer's checks and keeps its
/// consent (RFC 8445, RFC 7675) while it carries datagrams. Where the plane's WebRTC is lite it
/// only answers, and the peer's checks choose the pair.
class ice_link final : private pair_finder_user,
                       private lane::datagram_handler,
                       private ice::connectivity_host {
public:
  /// `controlling`: our role (RFC 8445 §6.1.1). It has to be known now, as libnice takes none once
  /// it gathers.
  ice_link(media_plane& plane, ice_link_user& user, bool controlling);
  ~ice_link() override;

  void gather();
  [[nodiscard]] const ice::credentials& credentials() const noexcept { return local_; }
  /// No more candidates will follow those that are known.
  [[nodiscard]] bool complete() const noexcept { return complete_; }
  /// The candidates that came too late for the description; null: it said all.
  [[nodiscard]] const std::vector<ice::candidate>* later() const noexcept {
    return described_short_ && (complete_ || !own_.empty()) ? &own_ : nullptr;
  }
  /// Once: the peer's description. `complete`: none of its candidates follow.
  void check(const ice::credentials& remote, const std::vector<ice::candidate>& candidates,
             bool peer_is_lite, bool complete);
  /// More of the peer's candidates, after its description; of no use once the link is up.
  void add(const std::vector<ice::candidate>& candidates, bool complete);
  [[nodiscard]] bool up() const noexcept { return up_; }

  /// It carries nothing any more.
  [[nodiscard]] bool lost() const noexcept { return lost_; }

  void send(std::span<const std::byte> datagram);
  /// The first `size` bytes of the plane's `sending_room()`, with others of this pass.
  void send_soon(size_t size);

  // As in `media_path`; before the link is up nothing is to be read.
  void read_at_once(bool at_once);
  void read_soon();
  void read_rest();

  /// Adds what did not come from the peer. While libnice looks for a pair, it drops such itself.
  void count(path_counters& to) const noexcept;

private:
  // pair_finder_user
  void on_candidates(const std::vector<ice::candidate>& found, bool done) override;
  void on_pair(found_pair pair) override;
  void on_relayed(std::span<const std::byte> packet) override;
  void on_no_pair(const error& why) override;
  // datagram_handler
  void on_datagram(const lane::endpoint& from, std::span<const std::byte> bytes,
                   lane::time_point arrived) override;
  // connectivity_host
  void send(const lane::endpoint& to, std::span<const std::byte> message) override;
  void on_remote_changed(const lane::endpoint& remote) override;
  void on_consent_lost() override;
  void listen();
  void wait_for_checks(const std::vector<ice::candidate>& candidates, bool peer_is_lite);
  /// `remote` is not valid where the peer chooses.
  void start_lite(const lane::endpoint& remote);
  void start(const ice::connectivity_settings& settings);
  void come_up(const std::vector<ice::early_packet>& early);
  void schedule();
  void on_timer();
  void describe();

  media_plane& plane_;
  ice_link_user& user_;
  ice::credentials local_;
  ice::credentials remote_;
  std::unique_ptr<pair_finder> finder_; // until there is a pair, or while it is relayed; not lite
  std::vector<ice::candidate> own_;     // that are not described
  std::unique_ptr<lane::datagram_socket> socket_;
  std::optional<ice::connectivity> connectivity_;
  lane::timer timer_; // of the connectivity; before, of what servers and the peer have to tell
  /// Media that came before the checks ended, as a peer that is done first sends it. libnice keeps
  /// such itself.
  struct early_datagram {
    lane::endpoint from;
    std::vector<std::byte> bytes;
  };
  std::vector<early_datagram> early_;
  uint32_t heard_ = 0; // datagrams
  bool at_once_ = true;
  bool described_ = false;
  bool described_short_ = false; // before all was known
  bool complete_ = false;
  bool up_ = false;
  bool peer_known_ = false; // by its description
  bool relayed_ = false;    // the finder carries it
  bool controlling_;
  bool lost_ = false;
};

} // namespace jackfield

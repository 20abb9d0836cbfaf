#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "actors/wire/client_name.hpp"
#include "actors/wire/sip_router.hpp"
#include "engine/lane/lane_actor.hpp"
#include "engine/sip/leg_id.hpp"
#include "engine/sip/ua.hpp"

namespace jackfield {

struct wire_counters {
  uint32_t requests = 0;        ///< first transmissions
  uint32_t retransmissions = 0; ///< of requests and responses
  uint32_t failovers = 0;       ///< requests that went on to another server of their name
};

/// How one leg's messages reach the wire: its identity, the flow it uses, the servers that may be
/// tried, and what waits for a look-up. A part of the actor that owns the leg; on its lane's
/// thread.
///
/// A leg keeps to the server that it has for a next hop (RFC 3263 §4.3): what is sent again, also
/// with credentials, goes where it went before, until `next_server` gives that server up.
///
/// A SIP machine must not be called from inside `send`, so a failure is kept: after each call of
/// its machine the owner asks `take_failure` and tells the machine.
class leg_wire {
public:
  leg_wire(sip_router& router, lane::lane_actor& owner) : router_(router), owner_(owner) {}
  ~leg_wire() { close(); }
  leg_wire(const leg_wire&) = delete;
  leg_wire& operator=(const leg_wire&) = delete;

  /// Takes an identity for a leg whose first request came over `source`; false when the lane has
  /// none left.
  bool open(const transport::flow& source,
            std::shared_ptr<const transport::open_settings> connections);
  /// Takes an identity for a leg whose first request goes to the first of `servers` that there is a
  /// way to, whatever its URI says: an outbound proxy, or the load's target found once for all
  /// calls. Fails if there is no way to any of them.
  result<void> open(const transport::target_selection& servers,
                    std::shared_ptr<const transport::open_settings> connections);
  /// Takes an identity for a leg whose first request goes over this connection, of whichever lane,
  /// whatever its URI says: to a client that registered over it. Fails if it is over.
  result<void> open_over(const transport::flow& connection,
                         std::shared_ptr<const transport::open_settings> connections);
  /// Takes up the identity of a leg from a store, whose first request goes as `open` says. Fails if
  /// there is no way there, or the identity cannot be had on this lane.
  result<void> adopt(const sip::leg_id& id, const transport::target_selection& servers,
                     std::shared_ptr<const transport::open_settings> connections);
  /// The same for a leg to which nobody can connect: it has no way until its peer's next request
  /// comes, or `come_back` tells one, over `p`.
  result<void> adopt_waiting(const sip::leg_id& id, transport::protocol p,
                             std::shared_ptr<const transport::open_settings> connections);
  /// Gives the identity back. Then nothing is sent or received any more.
  void close() noexcept;

  [[nodiscard]] const sip::leg_id& id() const noexcept { return id_; }
  [[nodiscard]] const transport::flow& current() const noexcept { return out_; }
  /// The name of who `current` leads to; empty: none was given.
  [[nodiscard]] std::string_view host() const noexcept { return servers_.host(); }
  [[nodiscard]] const sip::ua_profile& profile() const { return router_.profile(out_); }

  /// The machine is given this message now: what it answers goes where that came from. Null: it has
  /// been.
  void hear(const sip_arrival* arrival);
  /// A connection is over. False if the leg's requests do not use it any more.
  bool lost(const transport::flow& gone, std::shared_ptr<const transport::flow_end> how) noexcept;
  /// The host of a UDP peer has nobody at its port. False if the leg's latest request did not go
  /// there, went later, or was answered.
  bool refused(const peer_refused& by);
  /// What the latest failure of a way to the peer was; null: there was none, or nobody knows.
  [[nodiscard]] const std::shared_ptr<const transport::flow_end>& failure() const noexcept {
    return failure_;
  }

  /// Its client, to which it has lost the way, is waited for: its actor receives `client_back`.
  void await(client_name who);
  /// Its client is reached over this connection from now on. False if nothing changes by that, or
  /// what the leg has said of itself is of another transport.
  bool come_back(const transport::flow& way);

  /// Of the request that is being handled.
  [[nodiscard]] sip::packet_source source() const { return router_.source_of(request_source()); }

  void send(const sip::outgoing& message);
  void on_located(servers_located& found);
  /// Gives up on the server that requests go to, for `rest` if that is more than a transaction's
  /// time, and takes the next one: then, how messages to it are written. Null if there is no other.
  const sip::ua_profile* next_server(lane::duration rest);

  /// Makes the connection to the leg's server again if that is over; then, how messages over it are
  /// written. Null if it stands, or there is no way.
  const sip::ua_profile* restore();
  /// The connection that the leg's requests used is over, and there is none in its place yet.
  [[nodiscard]] bool is_cut_off() const noexcept { return lost_; }
  /// True once if something could not be sent since the last call.
  bool take_failure() noexcept { return std::exchange(failed_, false); }
  [[nodiscard]] const wire_counters& counters() const noexcept { return counters_; }

private:
  /// Where what came from the peer came from.
  struct sources {
    transport::flow invite;  // the leg's first request
    transport::flow request; // the latest request within the dialog
  };
  struct waiting {
    std::string text;
    sip::send_rank rank;
  };
  struct look_up {
    uint64_t hop; // hash of what is looked for
    uint64_t ticket;
    std::vector<waiting> texts;
  };
  void begin(const sip::leg_id& id, const transport::flow& source,
             std::shared_ptr<const transport::open_settings> connections);
  result<void> take_up(const sip::leg_id& id, const transport::flow& way);
  /// The flow to the first server from the current one on that there is a way to.
  result<transport::flow> open_next();
  bool reopen();
  void await_no_longer() noexcept;
  void go_by(const transport::flow& client);
  void use(const transport::flow& f);
  /// Ends the connection that requests go over, if it was made for this leg alone.
  void close_own() noexcept;
  void send_to_hop(const sip::outgoing& message);
  void send_aside(const sip::outgoing& message);
  void suspect();
  /// There is no way.
  void fail_for(error why, transport::flow_end::stage during);
  void send_over(const transport::flow& to, std::string_view text, sip::send_rank rank);
  [[nodiscard]] const transport::flow& request_source() const noexcept;
  sources& own_sources();
  [[nodiscard]] const transport::open_settings& connections() const noexcept;

  sip_router& router_;
  lane::lane_actor& owner_;
  sip::leg_id id_;
  transport::flow out_;                      // of our requests
  std::unique_ptr<sources> sources_;         // null: both are `out_`, as they are for most legs
  const transport::flow* hearing_ = nullptr; // of the response that the machine is given
  std::shared_ptr<const transport::open_settings> connections_;
  transport::target_selection servers_;  // those of `hop_`; none: it has one address only
  std::unique_ptr<look_up> look_up_;     // under way
  std::unique_ptr<client_name> awaited_; // while it is
  std::shared_ptr<const transport::flow_end> failure_;
  uint64_t hop_ = 0;            // hash of the next hop that `out_` leads to; 0: none
  uint64_t heard_response_ = 0; // the latest, by CSeq, method and status
  lane::time_point asked_{};    // when the latest request left that has no response yet
  wire_counters counters_;
  bool open_ = false;
  bool pinned_ = false; // `servers_` are for whatever the first next hop is
  bool given_ = false;  // they did not come from a look-up
  bool opens_ = false;  // its ways, itself
  bool lost_ = false;   // `out_` is over
  bool failed_ = false;
  uint8_t unanswered_ = 0; // times that the latest request was sent again since something was heard
};

} // namespace jackfield

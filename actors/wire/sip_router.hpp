#pragma once

#include <cstdint>
#include <deque>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include <caf/actor_control_block.hpp>

#include "actors/wire/awaited_clients.hpp"
#include "actors/wire/client_name.hpp"
#include "actors/wire/lane_peers.hpp"
#include "actors/wire/leg_table.hpp"
#include "actors/wire/next_hops.hpp"
#include "actors/wire/sip_arrival.hpp"
#include "actors/wire/wire_tap.hpp"
#include "engine/report/status_matrix.hpp"
#include "engine/sip/leg_id.hpp"
#include "engine/sip/linger_table.hpp"
#include "engine/sip/request_check.hpp"
#include "engine/sip/ua.hpp"
#include "engine/transport/resolver.hpp"
#include "engine/transport/transport_layer.hpp"

namespace jackfield {

/// Answers what comes for nobody yet. One a lane; on its thread.
class uas_service {
public:
  virtual ~uas_service() = default;
  /// An INVITE that opens a call: well formed, not seen before, not merged. `transaction` is its
  /// `sip::transaction_key`; copies of the INVITE are kept from the service until somebody calls
  /// `sip_router::unbind_invite` with it.
  virtual void on_invite(const sip_arrival_ptr& invite, uint64_t transaction) = 0;
  /// Any other request out of dialog but ACK and CANCEL.
  virtual void on_request(const sip_arrival_ptr& request) = 0;
};

/// Knows which client is reached over which connection. On the router's thread.
class flow_watcher {
public:
  virtual ~flow_watcher() = default;
  /// One of the router's own, or of another lane's that was `watch`ed. Nothing is sent over it any
  /// more.
  virtual void on_flow_over(const transport::flow& gone) = 0;
  /// A leg has lost the way to this client: whoever knows one now says so by `client_is_back`.
  virtual void on_client_awaited(const client_name& who) = 0;
};

/// Usual INVITEs are smaller, and are bounded by `router_settings::leg_capacity` alone.
inline constexpr size_t large_invite = 8 * 1024;

struct router_settings {
  /// Value of User-Agent and Server.
  std::string user_agent = "Jackfield";
  /// Legs that may linger at once (`sip::linger_table`).
  size_t linger_capacity = 2'000'000;
  /// Legs that may be open at once; a call beyond that is refused, or goes to another lane.
  size_t leg_capacity = leg_table::all_slots;
  /// INVITEs above `large_invite` whose calls are not up may be of so many bytes together; one
  /// beyond that is refused. A call keeps about twice its INVITE until the ACK.
  size_t large_invite_bytes = size_t{8} << 20U;
  /// Key of what is hashed of others' messages: secret, and one for routers that serve as one. 0: a
  /// random one.
  uint64_t seed = 0;
  /// The router's place among those that serve as one; nothing: its lane's index.
  std::optional<uint8_t> position;
  sip::timer_values timers;
  transport::transport_settings transport;
  transport::resolver_settings resolver;
};

struct router_counters {
  uint64_t messages_in = 0;
  uint64_t malformed = 0;                ///< no SIP, or a faulty response
  uint64_t refused = 0;                  ///< faulty or unsupported requests that were answered
  uint64_t unexpected = 0;               ///< belongs to no transaction, dialog or lingering leg
  uint64_t retransmissions_received = 0; ///< of INVITEs and of what lingers
  uint64_t overload_refusals = 0;        ///< 503 because no lane had room
  uint64_t handed_over = 0;              ///< to the lane whose they are
  // Of all legs, as it happens:
  uint64_t requests_sent = 0;   ///< first transmissions
  uint64_t retransmissions = 0; ///< of requests and responses
  uint64_t failovers = 0;       ///< requests that went on to another server of their name
  report::status_matrix sent;   ///< requests sent, and what they were answered
  report::status_matrix served; ///< requests that came and were answered, and with what finally
};

/// Between a lane's transports and its legs: takes each SIP message to the actor whose it is, by
/// the identifiers that we gave out (`sip::leg_id`), and answers what belongs to none. Lives on its
/// lane's thread; outlives the lane's legs. Routers may serve as one: `lane_peers`.
class sip_router final : public transport::transport_handler, private sip::ua_sink {
public:
  sip_router(lane::lane& home, const router_settings& settings);

  /// Called for requests that belong to no leg; without one they are answered 480.
  void set_service(uas_service* service) { service_ = service; }

  /// Told of connections that end, from now on; null: nobody. Outlives the router or is taken off.
  void set_flow_watcher(flow_watcher* watcher) { watcher_ = watcher; }
  /// The watcher hears of the end of this connection though it is another lane's, soon if that was
  /// before. Again and again is cheap.
  void watch(const transport::flow& f);

  /// Shows every message from now on to a tap, those that came in on another lane and were handed
  /// here with them, and not those handed on. The tap outlives the router or is taken off by null.
  void set_tap(wire_tap* tap) { tap_ = tap; }
  /// Null: there is none.
  [[nodiscard]] wire_tap* tap() noexcept { return tap_; }

  [[nodiscard]] lane::lane& home() noexcept { return home_; }
  [[nodiscard]] transport::transport_layer& transport() noexcept { return transport_; }
  [[nodiscard]] next_hops& hops() noexcept { return hops_; }
  [[nodiscard]] leg_table& legs() noexcept { return legs_; }
  [[nodiscard]] lane_peers& peers() noexcept { return peers_; }

  /// Would a call be taken? Any thread.
  [[nodiscard]] bool has_room() const noexcept { return !home_.overloaded() && legs_.has_room(); }
  /// The leg has no way to its client, which nobody can connect to: its actor receives
  /// `client_back` when somebody knows one, until `forget_client`.
  void await_client(const client_name& who, const sip::leg_id& leg);
  void forget_client(const client_name& who, const sip::leg_id& leg) { awaited_.remove(who, leg); }
  /// A client is reached over `now`, whichever lane's that is: those legs of all lanes are told
  /// that wait for it, and those that use `before`, if that is valid.
  void client_is_back(const client_name& who, const transport::flow& before,
                      const transport::flow& now);
  /// Legs that wait for clients. Any thread.
  [[nodiscard]] size_t awaiting() const noexcept { return awaited_.size(); }

  /// As `leg_table::attach`, whichever lane's the connection is.
  void attach(const sip::leg_id& leg, const transport::flow& f);

  /// What legs on this flow put into Via and Contact. Valid as long as the router.
  const sip::ua_profile& profile(const transport::flow& f);
  /// Fixes Via and Contact for a protocol whose own listener others can reach at `address`; without
  /// it the flow's local address is shown, or an ".invalid" host over WebSocket (RFC 7118 §5).
  void set_public_address(transport::protocol p, const lane::endpoint& address);

  // -- server transactions of INVITEs ------------------------------------------------

  /// Gives the server transaction of an INVITE that was handed to the service its leg, so that
  /// retransmissions and CANCEL find it. What comes before that is dropped: it will come again.
  void bind_invite(uint64_t transaction, const sip::leg_id& leg);
  /// Its call is up.
  void confirm_invite(uint64_t transaction) noexcept;
  /// Ends what began when the INVITE was handed to the service.
  void unbind_invite(uint64_t transaction) noexcept;
  [[nodiscard]] sip::linger_table& linger() noexcept { return linger_; }
  /// After a leg left something in the linger table: keeps its timer right.
  void lingered();

  // -- sending -----------------------------------------------------------------------

  /// Sends over a flow, of whichever lane; false if the flow is gone or takes no more.
  bool send(const transport::flow& to, std::string_view bytes, sip::send_rank rank) {
    const bool sent = to.lane != peers_.position()
                        ? peers_.send(to, bytes, static_cast<uint8_t>(rank))
                        : transport_.send(to, bytes, static_cast<unsigned>(rank));
    if (tap_ != nullptr && sent) [[unlikely]]
      tap_->on_message(wire_direction::sent, to, home_.now(), bytes);
    return sent;
  }

  /// How a flow's peer is written into responses. The view lasts until the next call.
  [[nodiscard]] sip::packet_source source_of(const transport::flow& f) const;

  // -- answering without a leg -------------------------------------------------------

  void answer(const sip_arrival& request, int status, std::string_view headers = {});

  // -- other lanes -------------------------------------------------------------------

  /// Hands a request to another lane, whose service is given it as if it had come in there.
  void hand_over(uint8_t lane, const sip_arrival& request);
  /// What another lane handed to this one.
  void on_handed(const transport::flow& from, std::string_view bytes, lane::time_point arrived,
                 errand what);
  /// An INVITE that was placed on another lane is over there.
  void on_released(uint64_t transaction);
  /// A connection that legs or the watcher use is over, whichever lane's it was. `how` may be null.
  void on_flow_over(const transport::flow& gone,
                    const std::shared_ptr<const transport::flow_end>& how);

  [[nodiscard]] const router_counters& counters() const noexcept { return counters_; }
  // What its legs sent and heard.
  void count_sent(const sip::outgoing& message);
  void count_response(sip::method what, int status);
  void count_repeated_response() noexcept { ++counters_.retransmissions_received; }
  void count_failover() noexcept { ++counters_.failovers; }

  // -- transport_handler -------------------------------------------------------------
  void on_message(const transport::flow& from, std::string_view bytes,
                  lane::time_point arrived) override;
  void on_flow_failed(const transport::flow& gone, const transport::flow_end& how) override;
  void on_peer_refused(const transport::flow& to) override;

private:
  struct bound_invite {
    sip::leg_id leg;
    uint64_t merge = 0;
    /// Not our own: where it was placed, or, if `placed`, the home lane that placed it here.
    uint8_t lane = 0;
    bool placed = false;
    uint32_t large = 0; // its bytes, while they count
  };
  /// An INVITE that is over on the lane where it was placed, which answers copies until then.
  struct released_invite {
    lane::time_point until;
    uint64_t transaction;
  };
  /// How a message came to this lane.
  enum class way : uint8_t { wire, handed, placed };
  struct keyed_profile {
    transport::protocol protocol;
    lane::endpoint local;
    sip::ua_profile profile;
  };

  // sip::ua_sink, for what is answered without a leg
  void send(const sip::outgoing& message) override;
  [[nodiscard]] sip::packet_source source() const override;
  void on_event(const sip::ua_event&) override {}

  [[nodiscard]] sip::ua_profile make_profile(transport::protocol p, const lane::endpoint& shown);
  void on_arrival(const sip_arrival_ptr& arrival);
  void tell_legs(const client_back& back, const transport::flow& before);
  /// Shows the message at hand to the tap, once, on the lane that has to do with it.
  void show_at_hand();
  void on_response(const sip_arrival_ptr& arrival, way came);
  void on_request(const sip_arrival_ptr& arrival, way came);
  void on_new_invite(const sip_arrival_ptr& arrival, uint64_t transaction, way came);
  void place_elsewhere(const sip_arrival& invite, uint64_t transaction);
  void forget_invite(uint64_t transaction) noexcept;
  void release(bound_invite& large) noexcept;
  void forget_released();
  void tell_refusals();
  bool hand(uint8_t lane, const sip_arrival& arrival, errand what);
  bool lingering(const sip_arrival_ptr& arrival);
  void arm_linger();

  lane::lane& home_;
  router_settings settings_;
  sip::capabilities capabilities_;
  uint64_t seed_;
  lane_peers peers_;
  transport::transport_layer transport_;
  next_hops hops_;
  uas_service* service_ = nullptr;
  flow_watcher* watcher_ = nullptr;
  wire_tap* tap_ = nullptr;
  const sip_arrival* unshown_ = nullptr; // the message at hand, until the tap has seen it
  std::unordered_map<uint64_t, bound_invite> invites_; // by transaction key
  size_t large_invites_ = 0;                           // bytes
  std::unordered_map<uint64_t, uint64_t> merges_;      // merge key -> transaction key
  std::deque<released_invite> released_;               // of those that were placed elsewhere
  lane::timer released_timer_;
  std::vector<peer_refused> refusals_; // that legs are to be told of
  lane::time_point refusals_told_{};
  lane::timer refusals_timer_;
  sip::linger_table linger_;
  lane::timer linger_timer_;
  std::deque<keyed_profile> profiles_; // addresses stay
  std::map<transport::protocol, lane::endpoint> public_addresses_;
  mutable lane::endpoint shown_source_; // the last one asked for, and its text
  mutable std::string shown_source_text_;
  const sip_arrival* answering_ = nullptr; // where send_to::request_source goes
  router_counters counters_;
  awaited_clients awaited_;
  leg_table legs_; // last: legs that are still open use all the others as they go
};

} // namespace jackfield

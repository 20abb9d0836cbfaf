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

#include "actors/sip_arrival.hpp"
#include "engine/lane/lane_actor.hpp"
#include "engine/sip/leg_id.hpp"
#include "engine/sip/linger_table.hpp"
#include "engine/sip/request_check.hpp"
#include "engine/sip/ua.hpp"
#include "engine/transport/resolver.hpp"
#include "engine/transport/transport_layer.hpp"

namespace jackfield {

/// To every actor that owns a leg: the connection it used is over.
struct flow_lost {
  transport::flow which;
};

/// To an actor that asked `sip_router::locate`: where a URI's messages go, or why nowhere.
struct flow_located {
  uint64_t ticket = 0;
  result<transport::flow> where;
};

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

struct router_settings {
  /// Value of User-Agent and Server.
  std::string user_agent = "Jackfield";
  /// Legs that may linger at once (`sip::linger_table`).
  size_t linger_capacity = 2'000'000;
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
  uint64_t overload_refusals = 0;        ///< 503 because the lane lagged
};

/// Between a lane's transports and its legs: takes each SIP message to the actor whose it is, by
/// the identifiers that we gave out (`sip::leg_id`), and answers what belongs to none. Lives on its
/// lane's thread; outlives the lane's legs.
class sip_router final : public transport::transport_handler, private sip::ua_sink {
public:
  sip_router(lane::lane& home, const router_settings& settings);
  ~sip_router() override;

  /// Called for requests that belong to no leg; without one they are answered 480.
  void set_service(uas_service* service) { service_ = service; }

  [[nodiscard]] lane::lane& home() noexcept { return home_; }
  [[nodiscard]] transport::transport_layer& transport() noexcept { return transport_; }
  [[nodiscard]] transport::resolver& resolver() noexcept { return resolver_; }

  /// What legs on this flow put into Via and Contact. Valid as long as the router.
  const sip::ua_profile& profile(const transport::flow& f);
  /// Fixes Via and Contact for a protocol whose own listener others can reach at `address`; without
  /// it the flow's local address is shown, or an ".invalid" host over WebSocket (RFC 7118 §5).
  void set_public_address(transport::protocol p, const lane::endpoint& address);

  // -- legs ------------------------------------------------------------------------

  /// Gives `owner` an identity on the wire; its messages are `sip_arrival_ptr`. Nothing when all
  /// slots are taken. The router keeps the actor alive until `close_leg`.
  std::optional<sip::leg_id> open_leg(lane::lane_actor& owner);
  void close_leg(const sip::leg_id& leg) noexcept;
  /// From now on the leg's actor receives `flow_lost` if this connection ends. One a leg: another
  /// call replaces the first. UDP flows do not end.
  void attach(const sip::leg_id& leg, const transport::flow& f);
  [[nodiscard]] size_t open_legs() const noexcept { return open_; }

  /// Gives the server transaction of an INVITE that was handed to the service its leg, so that
  /// retransmissions and CANCEL find it. What comes before that is dropped: it will come again.
  void bind_invite(uint64_t transaction, const sip::leg_id& leg);
  /// Ends what began when the INVITE was handed to the service.
  void unbind_invite(uint64_t transaction) noexcept;
  [[nodiscard]] sip::linger_table& linger() noexcept { return linger_; }
  /// After a leg left something in the linger table: keeps its timer right.
  void lingered();

  // -- sending -----------------------------------------------------------------------

  /// Sends over a flow; false if the flow is gone or takes no more.
  bool send(const transport::flow& to, std::string_view bytes, sip::send_rank rank) {
    return transport_.send(to, bytes, static_cast<unsigned>(rank));
  }

  /// The flow to a SIP URI if that is known without asking anybody: a remembered or numeric host.
  /// A URI that names the very peer of `current`, or that is not reachable by itself (a WebSocket
  /// client's), is answered with `current`. `connections` says how to open new ones.
  result<std::optional<transport::flow>> locate_now(std::string_view uri,
                                                    const transport::flow& current,
                                                    const transport::open_settings& connections);
  /// Asks; `owner` receives `flow_located` with `ticket`.
  void locate(std::string_view uri, const transport::open_settings& connections,
              lane::lane_actor& owner, uint64_t ticket);

  /// How a flow's peer is written into responses. The view lasts until the next call.
  [[nodiscard]] sip::packet_source source_of(const transport::flow& f) const;

  // -- answering without a leg -------------------------------------------------------

  void answer(const sip_arrival& request, int status, std::string_view headers = {});

  [[nodiscard]] const router_counters& counters() const noexcept { return counters_; }

  // -- transport_handler -------------------------------------------------------------
  void on_message(const transport::flow& from, std::string_view bytes,
                  lane::time_point arrived) override;
  void on_flow_failed(const transport::flow& gone, const error& why) override;

private:
  static constexpr uint32_t no_slot = UINT32_MAX;
  struct slot {
    caf::strong_actor_ptr owner;
    sip::leg_id id;
    // the other legs attached to the same connection
    transport::connection_handle attached;
    uint32_t next = no_slot;
    uint32_t previous = no_slot;
  };
  struct bound_invite {
    sip::leg_id leg;
    uint64_t merge = 0;
  };
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
  void on_response(const sip_arrival_ptr& arrival);
  void on_request(const sip_arrival_ptr& arrival);
  void on_new_invite(const sip_arrival_ptr& arrival, uint64_t transaction);
  [[nodiscard]] slot* find(const sip::leg_id& leg) noexcept;
  void deliver(slot& to, const sip_arrival_ptr& arrival);
  bool lingering(const sip_arrival_ptr& arrival);
  void arm_linger();
  void detach(slot& s, uint32_t index) noexcept;
  result<transport::flow> open(const transport::target& to, std::string_view server_name,
                               const transport::open_settings& connections);

  lane::lane& home_;
  router_settings settings_;
  sip::capabilities capabilities_;
  uint64_t seed_;
  transport::transport_layer transport_;
  transport::resolver resolver_;
  uas_service* service_ = nullptr;
  std::vector<slot> slots_;
  std::deque<uint32_t> free_;
  std::unordered_map<uint64_t, uint32_t> attached_; // connection -> its first leg's slot
  size_t open_ = 0;
  std::unordered_map<uint64_t, bound_invite> invites_; // by transaction key
  std::unordered_map<uint64_t, uint64_t> merges_;      // merge key -> transaction key
  sip::linger_table linger_;
  lane::timer linger_timer_;
  std::deque<keyed_profile> profiles_; // addresses stay
  std::map<transport::protocol, lane::endpoint> public_addresses_;
  struct text_hash {
    using is_transparent = void;
    size_t operator()(std::string_view s) const noexcept {
      return std::hash<std::string_view>{}(s);
    }
  };
  /// Numeric URI -> target, bounded.
  std::unordered_map<std::string, transport::target, text_hash, std::equal_to<>> located_;
  std::unordered_map<uint64_t, transport::resolver::pending> lookups_;
  uint64_t next_lookup_ = 0;
  mutable lane::endpoint shown_source_; // the last one asked for, and its text
  mutable std::string shown_source_text_;
  const sip_arrival* answering_ = nullptr; // where send_to::request_source goes
  router_counters counters_;
};

} // namespace jackfield

CAF_ALLOW_UNSAFE_MESSAGE_TYPE(jackfield::flow_lost)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(jackfield::flow_located)

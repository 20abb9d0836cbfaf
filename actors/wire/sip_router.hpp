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

#include "actors/wire/leg_table.hpp"
#include "actors/wire/next_hops.hpp"
#include "actors/wire/sip_arrival.hpp"
#include "actors/wire/wire_tap.hpp"
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

  /// Called for requests that belong to no leg; without one they are answered 480.
  void set_service(uas_service* service) { service_ = service; }

  /// Shows every message from now on to a tap, which outlives the router or is taken off by null.
  void set_tap(wire_tap* tap) { tap_ = tap; }

  [[nodiscard]] lane::lane& home() noexcept { return home_; }
  [[nodiscard]] transport::transport_layer& transport() noexcept { return transport_; }
  [[nodiscard]] next_hops& hops() noexcept { return hops_; }
  [[nodiscard]] leg_table& legs() noexcept { return legs_; }

  /// What legs on this flow put into Via and Contact. Valid as long as the router.
  const sip::ua_profile& profile(const transport::flow& f);
  /// Fixes Via and Contact for a protocol whose own listener others can reach at `address`; without
  /// it the flow's local address is shown, or an ".invalid" host over WebSocket (RFC 7118 §5).
  void set_public_address(transport::protocol p, const lane::endpoint& address);

  // -- server transactions of INVITEs ------------------------------------------------

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
    const bool sent = transport_.send(to, bytes, static_cast<unsigned>(rank));
    if (tap_ != nullptr && sent) [[unlikely]]
      tap_->on_message(wire_direction::sent, to, home_.now(), bytes);
    return sent;
  }

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
  bool lingering(const sip_arrival_ptr& arrival);
  void arm_linger();

  lane::lane& home_;
  router_settings settings_;
  sip::capabilities capabilities_;
  uint64_t seed_;
  transport::transport_layer transport_;
  next_hops hops_;
  uas_service* service_ = nullptr;
  wire_tap* tap_ = nullptr;
  std::unordered_map<uint64_t, bound_invite> invites_; // by transaction key
  std::unordered_map<uint64_t, uint64_t> merges_;      // merge key -> transaction key
  sip::linger_table linger_;
  lane::timer linger_timer_;
  std::deque<keyed_profile> profiles_; // addresses stay
  std::map<transport::protocol, lane::endpoint> public_addresses_;
  mutable lane::endpoint shown_source_; // the last one asked for, and its text
  mutable std::string shown_source_text_;
  const sip_arrival* answering_ = nullptr; // where send_to::request_source goes
  router_counters counters_;
  leg_table legs_; // last: legs that are still open use all the others as they go
};

} // namespace jackfield

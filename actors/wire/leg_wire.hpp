#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "actors/wire/sip_router.hpp"
#include "engine/lane/lane_actor.hpp"
#include "engine/sip/leg_id.hpp"
#include "engine/sip/ua.hpp"

namespace jackfield {

struct wire_counters {
  uint32_t requests = 0;        ///< first transmissions
  uint32_t retransmissions = 0; ///< of requests and responses
};

/// How one leg's messages reach the wire: its identity, the flow it uses, and what waits for a
/// look-up. A part of the actor that owns the leg; on its lane's thread.
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
  /// Takes an identity for a leg whose first request goes to `target`, whatever its URI says: an
  /// outbound proxy, or the load's target found once for all calls. Fails if there is no way there.
  result<void> open(const transport::target& target,
                    std::shared_ptr<const transport::open_settings> connections);
  /// Takes up the identity of a leg from a store, whose requests go to `target`. Fails if there is
  /// no way there, or the identity cannot be had on this lane.
  result<void> adopt(const sip::leg_id& id, const transport::target& target,
                     std::shared_ptr<const transport::open_settings> connections);
  /// Gives the identity back. Then nothing is sent or received any more.
  void close() noexcept;

  [[nodiscard]] const sip::leg_id& id() const noexcept { return id_; }
  [[nodiscard]] const transport::flow& current() const noexcept { return out_; }
  [[nodiscard]] const sip::ua_profile& profile() const { return router_.profile(out_); }

  /// Remembers where an in-dialog request came from: its responses go there.
  void heard(const sip_arrival& arrival) { request_source_ = arrival.from(); }

  /// Of the request that is being handled.
  [[nodiscard]] sip::packet_source source() const { return router_.source_of(request_source_); }

  void send(const sip::outgoing& message);
  void on_located(flow_located& found);

  /// True once if something could not be sent since the last call.
  bool take_failure() noexcept { return std::exchange(failed_, false); }
  [[nodiscard]] const wire_counters& counters() const noexcept { return counters_; }

private:
  void begin(const sip::leg_id& id, const transport::flow& source,
             std::shared_ptr<const transport::open_settings> connections);
  struct waiting {
    std::string text;
    sip::send_rank rank;
  };
  void send_aside(const sip::outgoing& message);
  void send_over(const transport::flow& to, std::string_view text, sip::send_rank rank);

  sip_router& router_;
  lane::lane_actor& owner_;
  sip::leg_id id_;
  transport::flow out_;            // of our requests
  transport::flow invite_source_;  // where the leg's first request came from
  transport::flow request_source_; // of the latest request within the dialog
  std::shared_ptr<const transport::open_settings> connections_;
  std::vector<waiting> waiting_; // for the look-up under way
  uint64_t ticket_ = 0;
  wire_counters counters_;
  bool open_ = false;
  bool pinned_ = false;
  bool failed_ = false;
};

} // namespace jackfield

#pragma once

#include <optional>
#include <utility>

#include <caf/behavior.hpp>

#include "actors/wire/leg_wire.hpp"
#include "actors/wire/sip_arrival.hpp"
#include "engine/lane/lane_actor.hpp"

namespace jackfield {

/// What every actor with a leg on the wire is made of: the leg's identity, the SIP machine that
/// its messages feed, the machine's clock, and its end. `Machine` is one of engine/sip's: it takes
/// `on_message`, `on_time` and `on_transport_failed`, and tells its `next_deadline`.
///
/// The machine lives from `start_machine` on; what comes earlier is passed over. When the leg is
/// over (`over_`), `on_over` is called after whatever was being handled, again after each later
/// message until the actor quits.
template <class Machine>
class leg_actor : public lane::lane_actor, protected sip::ua_sink {
protected:
  /// The machine's timer; a leg's own timers have other numbers.
  static constexpr unsigned protocol_clock = 0;

  leg_actor(caf::actor_config& config, lane::lane& home, sip_router& router)
      : lane::lane_actor(config, home), router_(router), wire_(router, *this),
        protocol_timer_(*this, protocol_clock) {
    // nop
  }

  /// One of the leg's own timers fired.
  virtual void on_clock(unsigned /*id*/) {}
  /// The connection that its requests used is over.
  virtual void on_connection_lost(const flow_lost& /*lost*/) {
    machine_->on_transport_failed(home().now(), *this);
  }
  /// The peer's host has nobody at the port that its latest request went to.
  virtual void on_peer_refused() { machine_->on_transport_failed(home().now(), *this); }
  /// The machine is going to be told the time, and may send.
  virtual void before_time() {}
  /// A request of the peer's has come, or its registration, by which it can be reached again.
  virtual void on_way_back() {}
  virtual void on_send_failed() { machine_->on_transport_failed(home().now(), *this); }
  virtual void on_over() = 0;
  /// The actor ends though it has not `finished_`: an exception, or somebody's exit message.
  /// Whoever waits for the leg is told here.
  virtual void on_lost() = 0;

  void on_exit() override {
    if (!std::exchange(finished_, true)) {
      try {
        on_lost();
      } catch (...) { // whatever threw may throw again
      }
    }
    protocol_timer_.cancel();
    wire_.close();
    machine_.reset();
  }

  /// The handlers that every leg has, and `own` ones.
  template <class... Handlers>
  caf::behavior behavior_with(Handlers... own) {
    return {
      [this](const sip_arrival_ptr& arrival) { on_arrival(*arrival); },
      [this](const lane::timer_fired& fired) { on_timer(fired.id); },
      [this](const flow_lost& lost) {
        if (wire_.lost(lost.which, lost.how) && machine_)
          on_connection_lost(lost);
        settle();
      },
      [this](const peer_refused& by) {
        if (machine_ && !over_ && wire_.refused(by))
          on_peer_refused();
        settle();
      },
      [this](servers_located& found) {
        wire_.on_located(found);
        settle();
      },
      std::move(own)...,
    };
  }

  Machine& start_machine() { return machine_.emplace(wire_.profile(), wire_.id()); }

  /// After every call of the machine: failures, its clock, the end.
  void settle() {
    // A failure reported to the machine may lead to another message that fails: bounded by the
    // machine, which gives up.
    while (!over_ && machine_ && wire_.take_failure())
      on_send_failed();
    if (over_) {
      protocol_timer_.cancel();
      on_over();
      return;
    }
    if (!machine_)
      return;
    if (const auto next = machine_->next_deadline(); next == sip::never)
      protocol_timer_.cancel();
    else
      protocol_timer_.arm(next);
  }

  // sip::ua_sink
  void send(const sip::outgoing& message) override { wire_.send(message); }
  [[nodiscard]] sip::packet_source source() const override { return wire_.source(); }
  const sip::ua_profile* next_server(sip::duration rest) override {
    return wire_.next_server(rest);
  }

  sip_router& router_;
  leg_wire wire_;
  std::optional<Machine> machine_;
  lane::actor_timer protocol_timer_;
  bool over_ = false;
  bool finished_ = false; // the owner has been told how it went

private:
  void on_arrival(const sip_arrival& arrival) {
    if (!machine_)
      return;
    const bool was_cut_off = wire_.is_cut_off();
    wire_.hear(&arrival);
    machine_->on_message(arrival.arrived(), arrival.message(), *this);
    wire_.hear(nullptr);
    if (was_cut_off && !wire_.is_cut_off())
      on_way_back();
    settle();
  }

  void on_timer(unsigned id) {
    if (id != protocol_clock) {
      on_clock(id);
    } else if (machine_) {
      before_time();
      machine_->on_time(home().now(), *this);
    }
    settle();
  }
};

} // namespace jackfield

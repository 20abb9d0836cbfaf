#pragma once

#include <utility>

#include <caf/event_based_actor.hpp>
#include <caf/mailbox_element.hpp>

#include "engine/lane/lane.hpp"

namespace jackfield::lane {

/// Sent to a lane actor by its own `actor_timer`.
struct timer_fired {
  /// What the actor gave the timer: tells its timers apart.
  unsigned id = 0;
};

/// An actor that always runs on its lane's thread, whoever sends to it, and ends there, whoever
/// lets go of it last: messages of the lane's own actors and sockets go straight to its mailbox,
/// others through the lane's inbox. So its sockets, timers and state need no lock. The lane
/// outlives it.
class lane_actor : public caf::event_based_actor {
public:
  lane_actor(caf::actor_config& config, lane& home);
  ~lane_actor() override;

  [[nodiscard]] lane& home() const noexcept { return home_; }

  using caf::event_based_actor::enqueue;
  void enqueue(caf::mailbox_element_ptr message, caf::execution_unit* from) override;

private:
  lane& home_;
};

/// Sends to an actor from its own lane's thread, inside or outside of an actor's handler.
template <class T>
void tell(lane& home, const caf::strong_actor_ptr& to, T&& content) {
  to->get()->enqueue(
    caf::make_mailbox_element(nullptr, caf::make_message_id(), {}, std::forward<T>(content)),
    &home);
}

/// Sends to an actor of any lane or of none, from one that is to be known as the sender; on that
/// one's lane. Nobody is the sender where it ends because nobody refers to it any more: a reference
/// then would end it twice.
template <class T>
void tell_from(lane_actor& sender, const caf::strong_actor_ptr& to, T&& content) {
  to->get()->enqueue(caf::make_mailbox_element(caf::weak_actor_ptr{sender.ctrl()}.lock(),
                                               caf::make_message_id(), {},
                                               std::forward<T>(content)),
                     &sender.home());
}

/// A timer of a lane actor: when it fires the actor receives `timer_fired{id}` as a message, so
/// that handlers run one at a time and the actor may quit in any of them. Belongs to the actor's
/// state; destroyed with it.
class actor_timer {
public:
  actor_timer(lane_actor& owner, unsigned id) noexcept
      : timer_(&fire, this), owner_(owner), id_(id) {}

  void arm(time_point deadline) { owner_.home().arm(timer_, deadline); }
  void cancel() noexcept { timer_.cancel(); }
  [[nodiscard]] bool armed() const noexcept { return timer_.armed(); }
  /// The deadline it was last armed for.
  [[nodiscard]] time_point deadline() const noexcept { return timer_.deadline(); }

private:
  static void fire(void* self);
  timer timer_;
  lane_actor& owner_;
  unsigned id_;
};

} // namespace jackfield::lane

CAF_ALLOW_UNSAFE_MESSAGE_TYPE(jackfield::lane::timer_fired)

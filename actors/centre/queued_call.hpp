#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>

#include "actors/centre/agent_served_call.hpp"
#include "actors/centre/caller_menu.hpp"
#include "actors/centre/centre_keeping.hpp"
#include "actors/centre/queued_resumption.hpp"
#include "actors/centre/wait_announcer.hpp"

namespace jackfield {

/// A call that waits in a queue until an agent takes it. It is answered at once and hears the
/// queue's music; when an agent says so whom it was offered to, all phones of that agent ring. If
/// one answers, and the agent says that the call is its own, the streams are joined as in a bridge.
/// Whichever leg ends ends the other.
///
/// Where it came to a menu, it is that which the caller hears first, and whose keys choose the
/// queue.
///
/// The actor, the caller's leg and all streams are on the lane where the INVITE came up; an agent's
/// legs are on the lanes of their connections. It enters the queue with the caller's ACK: who
/// is not there rings nobody.
///
/// Where the queue calls back, a key of the caller's has it leave the line for that, if the owner
/// promises it (`promise_callback`): it is told so, and hung up.
///
/// Takes `hang_up`, from anybody.
class queued_call final : public agent_served_call {
public:
  /// `invite` was handed to a `uas_service` with this `transaction`. `owner`, on this lane, answers
  /// `look_up_contacts` and gets `queued_call_over`. `music`: what the caller hears meanwhile; of
  /// no matter, as `ticket` is, with a `menu`: the place of one in `menus`.
  queued_call(caf::actor_config& config, lane::lane& home, lane_context& context,
              std::shared_ptr<const bridge_manner> manner,
              std::shared_ptr<const audio_settings> music, sip_arrival_ptr invite,
              uint64_t transaction, queue_ticket ticket,
              std::shared_ptr<const registrar_shards> shards, const two_clocks& clocks,
              caf::strong_actor_ptr owner,
              const std::shared_ptr<const centre_menus>& menus = nullptr,
              std::optional<size_t> menu = std::nullopt);
  /// A call that a crash left. Its caller comes back by a re-INVITE, and waits on in its place; or,
  /// where an agent had it, so do both, each on the lane that its leg was on, and hear each other
  /// again. Where one of the two does not, both are hung up. `agent`: whose it is, who believes to
  /// have it; null: of no agent any more. The owner gets `call_resumed`, too.
  queued_call(caf::actor_config& config, lane::lane& home, lane_context& context,
              std::shared_ptr<const bridge_manner> manner,
              std::shared_ptr<const audio_settings> music, returning_call left, queue_ticket ticket,
              std::shared_ptr<const registrar_shards> shards, const two_clocks& clocks,
              caf::strong_actor_ptr owner, caf::strong_actor_ptr agent = nullptr);

  const char* name() const override { return "queued_call"; }

protected:
  caf::behavior make_behavior() override;
  void on_exit() override;

private:
  void end_all(queue_exit how) override;
  void report() override;

  // the caller's events, and those of the phone that talks; the other phones' are the ringer's
  void on_incoming(const leg_events::incoming& call);
  void on_confirmed();
  void on_prepared(const leg_events::prepared& prepared);
  void on_offered(const leg_events::offered& anew);
  void on_requested(leg_events::requested& asked);
  void on_ended(const leg_events::ended& ended);
  void on_opened(const media_opened& opened);
  // the queue's and the agent's
  void on_told(const wait_told& told);
  void on_connect(const offer_key& key);
  void on_dismissed(const queue_dismissed& dismissed);

  /// What came of a menu; nothing: the caller is in it still.
  void heed(const std::optional<caller_menu::exit>& menu);
  [[nodiscard]] lane::time_point arrival() const;
  void enter();
  /// A key that is pressed in the line.
  void on_key(char digit);
  void be_called_back();
  void join();
  void fall_apart();
  /// After a crash.
  void talk_on();
  /// Caller and agent are joined.
  void begin_recording();
  void refuse(int status);
  [[nodiscard]] report::failure_cause failure() const;

  // Of its timers.
  static constexpr unsigned menu_clock = 0;
  static constexpr unsigned announcer_clock = 1;
  static constexpr unsigned farewell_clock = 2;
  static constexpr unsigned join_clock = 3;

  sip_arrival_ptr invite_; // until the caller's leg has it
  uint64_t transaction_;
  std::unique_ptr<caller_menu> menu_; // until it has been chosen from
  two_clocks clocks_;
  queued_resumption resumption_{*this, far_, line_, agents_, join_clock};
  std::string from_; // value without tag
  std::string to_;
  bool answered_ = false;
  wait_announcer announcer_{*this, announcer_clock};
  lane::actor_timer farewell_{*this, farewell_clock};
  bool asked_to_be_called_ = false;
};

} // namespace jackfield

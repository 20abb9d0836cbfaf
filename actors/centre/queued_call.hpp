#pragma once

#include <chrono>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include <caf/actor.hpp>
#include <caf/allowed_unsafe_message_type.hpp>

#include "actors/centre/agent_ringer.hpp"
#include "actors/centre/bridged_call.hpp"
#include "actors/centre/call_side.hpp"
#include "actors/centre/caller_menu.hpp"
#include "actors/centre/centre_keeping.hpp"
#include "actors/centre/centre_messages.hpp"
#include "actors/centre/place_in_line.hpp"
#include "actors/centre/queued_resumption.hpp"
#include "actors/centre/serving_agent.hpp"
#include "actors/centre/wait_announcer.hpp"
#include "actors/node/lane_context.hpp"
#include "actors/node/registrar.hpp"
#include "engine/lane/lane_actor.hpp"
#include "engine/report/failure_cause.hpp"

namespace jackfield {

/// To the owner of a call that waited in a queue, last.
struct queued_call_over {
  caf::actor_id call = 0;
  std::string call_id;
  std::string from; ///< a URI
  std::string queue;
  std::string agent; ///< who took it; empty: nobody
  queue_exit how = queue_exit::abandoned;
  bool by_caller = false;  ///< who ended it
  lane::duration waited{}; ///< from the ACK to the agent's answer, or to the end
  lane::duration talked{};
  /// None: it went as such calls do, also where the caller was gone before an agent came.
  report::failure_cause failure;
  bool answered = false;                   ///< the caller was sent 200
  std::vector<media_outcome> media;        ///< of the streams that were joined, the caller's first
  std::optional<recording_over> recording; ///< none: none was wanted
};

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
class queued_call final : public lane::lane_actor {
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
  // the caller's events, and those of the phone that talks; the other phones' are the ringer's
  void on_incoming(const leg_events::incoming& call);
  void on_confirmed();
  void on_prepared(const leg_events::prepared& prepared);
  void on_offered(const leg_events::offered& anew);
  /// After a crash.
  void talk_on();
  void on_ended(const leg_events::ended& ended);
  void on_opened(const media_opened& opened);
  void on_closed(const media_closed& closed);
  // the queue's and the agents'
  void on_ring(const ring_agent& ring);
  void on_connect(const offer_key& key);
  void on_dismissed(const queue_dismissed& dismissed);
  void on_down(const caf::down_msg& down);

  /// What came of a menu; nothing: the caller is in it still.
  void heed(const std::optional<caller_menu::exit>& menu);
  void on_requested(leg_events::requested& asked);
  [[nodiscard]] lane::time_point arrival() const;
  /// A key that is pressed in the line.
  void on_key(char digit);
  void be_called_back();
  void enter();
  void join();
  void fall_apart();
  /// Caller and agent are joined.
  void begin_recording();
  void end_all(queue_exit how);
  void refuse(int status);
  void settle();
  void report();
  [[nodiscard]] report::failure_cause failure() const;
  [[nodiscard]] call_side* speaker();
  [[nodiscard]] call_side* player();
  [[nodiscard]] call_side* other_than(const call_side* side);

  lane_context& context_;
  std::shared_ptr<const bridge_manner> manner_;
  std::shared_ptr<const audio_settings> music_;
  sip_arrival_ptr invite_; // until the caller's leg has it
  uint64_t transaction_;
  std::unique_ptr<caller_menu> menu_; // until it has been chosen from
  two_clocks clocks_;
  caf::strong_actor_ptr owner_; // null: it has been told
  call_side caller_;
  place_in_line line_;
  agent_ringer agents_;
  serving_agent agent_{*this};
  static constexpr unsigned join_clock = 3;
  queued_resumption resumption_{*this, caller_, line_, agents_, join_clock};
  std::string from_; // value without tag
  std::string to_;
  report::failure_cause failure_; // of our own
  queue_exit how_ = queue_exit::abandoned;
  bool answered_ = false;
  static constexpr unsigned announcer_clock = 1; // beside the menu's
  wait_announcer announcer_{*this, announcer_clock};
  static constexpr unsigned farewell_clock = 2;
  lane::actor_timer farewell_{*this, farewell_clock};
  bool asked_to_be_called_ = false;
  bool ending_ = false;
  bool by_caller_ = false;
  lane::duration waited_{};
};

} // namespace jackfield

CAF_ALLOW_UNSAFE_MESSAGE_TYPE(jackfield::queued_call_over)

#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include <caf/actor_control_block.hpp>
#include <caf/response_promise.hpp>

#include "actors/call/call_leg.hpp"
#include "actors/call/call_resumption.hpp"
#include "actors/call/call_settings.hpp"
#include "actors/call/kept_call.hpp"
#include "actors/call/leg_messages.hpp"

namespace jackfield {

/// The user of a leg that somebody else commands: a bridged call, a queue, an agent, an API, a
/// test; on whatever lane or CAF worker. Turns the leg's events into messages to its owner
/// (`leg_events`), and typed commands (`leg_command`) into calls, each answered exactly once with a
/// `leg_result`.
///
/// Offers of the peer's, and requests of the methods that the owner asked for, wait for the owner,
/// ten seconds at most. If the owner ends, the leg hangs up.
///
/// Of a leg that is kept, INVITE and ACK leave, and `accept` is done, once the store has what they
/// say. Where it cannot be written, a call that came in is refused by 503, another is not made.
class leg_reporter final : public leg_user {
public:
  /// For a leg that calls.
  struct calling {
    transport::target_selection servers = {}; ///< where the first request goes, best first
    /// Or the connection that it goes over; invalid: to one of the servers.
    transport::flow over = {};
    /// URI of the user who registered by that; empty: that is who is called.
    std::string registered_as = {};
    std::shared_ptr<const transport::open_settings> connections;
    std::shared_ptr<const call_target> whom;
    unsigned max_forwards = 70; ///< as in `sip::call_options`
    bool delayed_offer = false;
    /// Prepare, and let the INVITE go only at `leg_commands::send`.
    bool wait = false;
    lane::duration ringing_limit = std::chrono::minutes{3};
  };
  /// What both directions need.
  struct settings {
    caf::strong_actor_ptr owner;
    std::shared_ptr<const sdp::offer_template> media; ///< address, codecs, direction
    caf::strong_actor_ptr stream = {};                ///< handed in now, or by `use_stream`
    uint16_t port = 0;                                ///< where it hears
    std::shared_ptr<const sdp::stream_transport> transport = {}; ///< what it said beside that
    /// Requests within the dialog that the owner answers; others are answered by default.
    std::vector<sip::method> wanted = {};
    /// Told in its first event and its last one: an owner of several knows them by it.
    uint32_t tag = 0;
  };

  /// For a leg of a call that came in.
  explicit leg_reporter(settings s, kept_call kept = {})
      : settings_(std::move(s)), kept_(std::move(kept)) {}
  leg_reporter(settings s, calling c, kept_call kept = {})
      : settings_(std::move(s)), calling_(std::make_unique<calling>(std::move(c))),
        kept_(std::move(kept)) {}

  /// For the leg of a call that a crash left, which is to go on: `kept` is under way. The dialog is
  /// taken up at once (the owner gets `leg_events::prepared`); what is offered anew waits for
  /// `leg_commands::use_stream`. The owner gets `leg_events::confirmed` once the peer has agreed;
  /// or `not_resumed`, or just `ended`.
  leg_reporter(settings s, kept_call kept,
               std::shared_ptr<const transport::open_settings> connections)
      : settings_(std::move(s)), kept_(std::move(kept)), connections_(std::move(connections)) {}

  void on_start(call_leg& leg) override;
  void on_hang_up(call_leg& leg) override { leg.hang_up(); }
  void on_lost(call_leg& leg) override;
  void on_incoming(call_leg& leg, const leg_incoming& call) override;
  void on_confirmed(call_leg& leg) override;
  void on_prepared(call_leg& leg) override;
  void on_progress(call_leg& leg, const leg_progress& progress) override;
  void on_early_media(call_leg& leg, const leg_early_media& media) override;
  void on_answered(call_leg& leg, const leg_answer& answer) override;
  void on_offer(call_leg& leg, const leg_offer& offer) override;
  void on_offer_withdrawn(call_leg& leg, uint32_t number) override;
  void on_settled(call_leg& leg, const leg_settled& settled) override;
  void on_request(call_leg& leg, const leg_request& request) override;
  void on_response(call_leg& leg, const leg_response& response) override;
  void on_retrying(call_leg& leg, int status) override;
  void on_ended(call_leg& leg, const leg_end& end) override;
  void on_recorded(call_leg& leg, const recorded& answer) override;
  void on_command(call_leg& leg, leg_command& command) override;
  void on_wake(call_leg& leg) override;
  void on_way_back(call_leg& leg) override;

private:
  class executor;
  struct waiting {
    uint32_t request; ///< 0: the end of the leg
    caf::response_promise promise;
  };

  template <class Event>
  void tell(call_leg& leg, Event event);
  /// Answers the command that waits for this request; false if none does.
  bool answer(uint32_t request, leg_result result);
  void resume(call_leg& leg);
  void on_resumption(call_leg& leg, call_resumption::state how);
  void end(call_leg& leg, leg_events::ended event, report::failure_cause why);

  settings settings_;
  std::unique_ptr<calling> calling_;
  std::vector<waiting> waiting_;
  kept_call kept_;
  std::shared_ptr<const transport::open_settings> connections_; // of a call that is to go on
  std::unique_ptr<call_resumption> resuming_;                   // until its peer has agreed
  bool lost_ = false;                                           // it has not
  bool awaits_record_ = false;                     // before the INVITE, or the first answer
  bool wants_begin_ = false;                       // then to be sent, or accepted
  std::optional<caf::response_promise> beginning_; // of the command that asked for it
  std::optional<leg_events::answered> answered_;   // told once it may be acknowledged
  int status_ = 0;                                 // final one of the INVITE
};

} // namespace jackfield

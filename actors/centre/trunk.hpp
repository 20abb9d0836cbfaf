#pragma once

#include <chrono>
#include <cstdint>
#include <memory>
#include <string>

#include <caf/actor.hpp>
#include <caf/allowed_unsafe_message_type.hpp>

#include "actors/call/leg_messages.hpp"
#include "actors/call/out_of_dialog_request.hpp"
#include "actors/call/registration.hpp"
#include "actors/centre/centre_events.hpp"
#include "actors/centre/trunk_book.hpp"
#include "actors/node/lane_context.hpp"
#include "actors/wire/next_hops.hpp"
#include "engine/lane/lane_actor.hpp"

namespace jackfield {

/// Keeps a trunk's line in the book true: registers with its server if it is to, and asks by
/// OPTIONS whether it is there. One that says nothing for `answer_limit`, cannot be reached, or
/// says 503 is out of service until it answers otherwise. Lives on any lane.
///
/// Told to `hang_up` it removes the registration and ends.
class trunk final : public lane::lane_actor {
public:
  static constexpr lane::duration answer_limit = std::chrono::seconds{4};
  /// A server that could not be found is looked for again after this.
  static constexpr lane::duration locate_again = std::chrono::seconds{30};

  /// `watcher` gets a `centre_event` each time it goes out of service, or comes back; null: nobody.
  trunk(caf::actor_config& config, lane::lane& home, lane_context& context,
        std::shared_ptr<const trunk_book> book, size_t place, caf::strong_actor_ptr watcher);

  const char* name() const override { return "trunk"; }

protected:
  caf::behavior make_behavior() override;
  void on_exit() override;

private:
  void on_timer(unsigned id);
  void look();
  void on_located(const servers_located& found);
  void ask();
  void on_asked(const request_finished& finished);
  void on_registration(const registration_report& report);
  void leave();
  /// Writes the state, and tells the watcher where it changed; `why` it is out of service.
  void settle(std::string why);

  [[nodiscard]] const trunk_profile& profile() const noexcept { return line_.profile(); }

  lane_context& context_;
  std::shared_ptr<const trunk_book> book_;
  trunk_line& line_;
  caf::strong_actor_ptr watcher_;
  std::shared_ptr<const call_target> target_;
  std::shared_ptr<const call_manner> manner_; // null: its server has not been found
  caf::strong_actor_ptr registration_;
  lane::actor_timer look_timer_;  // the next look for its servers, and question
  lane::actor_timer limit_timer_; // of the answer
  uint64_t look_up_ = 0;
  uint64_t asked_ = 0; // the question that waits for its answer; 0: none
  uint64_t questions_ = 0;
  bool answers_ = true;
  bool registered_ = false;
  bool leaving_ = false;
};

} // namespace jackfield

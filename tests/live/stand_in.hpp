#pragma once

#include <chrono>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include <caf/actor_system.hpp>
#include <caf/actor_system_config.hpp>
#include <caf/event_based_actor.hpp>
#include <caf/scoped_actor.hpp>

#include "actors/live/live_callers.hpp"
#include "actors/live/live_day.hpp"

namespace jackfield {

/// Stands in for callers, for a PBX and for agents' phones, without SIP: is told of callers who
/// come and go, and says what these would. A test writes the PBX.
class stand_in final : public caf::event_based_actor {
public:
  using time = std::chrono::milliseconds;
  struct told {
    std::vector<uint64_t> placed;
    std::vector<uint64_t> hung_up; ///< by their own doing, or the day's
  };
  /// What to do, on its thread; both are called until the actor has ended.
  struct script {
    std::function<void(stand_in&, uint64_t ticket)> on_placed;
    /// The caller is `gone` then; unset: at once.
    std::function<void(stand_in&, uint64_t ticket)> on_hung_up;
  };

  stand_in(caf::actor_config& config, caf::actor day, script s, told& t);
  const char* name() const override { return "stand_in"; }

  // To the day.
  /// Returns the call.
  caf::actor_id ring(size_t user, const std::string& shown);
  caf::actor_id ring(size_t user, uint64_t ticket) { return ring(user, caller_id_of(ticket)); }
  void talks(size_t user, caf::actor_id call) { send(day_, user_talks{user, call}); }
  void free(size_t user, caf::actor_id call) { send(day_, user_free{user, call}); }
  void answered(uint64_t ticket) { send(day_, caller_answered{ticket}); }
  void gone(uint64_t ticket, bool was_answered = false) {
    send(day_, caller_gone{ticket, was_answered});
  }
  void unregistered() {
    send(day_, user_failed{"somebody", report::failure_cause::timeout, false});
  }
  /// The usual answer, with the agent at once.
  caf::actor_id connect(size_t user, uint64_t ticket);
  void after(time t, std::function<void()> what);

protected:
  caf::behavior make_behavior() override;

private:
  caf::actor day_;
  script script_;
  told& told_;
  caf::actor_id calls_ = 1'000;
};

/// A day with a PBX of the test's own.
class played_day {
public:
  explicit played_day(size_t agents);

  /// One queue, whose callers come at these times.
  simulation::centre_plan plan;
  simulation::simulation_options options;
  stand_in::script script;
  std::function<bool()> cut = [] { return false; };
  std::function<void(const live_progress&)> tell = [](const live_progress& /*at*/) {};

  void come(const std::vector<stand_in::time>& at);
  void play();

  // Once played.
  live_day_result result;
  stand_in::told told;
  [[nodiscard]] const simulation::service_counts& counts() const { return result.figures.all; }
  [[nodiscard]] size_t ended(simulation::call_end how) const;
  /// Expects that each who was let in is counted once, by its queue and as a whole.
  void expect_sums() const;

private:
  caf::actor_system_config config_;
  std::unique_ptr<caf::actor_system> system_;
};

} // namespace jackfield

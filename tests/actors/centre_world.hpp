#pragma once

#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include <caf/actor.hpp>

#include "actors/centre/centre.hpp"
#include "tests/actors/sim_world.hpp"

namespace jackfield {

/// A simulated world with a contact centre in it.
class centre_world : public sim_world {
public:
  explicit centre_world(uint64_t seed, const lane::sim_link& link = {});
  ~centre_world();

  /// Starts the centre at a site. Once, and after each `crash_centre`; `before` as in
  /// `start_centre`. `who`: users with passwords; none: nobody is asked.
  void serve(sim_site& site, const centre_plan& plan,
             const std::shared_ptr<const bridge_manner>& manner,
             const centre_memory* before = nullptr, registrar_settings who = {}) {
    serve_at({&site.context}, plan, manner, std::move(who), before);
  }
  /// At several that serve as one.
  void serve_at(const std::vector<lane_context*>& lanes, const centre_plan& plan,
                const std::shared_ptr<const bridge_manner>& manner, registrar_settings who,
                const centre_memory* before = nullptr);
  /// The process after a `crash_centre` serves at sites of its own, keeps its calls in the store
  /// that the one before left, and takes up what is there: `go_on`.
  void serve_again(const std::vector<sim_site*>& lanes, storage::store& left,
                   const centre_plan& plan, const std::shared_ptr<const bridge_manner>& manner);
  /// Ends it with its site's process: `crash`.
  void crash_centre(sim_site& site);
  /// Has the centre that was just started take up who was registered, who waits on and who talks
  /// on, and all other calls that a crash left in that store end at their peers: `resumed`,
  /// `recovered`.
  void go_on(sim_site& site, const storage::store& left) { go_on({&site}, left); }
  void go_on(const std::vector<sim_site*>& lanes, const storage::store& left);
  /// Changes it to another plan; what that is then.
  centre_plan change(sim_site& site, const centre_plan& before, const centre_plan& plan);
  /// Registers an agent's phone at the centre, over the phone's transport: the registration.
  caf::strong_actor_ptr register_phone(sim_site& phone, const sim_site& centre,
                                       const std::string& agent);
  /// Tells its service to take no more calls, and perhaps to hang up.
  void stop_centre(bool hang_up);

  /// What happened there.
  [[nodiscard]] const std::vector<centre_event>& events() const noexcept { return events_; }
  [[nodiscard]] const std::vector<centre_stopped>& stopped() const noexcept { return stopped_; }
  [[nodiscard]] const centre_actors& centre() const noexcept { return centre_; }
  [[nodiscard]] const std::optional<calls_resumed>& resumed() const noexcept { return resumed_; }
  [[nodiscard]] const std::optional<parting_counts>& recovered() const noexcept {
    return recovered_;
  }

private:
  class watcher;
  void end_centre();

  std::vector<centre_event> events_;
  std::vector<centre_stopped> stopped_;
  std::optional<calls_resumed> resumed_;
  std::optional<parting_counts> recovered_;
  caf::actor watcher_;
  centre_actors centre_;
  std::vector<caf::actor> leaving_;
};

} // namespace jackfield

#pragma once

#include <memory>
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

  /// Starts the centre at a site. Once. `who`: users with passwords; none: nobody is asked.
  void serve(sim_site& site, const centre_plan& plan,
             const std::shared_ptr<const bridge_manner>& manner, registrar_settings who = {}) {
    serve_at({&site.context}, plan, manner, std::move(who));
  }
  /// At several that serve as one.
  void serve_at(const std::vector<lane_context*>& lanes, const centre_plan& plan,
                const std::shared_ptr<const bridge_manner>& manner, registrar_settings who);
  /// Tells its service to take no more calls, and perhaps to hang up.
  void stop_centre(bool hang_up);

  /// What happened there.
  [[nodiscard]] const std::vector<centre_event>& events() const noexcept { return events_; }
  [[nodiscard]] const std::vector<centre_stopped>& stopped() const noexcept { return stopped_; }
  [[nodiscard]] const centre_actors& centre() const noexcept { return centre_; }

private:
  class watcher;

  std::vector<centre_event> events_;
  std::vector<centre_stopped> stopped_;
  caf::actor watcher_;
  centre_actors centre_;
};

} // namespace jackfield

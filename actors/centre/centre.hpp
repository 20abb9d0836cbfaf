#pragma once

#include <memory>
#include <string>
#include <vector>

#include <caf/actor.hpp>

#include "actors/centre/centre_service.hpp"

namespace jackfield {

/// What a contact centre is made of; checked.
struct centre_plan {
  struct agent_plan {
    std::string name; ///< the user part of its address
    policy::agent_rules rules;
    bool ready_at_once = true;
    policy::agent_id number{}; ///< unset: by its place, from 1
  };
  struct member {
    size_t agent = 0; ///< its place in `agents`
    policy::membership part;
    int32_t priority = 0; ///< of the queue to the agent
  };
  struct queue_plan {
    std::string name;
    std::vector<std::string> numbers; ///< user parts by which it is called
    policy::queue_rules rules;        ///< overflow targets are names of queues
    std::shared_ptr<const audio_settings> music;
    std::vector<member> members;
    bool record = false; ///< what callers and agents say; `recordings` says where
    std::shared_ptr<const wait_announcement> announces = {}; ///< null: nothing is
    std::shared_ptr<const callback_terms> calls_back = {};   ///< null: nobody
    policy::queue_id number{};                               ///< unset: by its place, from 1
  };
  struct menu_plan {
    policy::menu_rules rules; ///< targets are names of queues and menus
    std::vector<std::string> numbers;
    std::shared_ptr<const audio_settings> prompt;
  };
  std::vector<agent_plan> agents;
  std::vector<queue_plan> queues;
  std::vector<menu_plan> menus;
  std::shared_ptr<const recording_settings> recordings; ///< null: there is no place for any
  bool anyone_calls = true;                             ///< as in `centre_roster`
  std::vector<trunk_profile> trunks;
  std::vector<outside_route> routes;
  uint64_t seed = 1; ///< of the strategy `random`
};

/// The actors of a contact centre. Whoever starts them watches them; queues and agents, which know
/// each other, have to be ended by `caf::anon_send_exit`, after the services.
struct centre_actors {
  std::vector<caf::actor> services; ///< one a context; each is the source of its place
  std::vector<caf::actor> queues;   ///< in the order of the plan
  std::vector<caf::actor> agents;
  /// In the order of the plan. Each ends by itself once told to `hang_up`, when its registration is
  /// removed.
  std::vector<caf::actor> trunks;
  std::shared_ptr<const trunk_book> book; ///< how trunks are
  two_clocks clocks{};                    ///< as in `centre_roster`
};

/// Starts them on the lanes of these contexts, which serve together, and share queues and agents
/// out among themselves. `watcher` gets each `centre_event`; null: nobody does. Contexts that keep
/// calls keep queues and agents, too; `before`: what those were when the process before ended,
/// null: nothing is known of that. On the lane, or before the lanes run.
[[nodiscard]] centre_actors start_centre(const std::vector<lane_context*>& contexts,
                                         const centre_plan& plan,
                                         const std::shared_ptr<const bridge_manner>& manner,
                                         const registrar_settings& registrations,
                                         const caf::strong_actor_ptr& watcher,
                                         const centre_memory* before = nullptr);

/// A centre that was changed.
struct changed_centre {
  centre_plan plan; ///< with the numbers that there are now
  centre_actors now;
  std::vector<caf::actor> leaving; ///< queues and agents that end when their calls are over
};

/// Changes a running centre to another plan: agents and queues of the same name are the same, and
/// go on by the new rules at once; new ones begin, and those that are not there any more end when
/// their calls are over. Calls that are up are untouched. `before`: what it runs by. From any
/// thread but the contexts' lanes', or on the only one.
[[nodiscard]] changed_centre change_centre(const std::vector<lane_context*>& contexts,
                                           const centre_plan& before, centre_plan plan,
                                           const centre_actors& running,
                                           const registrar_settings& registrations,
                                           const caf::strong_actor_ptr& watcher);

} // namespace jackfield

#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include <caf/actor.hpp>
#include <caf/fwd.hpp>
#include <caf/scoped_actor.hpp>

#include "actors/centre/centre.hpp"
#include "actors/node/node.hpp"

namespace jackfield::app {

/// A contact centre's actors, as whoever started them has them: which there are, whether they live,
/// and how they end. On the thread that made the node, whose lanes they are on.
class running_centre {
public:
  /// `self` receives for it: it is to hand on `centre_stopped` and `caf::down_msg`. Both outlive
  /// this.
  running_centre(node& engine, caf::scoped_actor& self) : engine_(engine), self_(self) {}

  /// Starts them and watches them; arguments as those of `start_centre`. Before the node starts;
  /// once.
  void begin(const centre_plan& plan, const std::shared_ptr<const bridge_manner>& manner,
             const registrar_settings& registrations, const caf::strong_actor_ptr& watcher,
             const centre_memory* before = nullptr);
  /// As `change_centre`, while the node runs.
  void change(centre_plan plan, const registrar_settings& registrations,
              const caf::strong_actor_ptr& watcher);

  void on_stopped(const centre_stopped& last);
  /// True: it is the first one that an error ended.
  bool on_down(const caf::down_msg& down);

  /// Takes no more calls, and ends as those that are up end. Once.
  void drain();
  /// Hangs those up. After `drain`; once.
  void hang_up();
  /// Its services have ended, and its trunks, if those are waited for: until calls are hung up.
  [[nodiscard]] bool over() const noexcept {
    return stopped_ >= actors_.services.size() && (trunks_ == 0 || hanging_up_);
  }
  /// How those queues are that live. Blocks for seconds, if one does not answer.
  [[nodiscard]] std::vector<queue_state> ask_queues();
  /// Ends those that know each other. After `over`.
  void let_go();

  [[nodiscard]] const centre_plan& plan() const noexcept { return plan_; }
  [[nodiscard]] const centre_actors& actors() const noexcept { return actors_; }
  /// Of the services that have stopped.
  [[nodiscard]] uint64_t calls() const noexcept { return calls_; }
  [[nodiscard]] uint64_t refused() const noexcept { return refused_; }
  /// Which part an error ended first, and what error. The others go on, but what it held is gone:
  /// the calls that are up end by themselves.
  [[nodiscard]] const std::optional<std::string>& lost() const noexcept { return lost_; }

private:
  void watch(const caf::actor& part);
  [[nodiscard]] std::string name_of(const caf::actor_addr& part) const;

  node& engine_;
  caf::scoped_actor& self_;
  std::vector<lane_context*> contexts_;
  centre_plan plan_;
  centre_actors actors_;
  std::vector<caf::actor> leaving_; // those that a change left out
  size_t stopped_ = 0;              // services
  size_t trunks_ = 0;               // that have not ended
  uint64_t calls_ = 0;
  uint64_t refused_ = 0;
  std::optional<std::string> lost_;
  bool hanging_up_ = false;
};

} // namespace jackfield::app

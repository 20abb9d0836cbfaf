#pragma once

#include <chrono>
#include <cstdint>
#include <functional>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include <caf/actor_control_block.hpp>
#include <caf/allowed_unsafe_message_type.hpp>

#include "actors/node/recorder.hpp"
#include "engine/lane/lane_actor.hpp"
#include "engine/policy/agent_desk.hpp"
#include "engine/policy/queue_desk.hpp"
#include "storage/centre_records.hpp"
#include "storage/run_book.hpp"

/// What of a contact centre outlives its process, and how it comes back.
namespace jackfield {

/// A call that an agent had when the process before ended, and that goes on.
struct agent_talk {
  storage::wall_time since{};
  std::string queue;
};

/// What a centre was when the process before ended.
struct centre_memory {
  storage::kept_centre kept;
  /// How many callers come back into the line of each queue, by its name; others who waited are
  /// lost to it.
  std::unordered_map<std::string, uint64_t> returning;
  std::unordered_map<std::string, agent_talk> talking; ///< by the agent's name
  storage::wall_time heard{};                          ///< when that process was last heard of
};

/// A record that is written when it has changed: at once, but `pace` after the one before at the
/// earliest. A part of an actor, on its lane.
class paced_record {
public:
  static constexpr lane::duration pace = std::chrono::milliseconds{100};

  /// `where`, on the actor's lane, outlives it; null: nothing is kept. `timer`: the number of one
  /// of the actor's timers.
  paced_record(lane::lane_actor& self, unsigned timer, recorder* where, std::string key)
      : self_(self), recorder_(where), key_(std::move(key)), timer_(self, timer) {}

  [[nodiscard]] explicit operator bool() const noexcept { return recorder_ != nullptr; }
  /// This is what it is now, packed.
  void put(std::string record);
  /// That timer has fired.
  void on_time() { write(); }
  /// What has not been written is, at once: there will be no other.
  void finish();

private:
  void write();

  lane::lane_actor& self_;
  recorder* recorder_;
  std::string key_;
  std::string latest_;
  bool changed_ = false;
  lane::time_point next_{};
  lane::actor_timer timer_;
};

/// The clocks of a lane and of the world, at one moment.
struct two_clocks {
  lane::time_point lane;
  storage::wall_time wall;

  [[nodiscard]] static two_clocks of(const lane::lane& home) {
    return {home.exact_now(), home.wall_now()};
  }
  [[nodiscard]] storage::wall_time wall_of(lane::time_point at) const { return wall + (at - lane); }
  [[nodiscard]] lane::time_point lane_of(storage::wall_time at) const { return lane + (at - wall); }
};

[[nodiscard]] storage::agent_record record_of(const policy::agent_snapshot& agent, bool registered,
                                              const two_clocks& clocks);
/// An agent whose process ended, which was last heard of at `heard`. It has the call that goes on,
/// as one without a number (0); any other is over, and it wraps up as after that. No phone of it is
/// registered.
[[nodiscard]] policy::agent_snapshot
snapshot_of(const storage::agent_record& kept, const policy::agent_rules& rules,
            storage::wall_time heard, const two_clocks& clocks,
            const std::optional<agent_talk>& talk = std::nullopt);

[[nodiscard]] storage::queue_record record_of(const policy::queue_snapshot& queue);
/// A queue whose process ended. `returning` of its callers will be taken back; the others have left
/// it.
[[nodiscard]] policy::queue_snapshot snapshot_of(const storage::queue_record& kept,
                                                 uint64_t returning);

/// Its caller had been promised to be called back.
[[nodiscard]] bool is_called_back(const storage::kept_centre& kept,
                                  const storage::call_record& call) noexcept;

/// A caller whom a crash found in the line of a queue, and whose leg can go on.
[[nodiscard]] bool waits_on(const storage::call_record& call) noexcept;

/// A call to a queue that goes on after a crash.
struct returning_call {
  storage::interrupted_call caller;
  std::optional<storage::interrupted_call> agent; ///< the leg of who talks to it; none: it waits
};

/// Which legs that a crash left go on: those of callers who wait in a queue of which `known` says
/// so, and who were not promised to be called back (`memory.kept`), and both of callers and agents
/// who talked, if both are there; of an agent's, the latest. What the centre needs to know of them
/// is put into `memory`.
[[nodiscard]] std::set<storage::call_key>
find_returning(const std::vector<storage::interrupted_call>& left,
               const std::function<bool(const std::string& queue)>& known, centre_memory& memory);
/// Puts agents' legs to their callers'.
void bring_together(std::vector<std::vector<storage::interrupted_call>>& by_lane);
/// Such legs, of which both of a call are there.
[[nodiscard]] std::vector<returning_call> paired(std::vector<storage::interrupted_call> legs);

/// To a `last_record`: answered by `all_kept` once all is in the store that its lane's actors have
/// written, or the store has failed for too long.
struct keep_all {};
struct all_kept {};

/// Sees to it that a lane's last records are written before its process ends. It ends with that.
class last_record final : public lane::lane_actor {
public:
  /// `keeps`, on this lane, outlives it.
  last_record(caf::actor_config& config, lane::lane& home, recorder& keeps)
      : lane::lane_actor(config, home), keeps_(keeps) {}

  const char* name() const override { return "last_record"; }

protected:
  caf::behavior make_behavior() override;
  void on_exit() override { asker_ = nullptr; }

private:
  recorder& keeps_;
  caf::strong_actor_ptr asker_;
};

} // namespace jackfield

CAF_ALLOW_UNSAFE_MESSAGE_TYPE(jackfield::keep_all)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(jackfield::all_kept)

#pragma once

#include <cstdint>
#include <optional>
#include <vector>

#include "actors/centre/centre_messages.hpp"
#include "engine/lane/lane_actor.hpp"

namespace jackfield {

/// What a simulated call tells of; on its lane.
class simulated_call_user {
public:
  virtual ~simulated_call_user() = default;
  virtual void on_let_in(uint32_t slot, uint64_t number) = 0;
  virtual void on_rung(uint32_t slot, uint64_t number, const ring_agent& rings) = 0;
  /// It has connected who answered that offer.
  virtual void on_connected(uint32_t slot, uint64_t number, const agent_address& agent) = 0;
  virtual void on_dismissed(uint32_t slot, uint64_t number, const queue_dismissed& how) = 0;
};

/// A caller's call as queues and agents know it (`queued_call`), without a leg and without media:
/// whoever has it says when a phone that rings is answered, and when somebody hangs up. One after
/// the other may be callers' that are over.
class simulated_call final : public lane::lane_actor {
public:
  /// `user` outlives it.
  simulated_call(caf::actor_config& config, lane::lane& home, simulated_call_user& user,
                 uint32_t slot)
      : lane::lane_actor(config, home), user_(user), slot_(slot) {}

  const char* name() const override { return "simulated_call"; }

  // On its lane, between its messages.
  /// The caller of that number comes into a queue, or is sent on into it.
  void enter(uint64_t number, caf::strong_actor_ptr queue, int priority, lane::time_point since);
  /// It has not been turned away at once: `on_let_in`, if that was not told yet.
  void settle();
  void hang_up();
  /// That agent's phone is answered, if it rings for this call.
  void answer(caf::actor_id agent);
  /// The talk is over.
  void end_talk();

protected:
  caf::behavior make_behavior() override;
  void on_exit() override;

private:
  struct rings {
    offer_key key;
    agent_address agent;
  };
  enum class state : uint8_t { idle, waits, talks };

  void on_ring(const ring_agent& ring);
  void on_stop(const offer_key& key);
  void on_connect(const offer_key& key);
  void withdraw();
  [[nodiscard]] std::vector<rings>::iterator find(const offer_key& key);

  simulated_call_user& user_;
  uint32_t slot_;
  uint64_t number_ = 0;
  state is_ = state::idle;
  bool fresh_ = false; // whether it was let in is not known yet
  caf::strong_actor_ptr queue_;
  std::vector<rings> rings_; // phones
  std::optional<rings> has_; // the agent who talks with it
};

} // namespace jackfield

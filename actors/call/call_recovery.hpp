#pragma once

#include <array>
#include <cstdint>
#include <deque>
#include <memory>
#include <unordered_map>
#include <unordered_set>
#include <vector>

#include <caf/actor_control_block.hpp>

#include "actors/call/parting_script.hpp"
#include "actors/node/lane_context.hpp"
#include "engine/lane/lane_actor.hpp"
#include "storage/run_book.hpp"

namespace jackfield {

/// How many calls that a crash left ended so: by `parting`.
using parting_counts = std::array<uint64_t, 4>;

/// To who had them recovered: all of a lane's calls have their end.
struct calls_recovered {
  parting_counts counts{};
};

/// Deals with the calls that a crash left on one lane. All are taken up at once, before a new leg
/// can have their identities; `at_once` of them hang up at a time.
class call_recovery final : public lane::lane_actor {
public:
  static constexpr size_t at_once = 200;

  /// The context keeps calls. `owner`, anywhere, gets `calls_recovered`, last.
  call_recovery(caf::actor_config& config, lane::lane& home, lane_context& context,
                std::shared_ptr<const transport::open_settings> connections,
                std::vector<storage::interrupted_call> calls, caf::strong_actor_ptr owner);

  const char* name() const override { return "call_recovery"; }

protected:
  caf::behavior make_behavior() override;
  void on_exit() override;

private:
  void on_parted(const call_parted& parted);
  void hang_up_next();
  void tell_owner();

  lane_context& context_;
  std::shared_ptr<const transport::open_settings> connections_;
  std::vector<storage::interrupted_call> calls_; // until they are taken up
  caf::strong_actor_ptr owner_;
  std::unordered_map<caf::actor_id, caf::strong_actor_ptr> legs_;
  std::deque<caf::actor_id> up_; // to be hung up, in order
  std::unordered_set<caf::actor_id> hanging_up_;
  parting_counts counts_{};
};

} // namespace jackfield

CAF_ALLOW_UNSAFE_MESSAGE_TYPE(jackfield::calls_recovered)

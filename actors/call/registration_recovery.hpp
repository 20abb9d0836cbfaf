#pragma once

#include <array>
#include <cstdint>
#include <deque>
#include <memory>
#include <unordered_set>

#include <caf/actor_control_block.hpp>

#include "actors/call/binding_removal.hpp"
#include "actors/node/lane_context.hpp"
#include "engine/lane/lane_actor.hpp"

namespace jackfield {

/// How many registrations that a crash left ended so: by `unbinding`.
using unbinding_counts = std::array<uint64_t, 3>;

/// To who had them recovered: of a lane's share, nothing more is to be done.
struct registrations_recovered {
  unbinding_counts counts{};
};

/// A registration that a crash left, and who answers challenges for it; null: nobody.
struct left_registration {
  storage::interrupted_registration what;
  std::shared_ptr<const call_target> user;
};

/// Removes at their registrars the bindings that a crash left, a lane's share of them: `at_once` at
/// a time.
class registration_recovery final : public lane::lane_actor {
public:
  static constexpr size_t at_once = 200;

  /// The context keeps calls. `owner`, anywhere, gets `registrations_recovered`, last.
  registration_recovery(caf::actor_config& config, lane::lane& home, lane_context& context,
                        std::shared_ptr<const transport::open_settings> connections,
                        std::deque<left_registration> left, caf::strong_actor_ptr owner);

  const char* name() const override { return "registration_recovery"; }

protected:
  caf::behavior make_behavior() override;
  void on_exit() override;

private:
  void remove_next();
  void on_removed(const binding_removed& one);
  void tell_owner();

  lane_context& context_;
  std::shared_ptr<const transport::open_settings> connections_;
  std::deque<left_registration> left_;
  caf::strong_actor_ptr owner_;
  std::unordered_set<caf::actor_id> removing_;
  unbinding_counts counts_{};
};

} // namespace jackfield

CAF_ALLOW_UNSAFE_MESSAGE_TYPE(jackfield::registrations_recovered)

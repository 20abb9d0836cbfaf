#pragma once

#include <cstddef>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include <caf/actor_control_block.hpp>

#include "actors/centre/centre_messages.hpp"
#include "actors/media/media_play.hpp"
#include "engine/lane/lane_actor.hpp"
#include "engine/policy/menu_walk.hpp"

namespace jackfield {

/// A queue as callers get into it.
struct centre_line {
  queue_ticket to;
  std::shared_ptr<const audio_settings> music; ///< what callers hear there
};

/// The menus of a centre, and the queues that they lead to. Immutable once they are used.
struct centre_menus {
  std::shared_ptr<const std::vector<policy::menu_rules>> rules;
  std::vector<std::shared_ptr<const audio_settings>> prompts; ///< in the order of the rules
  std::map<std::string, centre_line> lines;                   ///< by the queue's name
};

/// A caller who is asked where to go: plays prompts, and hears keys. A part of the call's actor,
/// which hands on what its stream and its leg say.
class caller_menu {
public:
  /// Where the caller goes: into that queue; null: nowhere, hang up.
  using exit = const centre_line*;

  /// The call gets `lane::timer_fired` of `timer`.
  caller_menu(lane::lane_actor& call, std::shared_ptr<const centre_menus> menus, size_t first,
              unsigned timer)
      : call_(call), menus_(std::move(menus)), walk_(menus_->rules, first), timer_(call, timer) {}

  // Each: nothing, if the caller stays. The menus are not to be used again after an exit.
  /// The stream is up. Once; nothing is heard before.
  [[nodiscard]] std::optional<exit> begin(const caf::strong_actor_ptr& stream);
  [[nodiscard]] std::optional<exit> on_key(char digit);
  [[nodiscard]] std::optional<exit> on_timer() { return heed(walk_.on_time(call_.home().now())); }
  void on_played(const media_played& played);

private:
  std::optional<exit> heed(const policy::menu_walk::step& next);

  lane::lane_actor& call_;
  std::shared_ptr<const centre_menus> menus_;
  policy::menu_walk walk_;
  lane::actor_timer timer_;      // of the key that is waited for
  caf::strong_actor_ptr stream_; // null: not begun
  uint32_t prompts_ = 0;         // so far
};

} // namespace jackfield

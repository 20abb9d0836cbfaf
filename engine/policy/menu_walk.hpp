#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "engine/error/error.hpp"
#include "engine/policy/time.hpp"

namespace jackfield::policy {

/// Where a key leads.
struct menu_target {
  enum class kind : uint8_t { hang_up, queue, menu };
  kind what = kind::hang_up;
  std::string name = {}; ///< of the queue or menu

  /// "queue:support", "menu:more", "hang_up".
  static result<menu_target> parse(const std::string& text);

  friend bool operator==(const menu_target&, const menu_target&) = default;
};

/// What callers are asked, and what their keys mean.
struct menu_rules {
  std::string name;
  std::map<char, menu_target> keys; ///< by '0'..'9', '*', '#', 'A'..'D'
  /// For so long after the prompt a key is waited for.
  duration timeout = std::chrono::seconds{5};
  /// The prompt is played so often again: after a timeout, or a key that means nothing.
  unsigned repeats = 2;
  /// Where who has pressed none by then goes.
  menu_target otherwise;

  /// Key and bounds; that the targets exist is for who has them all.
  [[nodiscard]] result<void> check() const;
};

/// One caller's way through the menus: keys and times in, what to do next out. A prompt that is
/// played out is told by `on_played`; a key ends it before.
class menu_walk {
public:
  /// From menu to menu; who goes round in a circle of them is hung up.
  static constexpr unsigned most_menus = 32;

  /// What is to be done: `play` that menu's prompt, from its beginning, or go where `leads`.
  struct step {
    std::optional<size_t> play;
    std::optional<menu_target> leads; ///< to a queue, or nowhere
  };

  /// `menus` has all that targets name.
  menu_walk(std::shared_ptr<const std::vector<menu_rules>> menus, size_t first)
      : menus_(std::move(menus)), at_(first) {}

  [[nodiscard]] step begin() { return enter(at_); }
  [[nodiscard]] step on_key(char key);
  void on_played(time_point now);
  [[nodiscard]] step on_time(time_point now);
  /// `never`: a prompt is being played.
  [[nodiscard]] time_point deadline() const noexcept { return deadline_; }
  [[nodiscard]] const menu_rules& at() const { return (*menus_)[at_]; }

private:
  [[nodiscard]] step enter(size_t menu);
  [[nodiscard]] step again();
  [[nodiscard]] step go(const menu_target& where);

  std::shared_ptr<const std::vector<menu_rules>> menus_;
  size_t at_;
  unsigned played_ = 0;  // times, of this menu
  unsigned entered_ = 0; // menus
  time_point deadline_ = never;
};

} // namespace jackfield::policy

#include "engine/policy/menu_walk.hpp"

#include <algorithm>
#include <string_view>
#include <utility>

namespace jackfield::policy {

result<menu_target> menu_target::parse(const std::string& text) {
  if (text == "hang_up")
    return menu_target{};
  for (const auto& [prefix, kind] : {std::pair{std::string_view{"queue:"}, kind::queue},
                                     std::pair{std::string_view{"menu:"}, kind::menu}})
    if (text.starts_with(prefix) && text.size() > prefix.size())
      return menu_target{kind, text.substr(prefix.size())};
  return fail("menu", "\"" + text + "\" leads nowhere, expected queue:NAME, menu:NAME or hang_up");
}

result<void> menu_rules::check() const {
  for (const auto& [key, where] : keys)
    if (std::string_view{"0123456789*#ABCD"}.find(key) == std::string_view::npos)
      return fail("digits", "'" + std::string{key} + "' is no key, expected 0-9, *, # or A-D");
  if (timeout <= duration::zero())
    return fail("timeout", "expected a time");
  return {};
}

menu_walk::step menu_walk::enter(size_t menu) {
  at_ = menu;
  played_ = 1;
  deadline_ = never;
  if (++entered_ > most_menus)
    return {std::nullopt, menu_target{}};
  return {menu, std::nullopt};
}

menu_walk::step menu_walk::again() {
  if (played_++ > at().repeats)
    return go(at().otherwise);
  deadline_ = never;
  return {at_, std::nullopt};
}

menu_walk::step menu_walk::go(const menu_target& where) {
  deadline_ = never;
  if (where.what != menu_target::kind::menu)
    return {std::nullopt, where};
  const auto found = std::ranges::find(*menus_, where.name, &menu_rules::name);
  if (found == menus_->end()) // they are checked
    return {std::nullopt, menu_target{}};
  return enter(static_cast<size_t>(found - menus_->begin()));
}

menu_walk::step menu_walk::on_key(char key) {
  const auto found = at().keys.find(key);
  return found == at().keys.end() ? again() : go(found->second);
}

void menu_walk::on_played(time_point now) {
  deadline_ = later(now, at().timeout);
}

menu_walk::step menu_walk::on_time(time_point now) {
  return now < deadline_ ? step{} : again();
}

} // namespace jackfield::policy

#include "actors/centre/caller_menu.hpp"

namespace jackfield {

std::optional<caller_menu::exit> caller_menu::begin(const caf::strong_actor_ptr& stream) {
  if (stream_ || !stream)
    return std::nullopt;
  stream_ = stream;
  return heed(walk_.begin());
}

std::optional<caller_menu::exit> caller_menu::on_key(char digit) {
  return stream_ ? heed(walk_.on_key(digit)) : std::nullopt;
}

void caller_menu::on_played(const media_played& played) {
  if (played.number != prompts_)
    return; // another is being played by now
  walk_.on_played(call_.home().now());
  timer_.arm(walk_.deadline());
}

std::optional<caller_menu::exit> caller_menu::heed(const policy::menu_walk::step& next) {
  if (next.play) {
    timer_.cancel();
    lane::tell(call_.home(), stream_,
               media_play{.what = menus_->prompts.at(*next.play),
                          .once = true,
                          .number = ++prompts_,
                          .tells_keys = true});
    return std::nullopt;
  }
  if (!next.leads)
    return std::nullopt;
  timer_.cancel();
  const auto line = menus_->lines.find(next.leads->name);
  if (next.leads->what != policy::menu_target::kind::queue || line == menus_->lines.end())
    return exit{nullptr};
  lane::tell(call_.home(), stream_, media_play{.what = line->second.music});
  return &line->second;
}

} // namespace jackfield

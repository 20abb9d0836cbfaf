#include "app/centre_menus_config.hpp"

#include <algorithm>
#include <optional>
#include <utility>
#include <vector>

#include "app/config_sound.hpp"

namespace jackfield::app {

namespace {

class menus_reading {
public:
  menus_reading(config_reader& in, centre_plan& plan,
                std::unordered_map<std::string, std::string>& numbers)
      : in_(in), plan_(plan), numbers_(numbers) {}

  void read(const toml::table& one);
  /// Once all menus are known.
  void check();

private:
  void read_keys(const toml::table& one, policy::menu_rules& rules);
  std::optional<policy::menu_target> target(const toml::node& where, std::string_view key);

  struct leading {
    const toml::node& where;
    std::string key;
    policy::menu_target to;
  };
  config_reader& in_;
  centre_plan& plan_;
  std::unordered_map<std::string, std::string>& numbers_;
  std::vector<leading> leads_;
};

std::optional<policy::menu_target> menus_reading::target(const toml::node& where,
                                                         std::string_view key) {
  const auto* const said = where.as_string();
  auto made = policy::menu_target::parse(said != nullptr ? said->get() : std::string{});
  if (!made) {
    in_.fault(where, key, made.error().cause);
    return std::nullopt;
  }
  leads_.push_back({where, std::string{key}, *made});
  return *made;
}

void menus_reading::read_keys(const toml::table& one, policy::menu_rules& rules) {
  const auto* const digits = one.get("digits");
  const auto* const all = digits != nullptr ? digits->as_table() : nullptr;
  if (all == nullptr || all->empty()) {
    in_.fault(digits != nullptr ? *digits : one, "digits",
              "leads nowhere, expected digits = { \"1\" = \"queue:NAME\", \"2\" = \"menu:NAME\" }");
    return;
  }
  for (const auto& [key, where] : *all) {
    if (key.str().size() != 1) {
      in_.fault(where, "digits",
                fmt::format("\"{}\" is no key, expected one character", key.str()));
      continue;
    }
    if (const auto to = target(where, "digits"))
      rules.keys.emplace(key.str().front(), *to);
  }
}

void menus_reading::read(const toml::table& one) {
  in_.allow(one, "[[menu]]",
            {"name", "numbers", "prompt", "digits", "timeout", "repeat", "otherwise"});
  const auto name = in_.text(one, "name");
  if (!name) {
    if (one.get("name") == nullptr)
      in_.fault(one, "name", "is missing, expected name = \"...\"");
    return;
  }
  centre_plan::menu_plan menu;
  auto& rules = menu.rules;
  rules.name = *name;
  if (std::ranges::any_of(plan_.menus,
                          [&](const auto& other) { return other.rules.name == *name; })) {
    in_.fault(*one.get("name"), "name", "\"" + *name + "\" is a menu already");
    return;
  }
  menu.numbers = in_.texts(one, "numbers");
  for (const auto& number : menu.numbers)
    if (const auto [other, added] = numbers_.emplace(number, "menu \"" + *name + "\""); !added)
      in_.fault(*one.get("numbers"), "numbers",
                "\"" + number + "\" is a number of " + other->second + " already");
  if (one.get("prompt") == nullptr)
    in_.fault(one, "prompt", "is missing, expected a sound file, or tone:440");
  menu.prompt = read_sound(in_, one, "prompt");
  read_keys(one, rules);
  in_.time(one, "timeout", rules.timeout);
  in_.number(one, "repeat", rules.repeats, 0, 100);
  if (const auto* const otherwise = one.get("otherwise"))
    rules.otherwise = target(*otherwise, "otherwise").value_or(policy::menu_target{});
  if (const auto sound = rules.check(); !sound)
    in_.fault(one, sound.error().place, sound.error().cause);
  plan_.menus.push_back(std::move(menu));
}

void menus_reading::check() {
  using kind = policy::menu_target::kind;
  for (const auto& [where, key, to] : leads_) {
    const bool known =
      to.what == kind::hang_up ||
      (to.what == kind::queue &&
       std::ranges::find(plan_.queues, to.name, &centre_plan::queue_plan::name) !=
         plan_.queues.end()) ||
      (to.what == kind::menu && std::ranges::any_of(plan_.menus, [&](const auto& menu) {
         return menu.rules.name == to.name;
       }));
    if (!known)
      in_.fault(
        where, key,
        fmt::format("there is no {} \"{}\"", to.what == kind::queue ? "queue" : "menu", to.name));
  }
}

} // namespace

void read_menus(config_reader& in, const toml::table& all, centre_plan& plan,
                std::unordered_map<std::string, std::string>& numbers) {
  const auto* const menus = all.get("menu");
  if (menus == nullptr)
    return;
  menus_reading reading{in, plan, numbers};
  in.each_table(*menus, "menu", [&](const toml::table& one) { reading.read(one); });
  reading.check();
}

} // namespace jackfield::app

#include "app/centre_waiting_config.hpp"

#include <algorithm>
#include <filesystem>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include <fmt/format.h>

#include "app/playable_audio.hpp"

namespace jackfield::app {

namespace {

constexpr std::chrono::milliseconds packet_time{20};
constexpr auto best_skill = 100;

/// The same in each reading, so that a reload mixes none up (FNV-1a).
policy::skill_id skill_named(std::string_view name) {
  uint32_t hash = 2'166'136'261;
  for (const char c : name)
    hash = (hash ^ static_cast<unsigned char>(c)) * 16'777'619;
  return policy::skill_id{hash};
}

/// Reads a recording whole: one that cannot be played is found now.
result<announced_clip> read_clip(const std::string& path) {
  auto sound = std::make_shared<audio_settings>();
  sound->source = audio::source_spec::file(path);
  if (auto playable = check_playable(*sound); !playable)
    return tl::unexpected{std::move(playable.error())};
  const auto encoded = sound->cache->get(sound->source, audio::codec::pcmu, packet_time);
  if (!encoded)
    return tl::unexpected{encoded.error()};
  return announced_clip{sound, packet_time * (*encoded)->frame_count()};
}

class needs_reading {
public:
  needs_reading(config_reader& in, policy::queue_rules& rules) : in_(in), rules_(rules) {}

  void read(const toml::node& all) {
    const auto* const array = all.as_array();
    if (array == nullptr) {
      in_.fault(all, "needs", "is no list, expected [{skill = \"german\", level = 60}]");
      return;
    }
    for (const auto& one : *array)
      if (const auto* const part = one.as_table(); part == nullptr)
        in_.fault(one, "needs", "expected {skill = \"german\", level = 60}");
      else if (part->get("after") == nullptr)
        read_want(*part);
      else
        read_step(*part);
  }

private:
  void read_want(const toml::table& one) {
    in_.allow(one, "needs", {"skill", "level", "after", "drop"});
    const auto name = in_.text(one, "skill");
    if (!name) {
      if (one.get("skill") == nullptr)
        in_.fault(one, "needs", "names no skill, expected {skill = \"german\", level = 60}");
      return;
    }
    policy::wanted_skill want{skill_named(*name), 1};
    in_.number(one, "level", want.least, 1, best_skill);
    if (std::ranges::find(rules_.wants, want.id, &policy::wanted_skill::id) != rules_.wants.end())
      in_.fault(one, "needs", fmt::format("\"{}\" is needed already", *name));
    else
      rules_.wants.push_back(want);
    if (one.get("drop") != nullptr)
      in_.fault(one, "drop", "is for later, expected {after = \"30s\", drop = true}");
  }

  // Those who waited so long are content with less.
  void read_step(const toml::table& one) {
    in_.allow(one, "needs", {"skill", "level", "after", "drop"});
    policy::skill_step step;
    in_.time(one, "after", step.after);
    in_.flag(one, "drop", step.drop);
    std::optional<uint8_t> level;
    if (one.get("level") != nullptr)
      in_.number(one, "level", level.emplace(1), 1, best_skill);
    if (level.has_value() == step.drop)
      in_.fault(one, "needs", "expected a level that is enough then, or drop = true");
    const auto name = in_.text(one, "skill");
    bool found = false;
    for (auto& want : rules_.wants) {
      if (name && want.id != skill_named(*name))
        continue;
      found = true;
      auto& least = least_of(want);
      if (level && *level >= least)
        in_.fault(one, "level", fmt::format("is not below the {} before", least));
      step.id = want.id;
      step.lower_by = level ? static_cast<uint8_t>(least - std::min(least, *level)) : 0;
      least = level.value_or(least);
      rules_.skill_steps.push_back(step);
    }
    if (!found)
      in_.fault(one, "needs",
                name ? fmt::format("\"{}\" is not needed before, expected it above", *name)
                     : "comes before what is needed, expected {skill = \"german\"} above");
  }

  /// What is wanted by the steps so far.
  uint8_t& least_of(const policy::wanted_skill& want) {
    const auto known = std::ranges::find(now_, want.id, &policy::wanted_skill::id);
    return known != now_.end() ? known->least : now_.emplace_back(want).least;
  }

  config_reader& in_;
  policy::queue_rules& rules_;
  std::vector<policy::wanted_skill> now_;
};

} // namespace

std::shared_ptr<const wait_announcement> read_announcements(config_reader& in,
                                                            const toml::table& all) {
  const auto* const node = all.get("announcements");
  if (node == nullptr)
    return nullptr;
  const auto* const table = node->as_table();
  if (table == nullptr) {
    in.fault(*node, "announcements", "is no table, expected [announcements]");
    return nullptr;
  }
  in.allow(*table, "[announcements]", {"directory"});
  const auto directory = in.text(*table, "directory");
  if (!directory) {
    if (table->get("directory") == nullptr)
      in.fault(*table, "directory", "is missing, expected directory = \"...\"");
    return nullptr;
  }
  const std::filesystem::path place{in.beside(*directory)};
  auto made = std::make_shared<wait_announcement>();
  const auto read = [&](const std::string& name, announced_clip& into) {
    auto clip = read_clip((place / (name + ".wav")).string());
    if (clip)
      into = std::move(*clip);
    else
      in.fault(*table->get("directory"), "directory", clip.error().to_string());
  };
  read("you-are-number", made->you_are_number);
  read("you-will-wait", made->you_will_wait);
  read("minutes", made->minutes);
  for (size_t i = 0; i < made->digits.size(); ++i)
    read(std::to_string(i), made->digits[i]);
  return made;
}

void read_waiting(config_reader& in, const toml::table& queue,
                  const std::shared_ptr<const wait_announcement>& sounds,
                  centre_plan::queue_plan& into) {
  auto& rules = into.rules;
  in.time(queue, "resume_place", rules.resume_place);
  in.time(queue, "announce_first", rules.announce_first);
  in.time(queue, "announce_every", rules.announce_every);
  if (const auto* const what = queue.get("announce")) {
    int parts = 0;
    in.choice(queue, "announce", parts, {{"position", 1}, {"wait", 2}, {"both", 3}});
    if (!sounds)
      in.fault(*what, "announce", "needs sounds, expected [announcements] with a directory");
    else if (rules.announce_first + rules.announce_every == policy::duration::zero())
      in.fault(*what, "announce", "needs a time, expected announce_every = \"30s\"");
    else {
      auto made = std::make_shared<wait_announcement>(*sounds);
      made->position = (parts & 1) != 0;
      made->wait = (parts & 2) != 0;
      into.announces = std::move(made);
    }
  } else {
    for (const auto* const key : {"announce_first", "announce_every"})
      if (const auto* const when = queue.get(key))
        in.fault(*when, key, "says when, not what, expected announce = \"both\" beside it");
  }
  read_needs(in, queue, rules);
}

void read_needs(config_reader& in, const toml::table& queue, policy::queue_rules& rules) {
  if (const auto* const needs = queue.get("needs"))
    needs_reading{in, rules}.read(*needs);
}

std::vector<policy::skill> read_skills(config_reader& in, const toml::table& agent) {
  std::vector<policy::skill> skills;
  const auto* const node = agent.get("skills");
  if (node == nullptr)
    return skills;
  const auto* const table = node->as_table();
  if (table == nullptr) {
    in.fault(*node, "skills", "is no table, expected {german = 80, billing = 40}");
    return skills;
  }
  for (const auto& [name, level] : *table) {
    policy::skill one{skill_named(name.str()), best_skill};
    in.number(*table, name.str(), one.level, 1, best_skill);
    skills.push_back(one);
  }
  return skills;
}

} // namespace jackfield::app

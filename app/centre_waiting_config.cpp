#include "app/centre_waiting_config.hpp"

#include <algorithm>
#include <filesystem>
#include <optional>
#include <string>
#include <string_view>
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

// Its sounds are read where a queue calls back, as others need none.
void read_callback(config_reader& in, const toml::table& queue, const waiting_sounds& sounds,
                   centre_plan::queue_plan& into) {
  callback_terms made;
  in.number(queue, "callback_attempts", made.most_attempts, 1, 100);
  in.time(queue, "callback_retry", made.retry_after);
  in.time(queue, "callback_ring", made.ringing_limit);
  const auto* const key = queue.get("callback_key");
  if (key == nullptr) {
    for (const auto* const other : {"callback_attempts", "callback_retry", "callback_ring"})
      if (const auto* const node = queue.get(other))
        in.fault(*node, other, "says how, not that, expected callback_key = \"1\" beside it");
    return;
  }
  const auto pressed = in.text(queue, "callback_key");
  if (!pressed)
    return;
  static constexpr std::string_view keys = "0123456789*#";
  if (pressed->size() != 1 || keys.find(pressed->front()) == std::string_view::npos) {
    in.fault(*key, "callback_key", "is no key of a telephone, expected 0 to 9, * or #");
    return;
  }
  made.key = pressed->front();
  for (const auto& [other, value] :
       {std::pair{"callback_retry", made.retry_after}, {"callback_ring", made.ringing_limit}})
    if (value < std::chrono::seconds{1})
      in.fault(*queue.get(other), other, "expected a second or more");
  if (sounds.directory.empty()) {
    in.fault(*key, "callback_key", "needs sounds, expected [announcements] with a directory");
    return;
  }
  const std::filesystem::path place{sounds.directory};
  auto promise = read_clip((place / "callback-promise.wav").string());
  if (!promise) {
    in.fault(*key, "callback_key", promise.error().to_string());
    return;
  }
  made.promise = std::move(*promise);
  if (const auto offer = place / "callback-offer.wav"; std::filesystem::exists(offer)) {
    auto clip = read_clip(offer.string());
    if (clip)
      made.offer = std::move(*clip);
    else
      in.fault(*key, "callback_key", clip.error().to_string());
  }
  into.calls_back = std::make_shared<const callback_terms>(std::move(made));
}

} // namespace

waiting_sounds read_announcements(config_reader& in, const toml::table& all) {
  const auto* const node = all.get("announcements");
  if (node == nullptr)
    return {};
  const auto* const table = node->as_table();
  if (table == nullptr) {
    in.fault(*node, "announcements", "is no table, expected [announcements]");
    return {};
  }
  in.allow(*table, "[announcements]", {"directory"});
  const auto directory = in.text(*table, "directory");
  if (!directory) {
    if (table->get("directory") == nullptr)
      in.fault(*table, "directory", "is missing, expected directory = \"...\"");
    return {};
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
  return {std::move(made), place.string()};
}

void read_waiting(config_reader& in, const toml::table& queue, const waiting_sounds& sounds,
                  centre_plan::queue_plan& into) {
  auto& rules = into.rules;
  in.time(queue, "resume_place", rules.resume_place);
  in.time(queue, "announce_first", rules.announce_first);
  in.time(queue, "announce_every", rules.announce_every);
  if (const auto* const what = queue.get("announce")) {
    int parts = 0;
    in.choice(queue, "announce", parts, {{"position", 1}, {"wait", 2}, {"both", 3}});
    if (!sounds.wait)
      in.fault(*what, "announce", "needs sounds, expected [announcements] with a directory");
    else if (rules.announce_first + rules.announce_every == policy::duration::zero())
      in.fault(*what, "announce", "needs a time, expected announce_every = \"30s\"");
    else {
      auto made = std::make_shared<wait_announcement>(*sounds.wait);
      made->position = (parts & 1) != 0;
      made->wait = (parts & 2) != 0;
      into.announces = std::move(made);
    }
  } else {
    for (const auto* const key : {"announce_first", "announce_every"})
      if (const auto* const when = queue.get(key))
        in.fault(*when, key, "says when, not what, expected announce = \"both\" beside it");
  }
  read_callback(in, queue, sounds, into);
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

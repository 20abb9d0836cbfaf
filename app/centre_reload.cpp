#include "app/centre_reload.hpp"

#include <algorithm>
#include <functional>
#include <string>
#include <unordered_set>

#include <nlohmann/json.hpp>

#include "app/centre_api_answers.hpp"

namespace jackfield::app {

namespace {

using json = nlohmann::ordered_json;

/// A file can be wrong in each of its lines.
constexpr size_t most_faults = 100;

/// `name_of`: of one of them.
template <class Part, class Name>
json changes(const std::vector<Part>& before, const std::vector<Part>& now, Name name_of) {
  const auto not_in = [&](const std::vector<Part>& these, const std::vector<Part>& those) {
    std::unordered_set<std::string> known;
    for (const auto& each : those)
      known.insert(std::invoke(name_of, each));
    auto names = json::array();
    for (const auto& each : these)
      if (const auto& name = std::invoke(name_of, each); !known.contains(name))
        names.push_back(name);
    return names;
  };
  json out;
  out["count"] = now.size();
  out["added"] = not_in(now, before);
  out["removed"] = not_in(before, now);
  return out;
}

std::string text_of(const json& what) {
  return what.dump(-1, ' ', false, json::error_handler_t::replace) + '\n';
}

} // namespace

http::answer reload_answer(const centre_plan& before, const centre_plan& now) {
  json out;
  out["agents"] = changes(before.agents, now.agents, &centre_plan::agent_plan::name);
  out["queues"] = changes(before.queues, now.queues, &centre_plan::queue_plan::name);
  out["menus"] = changes(
    before.menus, now.menus,
    [](const centre_plan::menu_plan& menu) -> const auto& { return menu.rules.name; });
  return json_answer(text_of(out));
}

http::answer reload_problem(const std::vector<error>& faults) {
  auto out = http::problem(422, "nothing is changed: " + faults.front().to_string());
  auto body = json::parse(out.body);
  auto& errors = body["errors"] = json::array();
  for (size_t i = 0; i < std::min(faults.size(), most_faults); ++i) {
    json one;
    one["place"] = faults[i].place;
    one["detail"] = faults[i].cause;
    errors.push_back(std::move(one));
  }
  out.body = text_of(body);
  return out;
}

} // namespace jackfield::app

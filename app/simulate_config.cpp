#include "app/simulate_config.hpp"

#include <algorithm>
#include <chrono>
#include <fstream>
#include <memory>
#include <optional>
#include <utility>

#include <fmt/format.h>
#include <toml++/toml.h>

#include "app/centre_waiting_config.hpp"
#include "app/config_reader.hpp"
#include "app/option_reader.hpp"
#include "app/queue_rules_config.hpp"

namespace jackfield::app {

namespace {

using namespace std::chrono_literals;
using simulation::agent_plan;
using simulation::distribution;
using simulation::duration;
using simulation::queue_plan;

/// Of a day, so that a call after midnight can be told.
constexpr auto latest = 48h;
constexpr size_t most_arrivals = 50'000'000;

/// "8:00", "08:00:30": since midnight.
result<duration> parse_clock(std::string_view key, std::string_view text) {
  duration sum{};
  size_t parts = 0;
  for (auto rest = text; parts < 3; ++parts) {
    const auto colon = rest.find(':');
    const auto part =
      option_reader::whole<int>(key, rest.substr(0, colon), 0, parts == 0 ? 48 : 59);
    if (!part)
      break;
    sum += *part * (parts == 0 ? duration{1h} : parts == 1 ? duration{1min} : duration{1s});
    if (colon == std::string_view::npos) {
      if (parts > 0 && sum <= latest)
        return sum;
      break;
    }
    rest = rest.substr(colon + 1);
  }
  return fail(std::string{key}, fmt::format("\"{}\" is no time of day, expected 8:00", text));
}

/// "8:00-16:30".
result<simulation::time_span> parse_span(std::string_view key, std::string_view text) {
  const auto dash = text.find('-');
  const auto from = parse_clock(key, text.substr(0, dash));
  const auto to = dash == std::string_view::npos ? from : parse_clock(key, text.substr(dash + 1));
  if (!from || !to || *from >= *to)
    return fail(std::string{key}, fmt::format("\"{}\" is no shift, expected 8:00-16:30", text));
  return simulation::time_span{*from, *to};
}

class reading : private config_reader {
public:
  explicit reading(const std::string& path) : config_reader(path) {}

  tl::expected<simulation::day_plan, std::vector<error>> read(const table& all);

private:
  void read_day(const table& day);
  void read_queue(const table& one);
  void read_arrivals(const table& one, simulation::arrival_plan& arrivals);
  void read_arrival_times(const table& one, simulation::arrival_plan& arrivals);
  void read_redials(const table& one, simulation::redial_plan& redials);
  void read_agents(const table& one);
  void read_agent_queues(const table& one, agent_plan& agent);
  void read_agent_queue(const toml::node& one, agent_plan& agent);
  void read_shifts(const table& one, agent_plan& agent);
  struct staggered_break {
    simulation::break_plan first;
    duration apart{};
  };
  std::vector<staggered_break> read_breaks(const table& one);
  void check_overflow();

  void lengths(const table& in, std::string_view key, distribution& into) {
    parsed(in, key, into, [&](const std::string& text) {
      constexpr std::string_view file = "file:";
      return distribution::parse(
        key, text.starts_with(file) ? fmt::format("{}{}", file, beside(text.substr(file.size())))
                                    : text);
    });
  }
  std::optional<distribution> lengths(const table& in, std::string_view key) {
    if (in.get(key) == nullptr)
      return std::nullopt;
    distribution made;
    lengths(in, key, made);
    if (made.mean() == duration::zero())
      fault(*in.get(key), key, "expected more than 0 s");
    return made;
  }
  void share(const table& in, std::string_view key, double& into) {
    parsed(in, key, into, [&](const std::string& text) { return read_share(key, text); });
  }
  std::optional<std::string> name_of(const table& one) {
    auto name = text(one, "name");
    if (one.get("name") == nullptr)
      fault(one, "name", "is missing, expected name = \"...\"");
    return name;
  }

  simulation::day_plan made_;
  std::vector<const table*> queues_; // as they are in `made_`
};

void reading::read_day(const table& day) {
  allow(day, "[day]", {"begins", "interval"});
  parsed(day, "begins", made_.begins,
         [](const std::string& s) { return parse_clock("begins", s); });
  time(day, "interval", made_.interval);
  if (made_.interval < 1min || made_.interval > 24h)
    fault(*day.get("interval"), "interval", "expected 1m to 24h");
}

void reading::read_arrivals(const table& one, simulation::arrival_plan& arrivals) {
  arrivals.interval = made_.interval;
  const auto* const node = one.get("arrivals");
  if (node == nullptr)
    return;
  const auto* const array = node->as_array();
  if (array == nullptr) {
    fault(*node, "arrivals", "is no list, expected the calls of each interval: [20, 35, 60]");
    return;
  }
  double sum = 0;
  for (const auto& each : *array) {
    const auto calls = each.value<double>();
    if (!each.is_number() || !calls || !(*calls >= 0 && *calls <= most_arrivals)) {
      fault(each, "arrivals", "expected a number of calls, 0 or more");
      return;
    }
    arrivals.per_interval.push_back(*calls);
    sum += *calls;
  }
  if (sum > most_arrivals || arrivals.length() > latest)
    fault(*node, "arrivals", fmt::format("expected at most {} calls, in 48 hours", most_arrivals));
}

/// A time of day a line, in its first column; the first line may be the columns' names.
void reading::read_arrival_times(const table& one, simulation::arrival_plan& arrivals) {
  const auto name = text(one, "arrivals_file");
  if (!name)
    return;
  const auto& where = *one.get("arrivals_file");
  if (one.get("arrivals") != nullptr)
    fault(where, "arrivals_file", "says what arrivals says, expected one of them");
  const auto path = beside(*name);
  std::ifstream file{path};
  std::vector<duration> times;
  std::string line;
  for (size_t number = 1; std::getline(file, line); ++number) {
    const std::string_view all{line};
    const auto first = all.substr(0, all.find_first_of(",;\t\r#"));
    if (first.empty())
      continue;
    const auto at = parse_clock("arrivals_file", first);
    if (!at || *at < made_.begins) {
      if (number == 1)
        continue;
      fault(
        where, "arrivals_file",
        fmt::format("{}:{}: \"{}\" is no time of the day, expected 08:00:05", path, number, first));
      return;
    }
    if (times.size() == most_arrivals) {
      fault(where, "arrivals_file", fmt::format("expected at most {} calls", most_arrivals));
      return;
    }
    times.push_back(*at - made_.begins);
  }
  if (times.empty())
    fault(where, "arrivals_file",
          fmt::format("\"{}\" has no times, expected a time of day a line: 08:00:05", path));
  std::ranges::sort(times);
  arrivals.times = std::make_shared<const std::vector<duration>>(std::move(times));
}

void reading::read_redials(const table& one, simulation::redial_plan& redials) {
  const auto* const node = one.get("redial");
  if (node == nullptr)
    return;
  const auto* const part = node->as_table();
  if (part == nullptr) {
    fault(*node, "redial", "is no table, expected {share = \"30%\", after = \"exp:5m\", most = 3}");
    return;
  }
  allow(*part, "redial", {"share", "after", "most"});
  share(*part, "share", redials.share);
  lengths(*part, "after", redials.after);
  number(*part, "most", redials.most, 0, 100);
}

void reading::read_queue(const table& one) {
  allow(one, "[[queue]]",
        {"name",
         "arrivals",
         "arrivals_file",
         "talk",
         "wrap_up",
         "patience",
         "redial",
         "priority",
         "strategy",
         "ring",
         "max_wait",
         "most_waiting",
         "join_needs",
         "stay_needs",
         "without_agents",
         "overflow",
         "priority_worth",
         "service_level",
         "service_level_target",
         "needs"});
  const auto name = name_of(one);
  if (!name)
    return;
  if (made_.centre.queue_named(*name)) {
    fault(*one.get("name"), "name", "\"" + *name + "\" is a queue already");
    return;
  }
  queue_plan queue;
  queue.name = *name;
  read_arrivals(one, queue.arrivals);
  read_arrival_times(one, queue.arrivals);
  if (one.get("talk") == nullptr)
    fault(one, "talk", "is missing, expected talk = \"exp:180s\"");
  lengths(one, "talk", queue.talk);
  lengths(one, "wrap_up", queue.wrap_up);
  queue.patience = lengths(one, "patience");
  read_redials(one, queue.redials);
  number(one, "priority", queue.priority, -1000, 1000);
  read_queue_rules(*this, one, queue.rules);
  read_needs(*this, one, queue.rules);
  if (auto sound = queue.rules.check(*name); !sound)
    fault(one, "queue", sound.error().to_string());
  made_.centre.queues.push_back(std::move(queue));
  auto& target = made_.level_targets.emplace_back();
  parsed(one, "service_level_target", target, [](const std::string& text) {
    return read_share("service_level_target", text).map([](double share) {
      return std::optional{share};
    });
  });
  queues_.push_back(&one);
}

void reading::read_agent_queue(const toml::node& one, agent_plan& agent) {
  agent_plan::part part;
  std::optional<std::string> name;
  if (const auto* const word = one.as_string()) {
    name = word->get();
  } else if (const auto* const said = one.as_table()) {
    allow(*said, "queues", {"queue", "tier", "priority"});
    name = text(*said, "queue");
    number(*said, "tier", part.as.tier, 0, 1000);
    number(*said, "priority", part.priority, -1000, 1000);
  }
  if (!name) {
    fault(one, "queues", "expected the name of a queue, or {queue = \"...\", tier = 1}");
    return;
  }
  const auto known = made_.centre.queue_named(*name);
  if (!known)
    fault(one, "queues", "\"" + *name + "\" is no queue, expected the name of a [[queue]]");
  else if (std::ranges::find(agent.queues, *known, &agent_plan::part::queue) != agent.queues.end())
    fault(one, "queues", "\"" + *name + "\" is there already");
  else {
    part.queue = *known;
    agent.queues.push_back(part);
  }
}

void reading::read_agent_queues(const table& one, agent_plan& agent) {
  const auto* const node = one.get("queues");
  if (node == nullptr) {
    fault(one, "queues",
          "is missing, expected the queues that they serve: [\"sales\"], or \"all\"");
    return;
  }
  if (const auto* const word = node->as_string(); word != nullptr && word->get() == "all") {
    for (uint32_t i = 0; i < made_.centre.queues.size(); ++i)
      agent.queues.push_back({i, 0, {}});
    return;
  }
  const auto* const array = node->as_array();
  if (array == nullptr) {
    fault(*node, "queues", "is no list, expected [\"sales\", {queue = \"support\", tier = 1}]");
    return;
  }
  for (const auto& each : *array)
    read_agent_queue(each, agent);
}

void reading::read_shifts(const table& one, agent_plan& agent) {
  for (const auto& each : texts(one, "shifts")) {
    const auto shift = parse_span("shifts", each);
    if (!shift) {
      fault(*one.get("shifts"), "shifts", shift.error().cause);
      continue;
    }
    if (shift->to <= made_.begins) {
      fault(*one.get("shifts"), "shifts", "\"" + each + "\" is over before the day begins");
      continue;
    }
    agent.shifts.push_back(
      {std::max(duration::zero(), shift->from - made_.begins), shift->to - made_.begins});
    const auto count = agent.shifts.size();
    if (count > 1 && agent.shifts[count - 1].from < agent.shifts[count - 2].to)
      fault(*one.get("shifts"), "shifts", "expected them in order, each over before the next");
  }
}

std::vector<reading::staggered_break> reading::read_breaks(const table& one) {
  std::vector<staggered_break> breaks;
  const auto* const node = one.get("breaks");
  if (node == nullptr)
    return breaks;
  const auto* const array = node->as_array();
  const auto expected = "expected [{at = \"12:00\", length = \"30m\", apart = \"5m\"}]";
  if (array == nullptr) {
    fault(*node, "breaks", fmt::format("is no list, {}", expected));
    return breaks;
  }
  for (const auto& each : *array) {
    const auto* const part = each.as_table();
    if (part == nullptr || part->get("at") == nullptr || part->get("length") == nullptr) {
      fault(each, "breaks", expected);
      continue;
    }
    allow(*part, "breaks", {"at", "length", "apart", "reason"});
    staggered_break made;
    duration length{};
    duration at = made_.begins;
    parsed(*part, "at", at, [](const std::string& s) { return parse_clock("at", s); });
    time(*part, "length", length);
    time(*part, "apart", made.apart);
    made.first.reason = text(*part, "reason").value_or("break");
    if (at < made_.begins || length <= duration::zero() || length > 24h || made.apart > 4h) {
      fault(each, "breaks",
            "expected a time of the day, a length up to 24h, and apart by no more than 4h");
      continue;
    }
    made.first.when = {at - made_.begins, at - made_.begins + length};
    breaks.push_back(std::move(made));
  }
  return breaks;
}

void reading::read_agents(const table& one) {
  allow(one, "[[agents]]",
        {"name", "count", "queues", "skills", "shifts", "breaks", "answers_after", "no_answer",
         "fails_after", "failure_lasts", "after_rejected", "after_busy", "after_no_answer",
         "after_unreachable", "most_unanswered"});
  const auto name = name_of(one);
  if (!name)
    return;
  agent_plan agent;
  read_agent_queues(one, agent);
  const auto skills = read_skills(*this, one);
  for (auto& part : agent.queues)
    part.as.skills = skills;
  read_shifts(one, agent);
  const auto breaks = read_breaks(one);
  lengths(one, "answers_after", agent.answers_after);
  share(one, "no_answer", agent.no_answer);
  const auto after = lengths(one, "fails_after");
  const auto lasts = lengths(one, "failure_lasts");
  if (after.has_value() != lasts.has_value())
    fault(one, "fails_after", "and failure_lasts go together, expected both or none");
  else if (after)
    agent.failures = simulation::failure_plan{*after, *lasts};
  read_agent_rules(*this, one, agent.rules);
  if (auto sound = agent.rules.check(*name); !sound)
    fault(one, "agents", sound.error().to_string());
  uint32_t count = 1;
  number(one, "count", count, 1, simulation::centre_plan::most_agents);
  if (made_.centre.agents.size() + count > simulation::centre_plan::most_agents) {
    fault(one, "count",
          fmt::format("more than {} agents in all, expected fewer",
                      simulation::centre_plan::most_agents));
    return;
  }
  for (uint32_t i = 0; i < count; ++i) {
    agent.name = count == 1 ? *name : fmt::format("{} {}", *name, i + 1);
    agent.breaks.clear();
    for (const auto& each : breaks) {
      auto own = each.first;
      own.when.from += each.apart * i;
      own.when.to += each.apart * i;
      agent.breaks.push_back(std::move(own));
    }
    for (uint32_t k = 0; k + 1 < agent.breaks.size(); ++k)
      if (agent.breaks[k + 1].when.from < agent.breaks[k].when.to) {
        fault(*one.get("breaks"), "breaks", "expected them in order, each over before the next");
        return;
      }
    for (auto& part : agent.queues)
      part.as.position = static_cast<uint32_t>(made_.centre.agents.size());
    made_.centre.agents.push_back(agent);
  }
}

void reading::check_overflow() {
  const auto& queues = made_.centre.queues;
  for (size_t i = 0; i < queues.size(); ++i) {
    const auto& to = queues[i].rules.overflow_to.max_wait;
    if (to.empty())
      continue;
    if (to == queues[i].name)
      fault(*queues_[i]->get("overflow"), "overflow", "leads to the queue itself");
    else if (!made_.centre.queue_named(to))
      fault(*queues_[i]->get("overflow"), "overflow",
            "\"" + to + "\" is no queue, expected the name of a [[queue]]");
  }
}

tl::expected<simulation::day_plan, std::vector<error>> reading::read(const table& all) {
  allow(all, "the file", {"day", "queue", "agents"});
  if (const auto* const day = all.get("day"); day != nullptr && day->is_table())
    read_day(*day->as_table());
  else if (day != nullptr)
    fault(*day, "day", "is no table, expected [day]");
  if (const auto* const queues = all.get("queue"))
    each_table(*queues, "queue", [this](const table& one) { read_queue(one); });
  if (const auto* const agents = all.get("agents"))
    each_table(*agents, "agents", [this](const table& one) { read_agents(one); });
  check_overflow();
  const auto nobody_comes = [](const queue_plan& queue) {
    return queue.arrivals.expected({}, queue.arrivals.length() + duration{1}) == 0;
  };
  if (faults_.empty() && made_.centre.queues.empty())
    faults_.push_back({path_, "has no [[queue]], expected one or more"});
  else if (faults_.empty() && std::ranges::all_of(made_.centre.queues, nobody_comes))
    faults_.push_back({path_, "has no calls, expected arrivals = [20, 35, 60] of some queue"});
  if (faults_.empty())
    if (auto sound = made_.check(); !sound)
      faults_.push_back({path_, sound.error().to_string()});
  if (!faults_.empty())
    return tl::unexpected{std::move(faults_)};
  return std::move(made_);
}

} // namespace

tl::expected<simulation::day_plan, std::vector<error>> read_day_plan(const std::string& path) {
  const auto text = read_config_text(path);
  if (!text)
    return tl::unexpected{std::vector{text.error()}};
  try {
    const auto parsed = toml::parse(*text);
    return reading{path}.read(parsed);
  } catch (const toml::parse_error& wrong) {
    return tl::unexpected{std::vector{error{path + ":" + std::to_string(wrong.source().begin.line),
                                            std::string{wrong.description()}}}};
  }
}

} // namespace jackfield::app

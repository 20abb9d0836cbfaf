#include "app/centre_metrics.hpp"
#include "engine/policy/names.hpp"

#include <chrono>
#include <functional>
#include <iterator>
#include <optional>
#include <string_view>

#include <fmt/format.h>

namespace jackfield::app {

namespace {

using policy::agent_state;

/// A label's value.
std::string label(std::string_view text) {
  std::string out;
  for (const char c : text)
    if (c == '\\' || c == '"')
      out.append({'\\', c});
    else if (c == '\n')
      out.append("\\n");
    else
      out += c;
  return out;
}

double seconds(lane::duration d) {
  return std::chrono::duration<double>(d).count();
}

class exposition {
public:
  explicit exposition(const std::vector<queue_state>& queues) : queues_(queues) {}

  void begin(std::string_view name, std::string_view type, std::string_view help) {
    put("# HELP jackfield_{} {}\n# TYPE jackfield_{} {}\n", name, help, name, type);
  }
  template <class... Values>
  void put(std::string_view format, const Values&... values) {
    fmt::vformat_to(std::back_inserter(text), {format.data(), format.size()},
                    fmt::make_format_args(values...));
  }
  /// One sample a queue.
  void by_queue(std::string_view name, std::string_view type, std::string_view help,
                const std::function<double(const queue_state&)>& value) {
    begin(name, type, help);
    for (const auto& each : queues_)
      put("jackfield_{}{{queue=\"{}\"}} {}\n", name, label(each.name), value(each));
  }

  std::string text;

private:
  const std::vector<queue_state>& queues_;
};

void put_levels(exposition& to, const std::vector<queue_state>& queues) {
  to.begin("queue_service_level", "gauge", "Share of calls in time, by what it is a share of.");
  for (const auto& each : queues) {
    const auto& f = each.figures;
    const std::pair<const char*, std::optional<double>> levels[] = {
      {"answered", f.service_level_of_answered()},
      {"ended", f.service_level_of_ended()},
      {"offered", f.service_level_of_offered()}};
    for (const auto& [of, value] : levels)
      if (value)
        to.put("jackfield_queue_service_level{{queue=\"{}\",of=\"{}\"}} {}\n", label(each.name), of,
               *value);
  }
}

} // namespace

std::string centre_metrics(const std::vector<queue_state>& queues,
                           const centre_view::counts& counts, bool draining) {
  exposition to{queues};
  const auto count = [&](std::string_view name, std::string_view help,
                         uint64_t policy::queue_figures::*of) {
    to.by_queue(name, "counter", help,
                [of](const queue_state& q) { return static_cast<double>(q.figures.*of); });
  };
  using figures = policy::queue_figures;
  count("queue_offered_total", "Calls that were let into the queue.", &figures::offered);
  count("queue_refused_total", "Calls that were not.", &figures::refused);
  count("queue_answered_total", "Calls that an agent took.", &figures::answered);
  count("queue_abandoned_total", "Calls whose caller hung up waiting.", &figures::abandoned);
  count("queue_overflowed_total", "Calls that were sent on, or away.", &figures::overflowed);
  to.by_queue("queue_answered_wait_seconds_total", "counter", "Waiting of the calls answered.",
              [](const queue_state& q) { return seconds(q.figures.answered_wait); });
  to.by_queue("queue_waiting", "gauge", "Calls that wait.",
              [](const queue_state& q) { return static_cast<double>(q.waiting); });
  to.by_queue("queue_longest_waiting_seconds", "gauge", "Waiting of who has waited for longest.",
              [](const queue_state& q) { return seconds(q.longest_wait); });
  to.by_queue("queue_logged_in", "gauge", "Agents of the queue who are logged in.",
              [](const queue_state& q) { return static_cast<double>(q.logged_in); });
  to.by_queue("queue_available", "gauge", "Agents of the queue who may be called now.",
              [](const queue_state& q) { return static_cast<double>(q.available); });
  put_levels(to, queues);
  to.begin("agents", "gauge", "Agents, by what they do.");
  for (const auto state :
       {agent_state::logged_out, agent_state::ready, agent_state::paused, agent_state::reserved,
        agent_state::offered, agent_state::answered, agent_state::in_call, agent_state::wrap_up,
        agent_state::resting, agent_state::unreachable}) {
    const auto found = counts.agents.find(std::string{to_string(state)});
    to.put("jackfield_agents{{state=\"{}\"}} {}\n", to_string(state),
           found == counts.agents.end() ? size_t{0} : found->second);
  }
  to.begin("calls", "gauge", "Calls of queues, by what they do.");
  to.put("jackfield_calls{{state=\"waiting\"}} {}\njackfield_calls{{state=\"talking\"}} {}\n",
         counts.waiting, counts.talking);
  to.begin("draining", "gauge", "1 while no calls are taken any more.");
  to.put("jackfield_draining {}\n", draining ? 1 : 0);
  return std::move(to.text);
}

std::string login_metrics(uint64_t bans) {
  return fmt::format("# HELP jackfield_login_bans_total Times that an address was not heard any "
                     "more, as passwords were guessed from there.\n"
                     "# TYPE jackfield_login_bans_total counter\njackfield_login_bans_total {}\n",
                     bans);
}

std::string webhook_metrics(const std::vector<webhooks::webhook_state>& hooks) {
  std::string text;
  if (hooks.empty())
    return text;
  const auto by_hook = [&](std::string_view name, std::string_view type, std::string_view help,
                           auto value) {
    fmt::format_to(std::back_inserter(text), "# HELP jackfield_{} {}\n# TYPE jackfield_{} {}\n",
                   name, help, name, type);
    for (const auto& each : hooks)
      fmt::format_to(std::back_inserter(text), "jackfield_{}{{webhook=\"{}\"}} {}\n", name,
                     label(each.name), static_cast<uint64_t>(std::invoke(value, each)));
  };
  using hook = webhooks::webhook_state;
  by_hook("webhook_deliveries_total", "counter", "Messages that its receiver took.",
          &hook::deliveries);
  by_hook("webhook_failures_total", "counter", "Attempts that came to nothing.", &hook::failures);
  by_hook("webhook_events_behind", "gauge", "Events that it has not been told of.", &hook::behind);
  by_hook("webhook_events_dropped_total", "counter",
          "Events that were gone before it could be told of them.", &hook::dropped);
  by_hook("webhook_stopped", "gauge", "1 once its receiver has said 410, until a reload.",
          &hook::stopped);
  return text;
}

std::string trunk_metrics(const trunk_book& book) {
  std::string text;
  const auto by_trunk = [&](std::string_view name, std::string_view type, std::string_view help,
                            auto value) {
    fmt::format_to(std::back_inserter(text), "# HELP jackfield_{} {}\n# TYPE jackfield_{} {}\n",
                   name, help, name, type);
    for (const auto& each : book.lines)
      fmt::format_to(std::back_inserter(text), "jackfield_{}{{trunk=\"{}\"}} {}\n", name,
                     label(each->profile().name), static_cast<uint64_t>(value(*each)));
  };
  if (book.lines.empty())
    return text;
  using line = trunk_line;
  by_trunk("trunk_in_service", "gauge", "1 while calls are sent there.",
           [](const line& l) { return l.in_service(); });
  by_trunk("trunk_registered", "gauge", "1 while we are registered there.",
           [](const line& l) { return l.registered(); });
  by_trunk("trunk_calls", "gauge", "Calls that it has, in both directions.",
           [](const line& l) { return l.calls(); });
  by_trunk("trunk_came_total", "counter", "Calls that came from it.",
           [](const line& l) { return l.came(); });
  by_trunk("trunk_placed_total", "counter", "Calls that it was sent.",
           [](const line& l) { return l.placed(); });
  by_trunk("trunk_not_taken_total", "counter", "Calls that it was sent and did not get through.",
           [](const line& l) { return l.not_taken(); });
  return text;
}

} // namespace jackfield::app

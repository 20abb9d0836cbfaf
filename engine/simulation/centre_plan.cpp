#include "engine/simulation/centre_plan.hpp"

#include <algorithm>

#include <fmt/format.h>

namespace jackfield::simulation {

namespace {

bool is_share(double value) {
  return value >= 0 && value <= 1;
}

result<void> check_queue(const queue_plan& queue) {
  if (auto sound = queue.rules.check(queue.name); !sound)
    return sound;
  if (auto sound = queue.arrivals.check(queue.name); !sound)
    return sound;
  if (!is_share(queue.redials.share))
    return fail(queue.name, "expected a share of callers who redial from 0 to 1");
  return {};
}

template <class T, class Span>
bool apart(const std::vector<T>& spans, Span span_of) {
  duration last{};
  for (const auto& each : spans) {
    const auto& span = span_of(each);
    if (span.from < last || span.to <= span.from)
      return false;
    last = span.to;
  }
  return true;
}

result<void> check_agent(const agent_plan& agent, size_t queues) {
  if (auto sound = agent.rules.check(agent.name); !sound)
    return sound;
  if (std::ranges::any_of(agent.queues, [&](const auto& part) { return part.queue >= queues; }))
    return fail(agent.name, "serves a queue that is not there");
  if (!is_share(agent.no_answer))
    return fail(agent.name, "expected a share of unanswered offers from 0 to 1");
  if (!apart(agent.shifts, [](const time_span& s) { return s; }))
    return fail(agent.name, "expected shifts in order, each over before the next");
  if (!apart(agent.breaks, [](const break_plan& b) { return b.when; }))
    return fail(agent.name, "expected breaks in order, each over before the next");
  return {};
}

} // namespace

result<void> centre_plan::check() const {
  if (queues.empty() || queues.size() > most_queues)
    return fail("queues", fmt::format("expected 1 to {}", most_queues));
  if (agents.size() > most_agents)
    return fail("agents", fmt::format("expected at most {}", most_agents));
  for (const auto& queue : queues)
    if (auto sound = check_queue(queue); !sound)
      return sound;
  for (const auto& agent : agents)
    if (auto sound = check_agent(agent, queues.size()); !sound)
      return sound;
  return {};
}

std::optional<uint32_t> centre_plan::queue_named(std::string_view name) const {
  const auto at = std::ranges::find(queues, name, &queue_plan::name);
  if (at == queues.end())
    return std::nullopt;
  return static_cast<uint32_t>(at - queues.begin());
}

duration centre_plan::length() const {
  duration length{};
  for (const auto& queue : queues)
    if (!queue.arrivals.endless())
      length = std::max(length, queue.arrivals.length());
  for (const auto& agent : agents)
    if (!agent.shifts.empty())
      length = std::max(length, agent.shifts.back().to);
  return length;
}

} // namespace jackfield::simulation

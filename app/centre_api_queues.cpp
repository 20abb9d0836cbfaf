#include <algorithm>
#include <array>
#include <string_view>
#include <utility>

#include "app/centre_api.hpp"
#include "app/centre_api_answers.hpp"
#include "app/centre_json.hpp"
#include "app/http/text_fields.hpp"
#include "engine/policy/names.hpp"

// Queues, agents and trunks.

namespace jackfield::app {

using http::answer;
using http::problem;

namespace {

std::vector<std::string> queues_of(const centre_plan& plan, size_t agent) {
  std::vector<std::string> out;
  for (const auto& each : plan.queues)
    if (std::ranges::find(each.members, agent, &centre_plan::member::agent) != each.members.end())
      out.push_back(each.name);
  return out;
}

answer tell_agent(caf::scoped_actor& self, const caf::actor& whom,
                  const std::vector<std::string>& queues) {
  const auto told = centre_asker::ask<agent_state_told>(self, {whom}, ask_agent_state{});
  return told ? json_answer(agent_json(told->front(), queues) + '\n') : nothing_said();
}

} // namespace

void centre_api::list_queues(exchange& of) {
  const auto is = current();
  const auto which = page_of(of.target, is->plan.queues);
  if (!which) {
    of.answer_with(which.error());
    return;
  }
  ask(of, [is, which = *which](caf::scoped_actor& self) {
    const auto queues =
      centre_asker::ask<queue_state>(self, part_of(is->actors.queues, which), ask_queue_state{});
    if (!queues)
      return nothing_said();
    std::vector<std::string> parts;
    for (size_t i = 0; i < queues->size(); ++i)
      parts.push_back(queue_json(is->plan.queues[which.first + i], (*queues)[i], false, 0));
    return json_answer(list_json("queues", parts, next_of(is->plan.queues, which)));
  });
}

void centre_api::get_queue(exchange& of) {
  const auto is = current();
  const auto found = std::ranges::find(is->plan.queues, of.name, &centre_plan::queue_plan::name);
  if (found == is->plan.queues.end()) {
    of.answer_with(problem(404, "there is no queue of this name", "name"));
    return;
  }
  http::query_reader query{of.target};
  const auto limit = query.number("limit", 1, longest_page).value_or(usual_page);
  const auto first = query.number("after", 0, 1'000'000).value_or(0);
  if (auto fault = query.finish()) {
    of.answer_with(std::move(*fault));
    return;
  }
  const auto place = static_cast<size_t>(found - is->plan.queues.begin());
  ask(of, [is, place, limit, first](caf::scoped_actor& self) {
    const auto told = centre_asker::ask<queue_state>(self, {is->actors.queues[place]},
                                                     ask_queue_state{first, limit});
    return told ? json_answer(queue_json(is->plan.queues[place], told->front(), true, first) + '\n')
                : nothing_said();
  });
}

void centre_api::list_agents(exchange& of) {
  const auto is = current();
  const auto which = page_of(of.target, is->plan.agents);
  if (!which) {
    of.answer_with(which.error());
    return;
  }
  ask(of, [is, which = *which](caf::scoped_actor& self) {
    const auto agents = centre_asker::ask<agent_state_told>(self, part_of(is->actors.agents, which),
                                                            ask_agent_state{});
    if (!agents)
      return nothing_said();
    std::vector<std::string> parts;
    for (size_t i = 0; i < agents->size(); ++i)
      parts.push_back(agent_json((*agents)[i], queues_of(is->plan, which.first + i)));
    return json_answer(list_json("agents", parts, next_of(is->plan.agents, which)));
  });
}

/// Nothing: it is not there, and that was answered.
std::optional<size_t> centre_api::agent_of(const centre_plan& plan, const exchange& of) {
  const auto found = std::ranges::find(plan.agents, of.name, &centre_plan::agent_plan::name);
  if (found != plan.agents.end())
    return static_cast<size_t>(found - plan.agents.begin());
  of.answer_with(problem(404, "there is no agent of this name", "name"));
  return std::nullopt;
}

void centre_api::get_agent(exchange& of) {
  const auto is = current();
  const auto agent = agent_of(is->plan, of);
  if (!agent)
    return;
  ask(of, [is, agent = *agent](caf::scoped_actor& self) {
    return tell_agent(self, is->actors.agents[agent], queues_of(is->plan, agent));
  });
}

void centre_api::put_agent_state(exchange& of) {
  const auto is = current();
  const auto agent = agent_of(is->plan, of);
  if (!agent)
    return;
  static constexpr std::array<std::string_view, 2> known{"state", "reason"};
  const auto fields = http::read_text_fields(of.what, known);
  if (!fields) {
    of.answer_with(fields.error());
    return;
  }
  const auto state = fields->find("state");
  const auto reason = fields->find("reason");
  const std::string wanted = state == fields->end() ? "" : state->second;
  if (wanted != "ready" && wanted != "paused" && wanted != "logged_out") {
    of.answer_with(problem(400, "expected ready, paused or logged_out", "state"));
    return;
  }
  if (reason != fields->end() && wanted != "paused") {
    of.answer_with(problem(400, "is of a pause alone", "reason"));
    return;
  }
  ask(of, [is, agent = *agent, wanted,
           why = reason == fields->end() ? "" : reason->second](caf::scoped_actor& self) {
    using kind = agent_wish::kind;
    const auto& whom = is->actors.agents[agent];
    if (wanted == "ready") {
      self->send(whom, agent_wish{kind::log_in});
      self->send(whom, agent_wish{kind::unpause});
    } else {
      self->send(whom, agent_wish{wanted == "paused" ? kind::pause : kind::log_out, why});
    }
    const auto told = centre_asker::ask<agent_state_told>(self, {whom}, ask_agent_state{});
    if (!told)
      return nothing_said();
    const auto& now = told->front();
    const bool out = now.state == policy::agent_state::logged_out;
    if (wanted == "ready" && (out || now.log_out_pending))
      return problem(409, "has no phone that is registered", "state");
    if (wanted == "paused" && out)
      return problem(409, "is logged out: only who is logged in can pause", "state");
    return json_answer(agent_json(now, queues_of(is->plan, agent)) + '\n');
  });
}

void centre_api::end_wrap_up(exchange& of) {
  const auto is = current();
  const auto agent = agent_of(is->plan, of);
  if (!agent)
    return;
  ask(of, [is, agent = *agent](caf::scoped_actor& self) {
    const auto& whom = is->actors.agents[agent];
    const auto before = centre_asker::ask<agent_state_told>(self, {whom}, ask_agent_state{});
    if (!before)
      return nothing_said();
    if (before->front().state != policy::agent_state::wrap_up)
      return problem(409, "is not wrapping up: " + std::string{to_string(before->front().state)},
                     "name");
    self->send(whom, agent_wish{agent_wish::kind::end_wrap_up});
    return tell_agent(self, whom, queues_of(is->plan, agent));
  });
}

void centre_api::list_trunks(exchange& of) {
  const auto is = current();
  const auto which = page_of(of.target, is->plan.trunks);
  if (!which) {
    of.answer_with(which.error());
    return;
  }
  std::vector<std::string> parts;
  for (size_t i = which->first; i < which->end; ++i)
    parts.push_back(trunk_json(*is->actors.book->lines[i]));
  of.answer_with(json_answer(list_json("trunks", parts, next_of(is->plan.trunks, *which))));
}

} // namespace jackfield::app

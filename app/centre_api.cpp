#include "app/centre_api.hpp"

#include <algorithm>
#include <array>
#include <unordered_set>
#include <utility>

#include <fmt/format.h>

#include "app/centre_json.hpp"
#include "app/centre_metrics.hpp"
#include "app/centre_recordings.hpp"
#include "app/http/text_fields.hpp"
#include "app/http/token.hpp"
#include "app/openapi.hpp"
#include "engine/policy/names.hpp"
#include "engine/report/prometheus_text.hpp"
#include "storage/call_export.hpp"

namespace jackfield::app {

namespace {

using http::answer;
using http::problem;

constexpr size_t kept_events = 10'000;
constexpr size_t kept_keys = 10'000;
constexpr std::chrono::hours keys_last{24};
constexpr uint64_t usual_page = 100;
constexpr uint64_t longest_page = 1000;
constexpr uint64_t longest_wait = 30; // seconds

answer nothing_said() {
  auto out = problem(503, "the engine did not answer in time");
  out.headers.emplace_back("Retry-After", "1");
  return out;
}

answer json_answer(std::string body, unsigned status = 200) {
  answer out;
  out.status = status;
  out.body = std::move(body);
  return out;
}

/// Which part of a list of names is wanted, or what is wrong with the wish.
struct page {
  size_t first = 0;
  size_t end = 0;
};
template <class Named>
tl::expected<page, answer> page_of(const http::target& target, const std::vector<Named>& all) {
  http::query_reader query{target};
  const auto limit = query.number("limit", 1, longest_page).value_or(usual_page);
  const auto after = query.text("after");
  if (auto fault = query.finish())
    return tl::unexpected{std::move(*fault)};
  page out;
  if (after) {
    const auto found = std::ranges::find(all, *after, &Named::name);
    if (found == all.end())
      return tl::unexpected{problem(400, "\"" + *after + "\" is no name of this list", "after")};
    out.first = static_cast<size_t>(found - all.begin()) + 1;
  }
  out.end = std::min<size_t>(all.size(), out.first + limit);
  return out;
}

template <class T>
std::vector<T> part_of(const std::vector<T>& all, const page& which) {
  return {all.begin() + static_cast<std::ptrdiff_t>(which.first),
          all.begin() + static_cast<std::ptrdiff_t>(which.end)};
}

template <class Named>
std::string next_of(const std::vector<Named>& all, const page& which) {
  return which.end < all.size() && which.end > which.first ? all[which.end - 1].name
                                                           : std::string{};
}

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

centre_api::centre_api(std::string token, centre_plan plan, caf::actor_system& system)
    : token_(std::move(token)),
      standing_(std::make_shared<const standing>(standing{std::move(plan), {}})),
      view_(standing_->plan.agents.size()), feed_(kept_events), remembered_(kept_keys, keys_last),
      asker_(std::in_place, system) {
  // nop
}

// No thread of ours runs when what they use goes, and no connection is held by what waits.
centre_api::~centre_api() {
  asker_->stop();
  feed_.on_time(http::event_feed::clock::time_point::max());
  if (server_)
    server_->stop();
  feed_.clear();
  server_.reset();
}

result<std::unique_ptr<centre_api>> centre_api::listen(const lane::endpoint& address,
                                                       std::string token, centre_plan plan,
                                                       caf::actor_system& system) {
  std::unique_ptr<centre_api> made{new centre_api{std::move(token), std::move(plan), system}};
  auto server = http::server::listen(address, http::server_limits{}, *made);
  if (!server)
    return tl::unexpected{std::move(server.error())};
  made->server_.emplace(std::move(*server));
  return made;
}

void centre_api::run(centre_actors actors, const storage::store* records) {
  change(centre_plan{current()->plan}, std::move(actors));
  records_ = records;
  server_->run();
}

void centre_api::change(centre_plan plan, centre_actors actors) {
  const auto names_not_in = [](const centre_plan& these, const centre_plan& those) {
    std::unordered_set<std::string> known;
    for (const auto& each : those.agents)
      known.insert(each.name);
    std::vector<std::string> names;
    for (const auto& each : these.agents)
      if (!known.contains(each.name))
        names.push_back(each.name);
    return names;
  };
  const auto before = current();
  view_.change(names_not_in(before->plan, plan), names_not_in(plan, before->plan));
  auto made = std::make_shared<const standing>(standing{std::move(plan), std::move(actors)});
  const std::lock_guard lock{standing_mutex_};
  standing_ = std::move(made);
}

std::shared_ptr<const centre_api::standing> centre_api::current() const {
  const std::lock_guard lock{standing_mutex_};
  return standing_;
}

void centre_api::take(const centre_event& event, uint64_t seq, std::string line) {
  view_.take(event);
  if (line.ends_with('\n'))
    line.pop_back();
  feed_.add(seq, std::move(line));
}

// -- from a request to who answers it ----------------------------------------------

const std::vector<centre_api::route>& centre_api::routes() {
  static const std::vector<route> all{
    {"GET", {"healthz"}, true, &centre_api::healthz},
    {"GET", {"metrics"}, true, &centre_api::metrics},
    {"GET", {"v1", "openapi.json"}, false, &centre_api::description},
    {"GET", {"v1", "queues"}, false, &centre_api::list_queues},
    {"GET", {"v1", "queues", "{}"}, false, &centre_api::get_queue},
    {"GET", {"v1", "agents"}, false, &centre_api::list_agents},
    {"GET", {"v1", "agents", "{}"}, false, &centre_api::get_agent},
    {"PUT", {"v1", "agents", "{}", "state"}, false, &centre_api::put_agent_state},
    {"POST", {"v1", "agents", "{}", "end_wrap_up"}, false, &centre_api::end_wrap_up},
    {"GET", {"v1", "trunks"}, false, &centre_api::list_trunks},
    {"GET", {"v1", "calls"}, false, &centre_api::list_calls},
    {"DELETE", {"v1", "calls", "{}"}, false, &centre_api::hang_up},
    {"GET", {"v1", "cdrs"}, false, &centre_api::list_cdrs},
    {"DELETE", {"v1", "calls", "{}", "monitor"}, false, &centre_api::end_supervision},
    {"POST", {"v1", "calls", "{}", "monitor"}, false, &centre_api::supervise},
    {"GET", {"v1", "events"}, false, &centre_api::events},
    {"GET", {"v1", "recordings"}, false, &centre_api::list_recordings},
    {"GET", {"v1", "recordings", "{}"}, false, &centre_api::get_recording},
  };
  return all;
}

namespace {

bool leads_to(const std::vector<std::string>& path, const std::vector<std::string_view>& route) {
  return std::ranges::equal(path, route, [](const std::string& said, std::string_view wanted) {
    return wanted == "{}" ? !said.empty() : said == wanted;
  });
}

} // namespace

namespace {

constexpr std::string_view events_subprotocol = "jackfield.events.v1";
constexpr std::string_view token_prefix = "bearer.";

/// Of a list with commas.
template <class Wanted>
std::string_view find_in_list(std::string_view list, Wanted wanted) {
  while (!list.empty()) {
    const auto comma = list.find(',');
    auto each = list.substr(0, comma);
    list.remove_prefix(comma == std::string_view::npos ? list.size() : comma + 1);
    each.remove_prefix(std::min(each.find_first_not_of(" \t"), each.size()));
    each.remove_suffix(each.size() - (each.find_last_not_of(" \t") + 1));
    if (wanted(each))
      return each;
  }
  return {};
}

/// As Authorization has it: a page has no other way to say it with a WebSocket.
std::string token_subprotocol(std::string_view subprotocols) {
  const auto found = find_in_list(
    subprotocols, [](std::string_view each) { return each.starts_with(token_prefix); });
  return found.empty() ? std::string{} : "Bearer " + std::string{found.substr(token_prefix.size())};
}

} // namespace

// Whoever has no token learns nothing of what there is.
std::optional<answer> centre_api::refuse(const http::request& head) {
  const auto target = http::target::parse(head.target);
  if (!target)
    return target.error();
  const bool open = target->path.front() != "v1";
  if (!open && !http::bears_token(head.authorization, token_) &&
      !http::bears_token(token_subprotocol(head.subprotocols), token_)) {
    auto out =
      problem(401, "expected Authorization: Bearer, with this engine's token", "Authorization");
    out.headers.emplace_back("WWW-Authenticate", "Bearer realm=\"jackfield\"");
    return out;
  }
  std::string allowed;
  for (const auto& each : routes())
    if (leads_to(target->path, each.path)) {
      if (each.method == head.method)
        return std::nullopt;
      allowed.append(allowed.empty() ? "" : ", ").append(each.method);
    }
  if (allowed.empty())
    return problem(404, "there is nothing at this path");
  auto out = problem(405, "expected " + allowed);
  out.headers.emplace_back("Allow", std::move(allowed));
  return out;
}

void centre_api::serve(http::request what, reply answer_with) {
  auto target = http::target::parse(what.target);
  if (!target) { // refused before
    answer_with(std::move(target.error()));
    return;
  }
  exchange of{std::move(what), std::move(*target), {}, std::move(answer_with)};
  const auto found = std::ranges::find_if(routes(), [&](const route& each) {
    return each.method == of.what.method && leads_to(of.target.path, each.path);
  });
  if (found == routes().end()) {
    of.answer_with(problem(404, "there is nothing at this path"));
    return;
  }
  if (const auto brace = std::ranges::find(found->path, "{}"); brace != found->path.end())
    of.name = of.target.path[static_cast<size_t>(brace - found->path.begin())];
  const bool takes_body = of.what.method == "PUT" || found->serve == &centre_api::supervise;
  if (!takes_body && !of.what.body.empty()) {
    of.answer_with(problem(400, "expected no body"));
    return;
  }
  const bool repeatable = of.what.method == "POST" || of.what.method == "DELETE";
  if (repeatable && of.what.has_idempotency_key && !remember(of))
    return;
  (this->*found->serve)(of);
}

bool centre_api::remember(exchange& of) {
  if (auto before = remembered_.begin(of.what, http::remembered_answers::clock::now())) {
    of.answer_with(std::move(*before));
    return false;
  }
  of.answer_with = [this, key = of.what.idempotency_key,
                    answer_with = std::move(of.answer_with)](answer how) {
    server_->call([this, key, answer_with, how = std::move(how)]() mutable {
      if (how.status < 500)
        remembered_.finish(key, how);
      else
        remembered_.forget(key);
      answer_with(std::move(how));
    });
  };
  return true;
}

void centre_api::ask(exchange& of, std::function<answer(caf::scoped_actor&)> job) {
  const bool taken = asker_->add([answer_with = of.answer_with, job = std::move(job)](
                                   caf::scoped_actor& self) { answer_with(job(self)); });
  if (!taken)
    of.answer_with(nothing_said());
}

// -- the resources -----------------------------------------------------------------

void centre_api::healthz(exchange& of) {
  of.answer_with(draining_ ? problem(503, "no more calls are taken: it ends")
                           : json_answer("{\"status\":\"ok\"}\n"));
}

void centre_api::metrics(exchange& of) {
  const auto is = current();
  ask(of, [this, is](caf::scoped_actor& self) {
    const auto queues = centre_asker::ask<queue_state>(self, is->actors.queues, ask_queue_state{});
    if (!queues)
      return nothing_said();
    auto out = json_answer(centre_metrics(*queues, view_.count(), draining_) +
                           trunk_metrics(*is->actors.book));
    out.content_type = report::prometheus_content_type;
    return out;
  });
}

void centre_api::description(exchange& of) {
  of.answer_with(json_answer(std::string{openapi_text()}));
}

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

void centre_api::list_calls(exchange& of) {
  http::query_reader query{of.target};
  const auto limit = query.number("limit", 1, longest_page).value_or(usual_page);
  const auto after = query.number("after", 0, UINT64_MAX).value_or(0);
  if (auto fault = query.finish()) {
    of.answer_with(std::move(*fault));
    return;
  }
  const auto found = view_.calls(after, limit);
  const auto now = std::chrono::system_clock::now();
  std::vector<std::string> parts;
  for (const auto& each : found.calls)
    parts.push_back(call_json(each, now));
  of.answer_with(json_answer(
    list_json("calls", parts, found.more ? std::to_string(found.calls.back().number) : "")));
}

void centre_api::hang_up(exchange& of) {
  const auto is = current();
  const auto number = http::read_number(of.name, 1, UINT64_MAX);
  const auto gone = [] { return problem(404, "there is no such call, or no more", "id"); };
  if (!number || !view_.find(*number)) {
    of.answer_with(gone());
    return;
  }
  ask(of, [this, is, number = *number, gone](caf::scoped_actor& self) {
    // While it drains, lanes without calls have ended.
    const auto told =
      centre_asker::ask_some<call_hung_up>(self, is->actors.services, hang_up_call{number});
    if (std::ranges::any_of(told, &call_hung_up::found))
      return json_answer("{\"id\":\"" + std::to_string(number) + "\",\"state\":\"ending\"}\n", 202);
    return told.size() == is->actors.services.size() || draining_ ? gone() : nothing_said();
  });
}

namespace {

std::string supervision_json(uint64_t call, std::string_view mode) {
  return fmt::format("{{\"id\":\"{}\",\"mode\":\"{}\"}}\n", call, mode);
}

/// What the lane that has the call says, of all that were asked.
answer supervision_said(const std::vector<supervision_answer>& told, std::string done) {
  using outcome = supervision_answer::outcome;
  const auto found = std::ranges::find_if(
    told, [](const supervision_answer& each) { return each.what != outcome::no_call; });
  switch (found == told.end() ? outcome::no_call : found->what) {
  case outcome::calling:
  case outcome::ending:
    return json_answer(std::move(done), 202);
  case outcome::changed:
    return json_answer(std::move(done));
  case outcome::not_talking:
    return problem(409, "no agent has taken this call", "id");
  case outcome::nobody:
    return problem(409, "there is nobody of this name, or nobody who supervises", "supervisor");
  case outcome::no_phone:
    return problem(409, "has no phone that is registered", "supervisor");
  case outcome::taken:
    return problem(409, "another one supervises this call", "supervisor");
  case outcome::part_of_it:
    return problem(409, "is the agent of this call", "supervisor");
  case outcome::no_call:
    break;
  }
  return problem(404, "there is no such call, or no more", "id");
}

} // namespace

void centre_api::supervise(exchange& of) {
  static constexpr std::array<std::string_view, 2> known{"supervisor", "mode"};
  const auto fields = http::read_text_fields(of.what, known);
  if (!fields) {
    of.answer_with(fields.error());
    return;
  }
  const auto said = [&](const char* name) {
    const auto found = fields->find(name);
    return found == fields->end() ? std::string{} : found->second;
  };
  supervise_call wish;
  wish.supervisor = said("supervisor");
  const auto mode = said("mode");
  if (wish.supervisor.empty()) {
    of.answer_with(problem(400, "expected an agent's name", "supervisor"));
    return;
  }
  if (mode != "monitor" && mode != "whisper" && mode != "barge") {
    of.answer_with(problem(400, "expected monitor, whisper or barge", "mode"));
    return;
  }
  wish.how = mode == "whisper" ? supervision::whisper
             : mode == "barge" ? supervision::barge
                               : supervision::monitor;
  wish.call = http::read_number(of.name, 1, UINT64_MAX).value_or(0);
  ask(of, [is = current(), wish, mode](caf::scoped_actor& self) {
    const auto told = centre_asker::ask_some<supervision_answer>(self, is->actors.services, wish);
    return supervision_said(told, supervision_json(wish.call, mode));
  });
}

void centre_api::end_supervision(exchange& of) {
  const auto number = http::read_number(of.name, 1, UINT64_MAX).value_or(0);
  ask(of, [is = current(), number](caf::scoped_actor& self) {
    const auto told = centre_asker::ask_some<supervision_answer>(
      self, is->actors.services, jackfield::end_supervision{number});
    return supervision_said(told, supervision_json(number, "ending"));
  });
}

void centre_api::list_recordings(exchange& of) {
  const auto is = current();
  http::query_reader query{of.target};
  const auto limit = query.number("limit", 1, longest_page).value_or(usual_page);
  const auto after = query.text("after").value_or("");
  if (auto fault = query.finish()) {
    of.answer_with(std::move(*fault));
    return;
  }
  ask(of, [is, after, limit](caf::scoped_actor&) {
    const auto found = is->plan.recordings
                         ? recordings_in(is->plan.recordings->directory, after, limit)
                         : recordings_page{};
    std::vector<std::string> parts;
    for (const auto& each : found.files)
      parts.push_back(recording_json(each));
    return json_answer(list_json("recordings", parts, found.more ? found.files.back().id : ""));
  });
}

void centre_api::get_recording(exchange& of) {
  const auto is = current();
  ask(of, [is, id = of.name](caf::scoped_actor&) {
    auto bytes =
      is->plan.recordings ? read_recording(is->plan.recordings->directory, id) : std::nullopt;
    if (!bytes)
      return problem(404, "there is no recording of this id", "id");
    auto out = json_answer(std::move(*bytes));
    out.content_type = "audio/ogg; codecs=opus";
    return out;
  });
}

void centre_api::list_cdrs(exchange& of) {
  http::query_reader query{of.target};
  const auto limit = query.number("limit", 1, longest_page).value_or(usual_page);
  const auto after = query.number("after", 0, UINT64_MAX - 1).value_or(0);
  if (auto fault = query.finish()) {
    of.answer_with(std::move(*fault));
    return;
  }
  if (records_ == nullptr) {
    of.answer_with(problem(404, "no calls are kept: it was started without --state"));
    return;
  }
  ask(of, [this, limit, after](caf::scoped_actor&) {
    const auto found = storage::read_calls(*records_, after, limit);
    if (!found)
      return problem(500, "the state directory cannot be read: " + found.error().why.to_string());
    return json_answer(
      list_json("cdrs", found->calls, found->more ? std::to_string(found->last) : ""));
  });
}

void centre_api::events(exchange& of) {
  http::query_reader query{of.target};
  http::event_feed::wish wish;
  wish.after = query.number("after", 0, UINT64_MAX - 1);
  wish.limit = query.number("limit", 1, longest_page).value_or(usual_page);
  const auto wait = query.number("wait", 0, longest_wait).value_or(0);
  if (auto fault = query.finish()) {
    of.answer_with(std::move(*fault));
    return;
  }
  if (wait > 0)
    wish.until = http::event_feed::clock::now() + std::chrono::seconds{wait};
  feed_.read(wish, std::move(of.answer_with));
}

tl::expected<http::opened_socket, answer> centre_api::open_socket(const http::request& head) {
  const auto target = http::target::parse(head.target);
  if (!target || !leads_to(target->path, {"v1", "events"}))
    return http::opened_socket{};
  http::query_reader query{*target};
  const auto after = query.number("after", 0, UINT64_MAX - 1);
  if (auto fault = query.finish())
    return tl::unexpected{std::move(*fault)};
  http::opened_socket out;
  if (!head.subprotocols.empty()) {
    const auto chosen = find_in_list(
      head.subprotocols, [](std::string_view each) { return each == events_subprotocol; });
    if (chosen.empty())
      return tl::unexpected{problem(400, fmt::format("expected {} among them", events_subprotocol),
                                    "Sec-WebSocket-Protocol")};
    out.subprotocol = chosen;
  }
  auto source = feed_.follow(after);
  if (!source)
    return tl::unexpected{std::move(source.error())};
  out.source = std::move(*source);
  return out;
}

} // namespace jackfield::app

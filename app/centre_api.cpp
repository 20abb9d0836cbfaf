#include "app/centre_api.hpp"

#include <algorithm>
#include <unordered_set>
#include <utility>

#include <fmt/format.h>

#include "app/centre_api_answers.hpp"
#include "app/centre_metrics.hpp"
#include "app/http/token.hpp"
#include "app/openapi.hpp"
#include "engine/report/prometheus_text.hpp"

namespace jackfield::app {

using http::answer;
using http::problem;

namespace {

constexpr size_t kept_events = 10'000;
constexpr size_t kept_keys = 10'000;
constexpr std::chrono::hours keys_last{24};
constexpr uint64_t longest_wait = 30; // seconds

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
  for (const auto& each : reloads_.close())
    each(problem(503, "no more calls are taken: it ends"));
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
    {"POST", {"v1", "reload"}, false, &centre_api::reload},
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

void centre_api::reload(exchange& of) {
  if (draining_)
    of.answer_with(problem(503, "no more calls are taken: it ends"));
  else if (!reloads_.add(of.answer_with))
    of.answer_with(nothing_said());
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

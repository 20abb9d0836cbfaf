#include "app/centre_config.hpp"

#include <algorithm>
#include <cerrno>
#include <chrono>
#include <cstdio>
#include <filesystem>
#include <fstream>
#include <optional>
#include <sstream>
#include <unordered_map>
#include <utility>

#include <fmt/format.h>
#include <toml++/toml.h>

#include "app/centre_menus_config.hpp"
#include "app/centre_trunks_config.hpp"
#include "app/centre_waiting_config.hpp"
#include "app/config_reader.hpp"
#include "app/config_sound.hpp"
#include "app/option_reader.hpp"

namespace jackfield::app {

namespace {

constexpr uint16_t default_port = 5060;

/// One reading: what was found, and what was wrong with it.
class reading : private config_reader {
public:
  explicit reading(const std::string& path) : config_reader(path) {}

  tl::expected<centre_config, std::vector<error>> read(const toml::table& all);

private:
  void read_server(const table& server);
  void read_api(const table& api);
  void read_recording(const table& recording);
  void read_agents(const toml::node& agents);
  void read_agent(const table& one);
  void read_queues(const toml::node& queues);
  void read_queue(const table& one);
  /// What is played there; a tone if nothing is said.
  void read_members(const table& one, centre_plan::queue_plan& queue);
  void read_member(const toml::node& one, centre_plan::queue_plan& queue);
  void check_overflow();
  void check_access();
  void check_callers();

  [[nodiscard]] bool is_reached_by_others() const;

  centre_config made_;
  std::unordered_map<std::string, size_t> agents_;
  std::vector<std::vector<policy::skill>> skills_; // by agent
  waiting_sounds announcements_;
  std::unordered_map<std::string, std::string> of_number_; // whose it is
  std::vector<const table*> queues_;                       // as they are in `made_`
  bool has_recording_ = false;                             // says the file, if perhaps wrongly
  std::optional<bool> anyone_calls_;                       // as it says
};

// -- the parts ---------------------------------------------------------------------

void reading::read_server(const table& server) {
  allow(server, "[server]",
        {"listen", "advertise", "allow_origins", "certificate", "key", "realm", "lanes", "media_ip",
         "media_ports", "max_expires", "hold_music", "callers"});
  auto& l = made_.listening;
  for (const auto& each : texts(server, "listen")) {
    auto some = read_listener("listen", each, {transport::protocol::udp, transport::protocol::tcp},
                              default_port);
    if (!some) {
      fault(*server.get("listen"), "listen", some.error().cause);
      continue;
    }
    for (const auto& one : *some) {
      if (std::ranges::find(l.at, one.protocol, &listen_at::protocol) != l.at.end())
        fault(*server.get("listen"), "listen",
              "two listeners of " + std::string{transport::to_string(one.protocol)} +
                ", expected one a transport");
      l.at.push_back(one);
    }
  }
  parsed(server, "advertise", l.advertised, [](const std::string& s) -> result<lane::endpoint> {
    if (auto e = lane::endpoint::parse_with_port(s); e && !e->is_unspecified() && e->port() != 0)
      return e;
    return fail("advertise", "\"" + s + "\" is no address and port, expected 192.0.2.1:5060");
  });
  l.allowed_origins = texts(server, "allow_origins");
  if (const auto file = text(server, "certificate"))
    l.certificate_file = beside(*file);
  if (const auto file = text(server, "key"))
    l.key_file = beside(*file);
  if (l.certificate_file.empty() != l.key_file.empty())
    fault(server, "certificate", "and key go together, expected both or none");
  if (auto realm = text(server, "realm"))
    made_.registrations.realm = std::move(*realm);
  number(server, "max_expires", made_.registrations.max_expires, 60, 86'400);
  number(server, "lanes", made_.lanes, 1, 64);
  made_.hold_music = read_sound(*this, server, "hold_music");
  parsed(server, "media_ip", made_.media_address,
         [](const std::string& s) { return read_address("media_ip", s); });
  std::pair<uint16_t, uint16_t> ports{made_.first_media_port, made_.last_media_port};
  parsed(server, "media_ports", ports,
         [](const std::string& s) { return read_media_ports("media_ports", s); });
  std::tie(made_.first_media_port, made_.last_media_port) = ports;
  if (server.get("callers") != nullptr) {
    auto& who = anyone_calls_.emplace(false);
    choice(server, "callers", who, {{"anyone", true}, {"trunks", false}});
  }
}

void reading::read_api(const table& api) {
  allow(api, "[api]", {"listen", "token_file"});
  if (api.get("listen") == nullptr)
    fault(api, "listen", "is missing, expected listen = \"127.0.0.1:8080\"");
  parsed(api, "listen", made_.api_address, [](const std::string& s) -> result<lane::endpoint> {
    const auto address = lane::endpoint::parse_with_port(s);
    if (!address)
      return fail("listen", "\"" + s + "\" is no address and port, expected 127.0.0.1:8080");
    if (!address->is_loopback())
      return fail("listen", "\"" + s +
                              "\" is not this machine's alone: the API has no TLS, expected "
                              "127.0.0.1:8080, or a proxy before it");
    return *address;
  });
  made_.api_token_file = beside(text(api, "token_file").value_or("api-token"));
}

void reading::read_recording(const table& recording) {
  allow(recording, "[recording]", {"directory"});
  const auto name = text(recording, "directory");
  if (!name) {
    if (recording.get("directory") == nullptr)
      fault(recording, "directory", "is missing, expected directory = \"recordings\"");
    return;
  }
  auto directory = beside(*name);
  if (std::error_code failed; !std::filesystem::is_directory(directory, failed))
    fault(*recording.get("directory"), "directory",
          "\"" + directory + "\" is no directory, expected one that is there");
  else
    made_.plan.recordings =
      std::make_shared<const recording_settings>(recording_settings{std::move(directory)});
}

void reading::read_agents(const toml::node& agents) {
  each_table(agents, "agent", [this](const table& one) { read_agent(one); });
}

void reading::read_agent(const table& one) {
  allow(one, "[[agent]]",
        {"name", "password", "ready", "wrap_up", "after_rejected", "after_busy", "after_no_answer",
         "after_unreachable", "most_unanswered", "skills"});
  const auto name = text(one, "name");
  if (!name) {
    if (one.get("name") == nullptr)
      fault(one, "name", "is missing, expected name = \"...\"");
    return;
  }
  if (!agents_.emplace(*name, made_.plan.agents.size()).second) {
    fault(*one.get("name"), "name", "\"" + *name + "\" is an agent already");
    return;
  }
  centre_plan::agent_plan agent;
  agent.name = *name;
  auto& rules = agent.rules;
  time(one, "wrap_up", rules.wrap_up);
  time(one, "after_rejected", rules.after_rejected);
  time(one, "after_busy", rules.after_busy);
  time(one, "after_no_answer", rules.after_no_answer);
  time(one, "after_unreachable", rules.after_unreachable);
  number(one, "most_unanswered", rules.most_unanswered, 0, 1000);
  flag(one, "ready", agent.ready_at_once);
  if (auto sound = rules.check(*name); !sound)
    fault(one, "agent", sound.error().to_string());
  skills_.push_back(read_skills(*this, one));
  if (const auto password = text(one, "password"))
    made_.registrations.add_user(*name, *password);
  made_.plan.agents.push_back(std::move(agent));
}

void reading::read_queues(const toml::node& queues) {
  each_table(queues, "queue", [this](const table& one) { read_queue(one); });
}

void reading::read_queue(const table& one) {
  using namespace std::string_view_literals;
  allow(one, "[[queue]]",
        {"name",         "numbers",           "strategy",       "members",        "music",
         "ring",         "wrap_up",           "max_wait",       "most_waiting",   "join_needs",
         "stay_needs",   "without_agents",    "overflow",       "priority_worth", "service_level",
         "record",       "announce",          "announce_first", "announce_every", "resume_place",
         "callback_key", "callback_attempts", "callback_retry", "callback_ring",  "needs"});
  const auto name = text(one, "name");
  if (!name) {
    if (one.get("name") == nullptr)
      fault(one, "name", "is missing, expected name = \"...\"");
    return;
  }
  if (std::ranges::find(made_.plan.queues, *name, &centre_plan::queue_plan::name) !=
      made_.plan.queues.end()) {
    fault(*one.get("name"), "name", "\"" + *name + "\" is a queue already");
    return;
  }
  centre_plan::queue_plan queue;
  queue.name = *name;
  queue.numbers = texts(one, "numbers");
  if (queue.numbers.empty() && one.get("numbers") == nullptr)
    queue.numbers.push_back(*name);
  for (const auto& number : queue.numbers)
    if (const auto [other, added] = of_number_.emplace(number, "queue \"" + *name + "\""); !added)
      fault(*one.get("numbers"), "numbers",
            "\"" + number + "\" is a number of " + other->second + " already");
  auto& rules = queue.rules;
  using policy::attendance;
  using policy::strategy;
  choice(one, "strategy", rules.picks,
         {{"longest-idle"sv, strategy::longest_idle},
          {"ring-all"sv, strategy::ring_all},
          {"round-robin"sv, strategy::round_robin},
          {"top-down"sv, strategy::top_down},
          {"least-talk-time"sv, strategy::least_talk_time},
          {"fewest-calls"sv, strategy::fewest_calls},
          {"random"sv, strategy::random}});
  const auto needs = {std::pair{"none"sv, attendance::none},
                      std::pair{"logged-in"sv, attendance::logged_in},
                      std::pair{"working"sv, attendance::working}};
  choice(one, "join_needs", rules.join_needs, needs);
  choice(one, "stay_needs", rules.stay_needs, needs);
  time(one, "without_agents", rules.without_agents);
  time(one, "ring", rules.ring_time);
  time(one, "max_wait", rules.max_wait);
  time(one, "priority_worth", rules.priority_worth);
  time(one, "service_level", rules.service_level_within);
  number(one, "most_waiting", rules.most_waiting, 0, 1'000'000);
  flag(one, "record", queue.record);
  if (queue.record && !has_recording_)
    fault(*one.get("record"), "record", "needs a place, expected [recording] with a directory");
  if (one.get("wrap_up") != nullptr) {
    std::chrono::nanoseconds wrap_up{};
    time(one, "wrap_up", wrap_up);
    rules.wrap_up = wrap_up;
  }
  if (const auto other = text(one, "overflow"))
    rules.overflow_to = {*other, *other, *other, *other};
  read_waiting(*this, one, announcements_, queue);
  if (auto sound = rules.check(*name); !sound)
    fault(one, "queue", sound.error().to_string());
  queue.music = read_sound(*this, one, "music");
  read_members(one, queue);
  made_.plan.queues.push_back(std::move(queue));
  queues_.push_back(&one);
}

void reading::read_members(const table& one, centre_plan::queue_plan& queue) {
  const auto* const members = one.get("members");
  if (members == nullptr) {
    fault(one, "members", "is missing, expected a list of agents, or \"all\"");
    return;
  }
  if (const auto* const word = members->as_string(); word != nullptr && word->get() == "all") {
    for (size_t i = 0; i < made_.plan.agents.size(); ++i)
      queue.members.push_back({i, {0, static_cast<uint32_t>(i), skills_[i]}, 0});
    return;
  }
  const auto* const array = members->as_array();
  if (array == nullptr) {
    fault(*members, "members",
          "is no list, expected [\"alice\", {agent = \"bob\", tier = 1}], or \"all\"");
    return;
  }
  for (const auto& each : *array)
    read_member(each, queue);
}

void reading::read_member(const toml::node& one, centre_plan::queue_plan& queue) {
  centre_plan::member member;
  member.part.position = static_cast<uint32_t>(queue.members.size());
  std::optional<std::string> name;
  if (const auto* const word = one.as_string()) {
    name = word->get();
  } else if (const auto* const part = one.as_table()) {
    allow(*part, "members", {"agent", "tier", "position", "priority"});
    name = text(*part, "agent");
    number(*part, "tier", member.part.tier, 0, 1000);
    number(*part, "position", member.part.position, 0, 1'000'000);
    number(*part, "priority", member.priority, -1000, 1000);
  }
  if (!name) {
    fault(one, "members", "expected the name of an agent, or {agent = \"...\", tier = 1}");
    return;
  }
  const auto known = agents_.find(*name);
  if (known == agents_.end()) {
    fault(one, "members", "\"" + *name + "\" is no agent, expected the name of an [[agent]]");
    return;
  }
  member.agent = known->second;
  member.part.skills = skills_[member.agent];
  if (std::ranges::find(queue.members, member.agent, &centre_plan::member::agent) !=
      queue.members.end())
    fault(one, "members", "\"" + *name + "\" is a member already");
  else
    queue.members.push_back(std::move(member));
}

void reading::check_overflow() {
  const auto& queues = made_.plan.queues;
  for (size_t i = 0; i < queues.size(); ++i) {
    const auto& to = queues[i].rules.overflow_to.max_wait;
    if (to.empty())
      continue;
    if (to == queues[i].name)
      fault(*queues_[i]->get("overflow"), "overflow", "leads to the queue itself");
    else if (std::ranges::find(queues, to, &centre_plan::queue_plan::name) == queues.end())
      fault(*queues_[i]->get("overflow"), "overflow",
            "\"" + to + "\" is no queue, expected the name of a [[queue]]");
  }
}

bool reading::is_reached_by_others() const {
  return std::ranges::any_of(made_.listening.at,
                             [](const listen_at& one) { return !one.address.is_loopback(); });
}

// Who is on this machine alone may call; of others that is to be said, as it is everybody or
// nobody.
void reading::check_callers() {
  const bool open = is_reached_by_others();
  if (open && !anyone_calls_ && !made_.plan.queues.empty())
    faults_.push_back({path_ + ": callers",
                       "is missing in [server] where others than this machine reach a listener, "
                       "expected callers = \"anyone\" or \"trunks\": who may call the queues"});
  made_.plan.anyone_calls = anyone_calls_.value_or(!open);
}

// Without passwords whoever reaches a listener is an agent: that is for this machine alone.
void reading::check_access() {
  const auto& users = made_.registrations.users;
  const bool open = is_reached_by_others();
  if (users.empty() && !made_.plan.routes.empty())
    faults_.push_back(
      {path_ + ": [[route]]", "leads agents outside, expected a password for each"});
  for (const auto& each : made_.plan.agents)
    if (!users.contains(each.name) && (open || !users.empty())) {
      faults_.push_back({path_ + ": agent \"" + each.name + "\"",
                         open ? "has no password, expected one where others than this machine "
                                "reach a listener"
                              : "has no password, expected one for each agent or for none"});
      return;
    }
}

tl::expected<centre_config, std::vector<error>> reading::read(const table& all) {
  allow(
    all, "the file",
    {"server", "api", "recording", "announcements", "agent", "queue", "menu", "trunk", "route"});
  if (const auto* const server = all.get("server"); server == nullptr)
    faults_.push_back(
      {path_, "has no [server], expected one with listen = [\"udp:127.0.0.1:5060\"]"});
  else if (const auto* const part = server->as_table())
    read_server(*part);
  else
    fault(*server, "server", "is no table, expected [server]");
  if (made_.listening.at.empty() && faults_.empty())
    fault(*all.get("server"), "listen", "is missing, expected listen = [\"udp:127.0.0.1:5060\"]");
  if (const auto* const api = all.get("api"); api != nullptr && api->is_table())
    read_api(*api->as_table());
  else if (api != nullptr)
    fault(*api, "api", "is no table, expected [api]");
  if (const auto* const place = all.get("recording"); place != nullptr && place->is_table()) {
    has_recording_ = true;
    read_recording(*place->as_table());
  } else if (place != nullptr) {
    fault(*place, "recording", "is no table, expected [recording]");
  }
  announcements_ = read_announcements(*this, all);
  if (const auto* const agents = all.get("agent"))
    read_agents(*agents);
  if (const auto* const queues = all.get("queue"))
    read_queues(*queues);
  read_menus(*this, all, made_.plan, of_number_);
  read_trunks(*this, all, made_.plan);
  check_overflow();
  check_access();
  check_callers();
  if (faults_.empty())
    return std::move(made_);
  return tl::unexpected{std::move(faults_)};
}

} // namespace

tl::expected<centre_config, std::vector<error>> parse_centre_config(std::string_view text,
                                                                    const std::string& path) {
  try {
    const auto parsed = toml::parse(text);
    return reading{path}.read(parsed);
  } catch (const toml::parse_error& wrong) {
    return tl::unexpected{std::vector{error{path + ":" + std::to_string(wrong.source().begin.line),
                                            std::string{wrong.description()}}}};
  }
}

tl::expected<centre_config, std::vector<error>> read_centre_config(const std::string& path) {
  std::ifstream file{path, std::ios::binary};
  std::ostringstream text;
  errno = 0;
  if (!file || !(text << file.rdbuf()))
    return tl::unexpected{
      std::vector{fail_errno(path, "cannot be read", errno != 0 ? errno : EISDIR).value()}};
  return parse_centre_config(text.str(), path);
}

} // namespace jackfield::app

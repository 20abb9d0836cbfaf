#include "app/serving/embedded_centre.hpp"

#include <algorithm>
#include <array>
#include <cctype>
#include <chrono>
#include <span>
#include <unordered_set>
#include <utility>

#include <fmt/format.h>

#include "app/serving/centre_engine.hpp"
#include "app/serving/listeners.hpp"
#include "engine/simulation/centre_day.hpp"

namespace jackfield::app {

namespace {

constexpr size_t password_bytes = 16;

std::string drawn_password(lane::lane& home) {
  std::array<uint8_t, password_bytes> bytes{};
  home.random_bytes(std::as_writable_bytes(std::span{bytes}));
  return fmt::format("{:02x}", fmt::join(bytes, ""));
}

/// "127.0.0.1:40123;transport=udp", as in a URI.
std::string address_in_uri(const opened_listener& at) {
  std::string protocol{transport::to_string(at.protocol)};
  std::ranges::transform(protocol, protocol.begin(),
                         [](char c) { return static_cast<char>(std::tolower(c)); });
  return fmt::format("{};transport={}", at.address.to_string(), protocol);
}

result<void> check(const simulation::centre_plan& plan) {
  if (auto sound = plan.check(); !sound)
    return sound;
  std::unordered_set<std::string_view> names;
  for (const auto& each : plan.queues) {
    if (!names.insert(each.name).second)
      return fail(each.name, "is the name of two queues, expected one of that name");
    if (each.wrap_up.is() != simulation::distribution::kind::constant)
      return fail(each.name, "has a wrap-up that is drawn, expected a constant one");
    if (each.priority != 0)
      return fail(each.name, fmt::format("has callers of priority {}, expected 0", each.priority));
  }
  return {};
}

/// As `serve` takes it. Users are named by their place: a name of the plan may be any text.
centre_plan served(const simulation::centre_plan& plan,
                   const std::shared_ptr<const audio_settings>& music) {
  centre_plan made;
  for (size_t i = 0; i < plan.queues.size(); ++i) {
    auto& queue = made.queues.emplace_back();
    queue.name = plan.queues[i].name;
    queue.numbers.push_back(fmt::format("queue-{}", i + 1));
    queue.rules = simulation::desk_rules_of(plan.queues[i]);
    queue.music = music;
  }
  for (size_t i = 0; i < plan.agents.size(); ++i) {
    const auto& each = plan.agents[i];
    made.agents.push_back({.name = fmt::format("agent-{}", i + 1), .rules = each.rules});
    for (const auto& part : each.queues)
      made.queues[part.queue].members.push_back({i, part.as, part.priority});
  }
  return made;
}

} // namespace

embedded_centre::embedded_centre(std::unique_ptr<node> engine)
    : engine_(std::move(engine)), self_(std::in_place, engine_->system()),
      centre_(*engine_, *self_) {}

embedded_centre::~embedded_centre() = default;

result<std::unique_ptr<embedded_centre>> embedded_centre::start(const simulation::centre_plan& plan,
                                                                const settings& how) {
  if (auto sound = check(plan); !sound)
    return tl::unexpected{std::move(sound.error())};
  const auto here = lane::endpoint::loopback_v4(0);
  centre_site site;
  site.lanes = how.lanes;
  site.user_agent = how.user_agent;
  site.media_address = here;
  auto engine = node::make(node_settings_of(site));
  if (!engine)
    return tl::unexpected{std::move(engine.error())};
  auto& home = (*engine)->context(0).home;
  std::unique_ptr<embedded_centre> made{new embedded_centre{std::move(*engine)}};

  listening where;
  where.at.push_back({how.callers, here});
  if (how.agents != how.callers)
    where.at.push_back({how.agents, here});
  auto opened = open_listeners(where, true, *made->engine_);
  if (!opened)
    return tl::unexpected{std::move(opened.error())};
  for (const auto& each : *opened)
    made->trusted_pem_ += each.made_certificate_pem;
  made->registrar_ = fmt::format("sip:{}", address_in_uri(opened->back()));

  // What callers hear is what `serve` plays where nothing is said of it.
  const auto centre = served(plan, std::make_shared<const audio_settings>());
  for (const auto& each : centre.queues)
    made->numbers_.push_back(
      fmt::format("sip:{}@{}", each.numbers.front(), address_in_uri(opened->front())));
  registrar_settings registrations;
  std::string users = "user,password\n";
  for (const auto& each : centre.agents) {
    const auto password = drawn_password(home);
    registrations.add_user(each.name, password);
    users += fmt::format("{},{}\n", each.name, password);
  }
  if (!centre.agents.empty())
    made->agents_ = *scenario::user_table::parse("agents", users);

  const auto music = centre.queues.front().music;
  made->centre_.begin(centre, bridge_manner_at(here, music), registrations, nullptr);
  made->engine_->start();
  return made;
}

void embedded_centre::take_notice(bool waits) {
  const auto stopped = [this](const centre_stopped& last) { centre_.on_stopped(last); };
  const auto down = [this](const caf::down_msg& part) { centre_.on_down(part); };
  if (waits)
    (*self_)->receive(stopped, down);
  for (bool more = true; more;)
    (*self_)->receive(
      stopped, down, caf::after(std::chrono::milliseconds::zero()) >> [&] { more = false; });
}

std::optional<std::string> embedded_centre::fault() {
  if (engine_)
    take_notice(false);
  return centre_.lost();
}

result<embedded_centre::counts> embedded_centre::stop() {
  centre_.drain();
  centre_.hang_up();
  while (!centre_.over())
    take_notice(true);
  counts made;
  made.queues = centre_.ask_queues();
  take_notice(false);
  centre_.let_go();
  self_.reset();
  engine_ = nullptr;
  if (centre_.lost())
    return fail("the contact centre", *centre_.lost());
  made.calls = centre_.calls();
  made.refused = centre_.refused();
  return made;
}

} // namespace jackfield::app

#include "tests/actors/centre_story.hpp"

#include <algorithm>
#include <iterator>
#include <set>
#include <utility>

#include <caf/actor_cast.hpp>
#include <caf/behavior.hpp>
#include <caf/send.hpp>
#include <fmt/format.h>
#include <gtest/gtest.h>

#include "actors/media/media_codecs.hpp"
#include "actors/media/media_protection.hpp"

namespace jackfield {

using namespace std::chrono_literals;
using kind = centre_event::kind;

namespace {

/// To the asker: ask these.
struct ask_queues {
  std::vector<caf::actor> whom;
};
struct ask_one_agent {
  caf::actor whom;
};

sdp::media_capabilities all_codecs() {
  sdp::media_capabilities can;
  can.rtcp_mux = true;
  static constexpr std::array codecs{audio::codec::opus, audio::codec::pcma, audio::codec::pcmu};
  describe_codecs(can, codecs);
  accept_any_protection(can);
  return can;
}

/// As `serve` has it: pages are asked every half minute whether they are there.
router_settings of_centre() {
  router_settings made;
  made.transport.keep_alive.websocket = 30s;
  return made;
}

} // namespace

} // namespace jackfield

CAF_ALLOW_UNSAFE_MESSAGE_TYPE(jackfield::ask_queues)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(jackfield::ask_one_agent)

namespace jackfield {

class centre_story::asker final : public lane::lane_actor {
public:
  asker(caf::actor_config& config, lane::lane& home, centre_story& story)
      : lane::lane_actor(config, home), story_(story) {}

  caf::behavior make_behavior() override {
    return {
      [this](const ask_queues& all) {
        for (const auto& each : all.whom)
          request(each, caf::infinite, ask_queue_state{})
            .then([this](const queue_state& told) { story_.queues_told_.push_back(told); },
                  [](const caf::error&) {}); // it is gone
      },
      [this](const ask_one_agent& one) {
        request(one.whom, caf::infinite, ask_agent_state{})
          .then([this](const agent_state_told& told) { story_.agent_told_ = told; },
                [](const caf::error&) {});
      },
    };
  }

private:
  centre_story& story_;
};

/// Stands before a queue: what calls say to it goes on to it, as theirs.
class centre_story::doorman final : public lane::lane_actor {
public:
  doorman(caf::actor_config& config, lane::lane& home, centre_story& story, caf::actor queue)
      : lane::lane_actor(config, home), story_(story), queue_(std::move(queue)) {}

  caf::behavior make_behavior() override {
    // As if it was the queue.
    monitor(queue_);
    set_down_handler([this](const caf::down_msg&) { quit(); });
    return {
      [this](enter_queue& call) {
        story_.seen_.push_back(current_sender());
        return delegate(queue_, std::move(call));
      },
      [this](leave_queue call) { return delegate(queue_, call); },
      [this](call_taken& call) { return delegate(queue_, std::move(call)); },
    };
  }

private:
  centre_story& story_;
  caf::actor queue_;
};

centre_story::centre_story(uint64_t seed, const lane::sim_link& link)
    : world_(seed, link), callers_(world_.add_site("10.0.0.1")),
      centre_(world_.add_site("10.0.0.2", transport::protocol::udp, of_centre())),
      asker_(world_.lane().spawn<asker>(*this)) {
  world_.let_stay(1);
  EXPECT_TRUE(centre_.context.router.transport().listen(transport::protocol::ws, centre_.address));
}

centre_story::~centre_story() {
  for (auto& each : phones_)
    each.site->context.router.set_tap(nullptr);
}

std::shared_ptr<bridge_manner> centre_story::manner() const {
  auto listens = std::make_shared<audio_settings>();
  listens->mode = audio_mode::listen;
  listens->silence_limit = 30s;
  auto made = std::make_shared<bridge_manner>();
  made->media =
    std::make_shared<sdp::offer_template>(centre_.context.media.address().address(), all_codecs());
  made->audio = std::move(listens);
  return made;
}

size_t centre_story::add_queue(const std::string& name, const queue_manner& how) {
  policy::queue_rules rules;
  rules.picks = how.picks;
  rules.ring_time = how.ring_time;
  rules.max_wait = how.max_wait;
  auto music = std::make_shared<audio_settings>();
  music->source = audio::source_spec{};
  plan_.queues.push_back({name, {name}, rules, std::move(music), {}});
  return plan_.queues.size() - 1;
}

size_t centre_story::add_agent(const std::string& name, const std::vector<size_t>& queues,
                               const std::vector<phone_manner>& phones,
                               const policy::agent_rules& rules) {
  const auto place = plan_.agents.size();
  plan_.agents.push_back({name, rules, true});
  for (const auto queue : queues)
    plan_.queues[queue].members.push_back({place, {0, static_cast<uint32_t>(place), {}}, 0});
  for (const auto& each : phones)
    planned_.emplace_back(name, each);
  return place;
}

void centre_story::begin() {
  world_.serve(centre_, plan_, manner());
  running_ = plan_;
  for (const auto& [agent, how] : planned_)
    add_phone(agent, how);
  pass(10s); // a REGISTER may be lost, and is said again
  ASSERT_GE(world_.heard().registrations.size(), phones_.size());
}

void centre_story::reload() {
  running_ = world_.change(centre_, running_, plan_);
}

size_t centre_story::add_phone(const std::string& agent, const phone_manner& how) {
  const auto number = phones_.size();
  auto& site =
    world_.add_site(fmt::format("10.0.{}.{}", 1 + number / 200, 1 + number % 200), how.over);
  auto answers = answer_manner_of(site);
  auto can = all_codecs();
  const bool audio = how.audio || transport::is_websocket(how.over); // a page has no call without
  can.wanted = audio ? sdp::direction::sendrecv : sdp::direction::inactive;
  answers.media =
    std::make_shared<sdp::offer_template>(site.context.media.address().address(), can);
  if (audio)
    answers.audio = std::make_shared<audio_settings>();
  answers.answer_after = how.answer_after;
  answers.refuse_with = how.refuse_with;
  answers.length = how.length;
  world_.answer(site, answers);
  auto& made = phones_.emplace_back();
  made.site = &site;
  made.source = static_cast<unsigned>(number) + 1;
  site.context.router.set_tap(&made.tap);
  made.user = world_.register_phone(site, centre_, agent);
  return number;
}

caf::strong_actor_ptr centre_story::call(lane::duration length, const std::string& whom,
                                         const std::string& from) {
  auto how = manner_between(callers_, centre_.target());
  if (callers_speak_)
    add_audio(how, callers_);
  if (callers_listen_) {
    auto listens = std::make_shared<audio_settings>(*how.audio);
    listens->listens = true;
    how.audio = std::move(listens);
  }
  auto target = std::make_shared<call_target>();
  target->uri = "sip:" + whom + "@10.0.0.2";
  target->from = "<sip:" + from + "@10.0.0.1>";
  ++placed_;
  return world_.call(callers_, std::make_shared<const call_manner>(how), target, length);
}

void centre_story::close_page(size_t number) {
  auto& one = phones_.at(number);
  one.site->context.router.transport().close(one.tap.way);
  pass(3s); // its goodbye may be lost, and is said again
  lose_phone(number);
}

void centre_story::lose_phone(size_t number) {
  auto& one = phones_.at(number);
  world_.kill(*one.site);
  caf::anon_send_exit(std::exchange(one.user, nullptr), caf::exit_reason::kill);
  one.site->context.router.legs().end_all();
  world_.lane().run_until(world_.lane().now());
  world_.kill(*one.site); // what its legs said on the way down
}

void centre_story::cut(size_t number, bool off) {
  auto& there = phones_.at(number).site->context;
  world_.lane().set_partition(phones_.at(number).site->address, centre_.address, off);
  world_.lane().set_partition(there.media.address(), centre_.context.media.address(), off);
}

uint64_t centre_story::rung(size_t number) {
  world_.ask_for_metrics();
  return world_.metrics_of(phones_.at(number).source).calls.started;
}

uint64_t centre_story::up(size_t number) {
  world_.ask_for_metrics();
  return world_.metrics_of(phones_.at(number).source).calls.current;
}

void centre_story::wish(size_t agent, agent_wish::kind what, const std::string& reason) {
  lane::tell(world_.lane(),
             caf::actor_cast<caf::strong_actor_ptr>(world_.centre().agents.at(agent)),
             agent_wish{what, reason});
}

void centre_story::kill(const caf::actor& part) {
  caf::anon_send_exit(part, caf::exit_reason::kill);
  world_.lane().run_until(world_.lane().now());
}

void centre_story::watch_calls() {
  auto roster = std::make_shared<centre_roster>();
  const auto& all = world_.centre();
  for (size_t i = 0; i < plan_.agents.size(); ++i)
    roster->agents.emplace(plan_.agents[i].name,
                           caf::actor_cast<caf::strong_actor_ptr>(all.agents[i]));
  for (size_t i = 0; i < plan_.queues.size(); ++i) {
    const auto& each = plan_.queues[i];
    doormen_.push_back(world_.lane().spawn<doorman>(*this, all.queues[i]));
    roster->numbers.emplace(
      each.name,
      centre_roster::line{
        {{each.name, caf::actor_cast<caf::strong_actor_ptr>(doormen_.back()), 0}, each.music}, {}});
  }
  lane::tell(world_.lane(), caf::actor_cast<caf::strong_actor_ptr>(all.services.front()),
             centre_changed{std::move(roster), std::make_shared<registrar_settings>()});
  world_.lane().run_until(world_.lane().now());
}

std::vector<centre_event> centre_story::events(kind what) const {
  std::vector<centre_event> some;
  std::ranges::copy_if(world_.events(), std::back_inserter(some),
                       [&](const centre_event& e) { return e.what == what; });
  return some;
}

std::string centre_story::state_of(size_t agent) const {
  std::string last;
  for (const auto& e : world_.events())
    if (e.what == kind::agent_state && e.agent == plan_.agents.at(agent).name)
      last = e.detail;
  return last;
}

std::vector<queue_state> centre_story::queues() {
  queues_told_.clear();
  lane::tell(world_.lane(), caf::actor_cast<caf::strong_actor_ptr>(asker_),
             ask_queues{world_.centre().queues});
  world_.lane().run_until(world_.lane().now());
  return std::exchange(queues_told_, {});
}

agent_state_told centre_story::ask(size_t agent) {
  agent_told_ = {};
  lane::tell(world_.lane(), caf::actor_cast<caf::strong_actor_ptr>(asker_),
             ask_one_agent{world_.centre().agents.at(agent)});
  world_.lane().run_until(world_.lane().now());
  return agent_told_;
}

// -- what must be true -------------------------------------------------------------

namespace {

/// A call, as events tell of it.
struct followed_call {
  bool waits = false;
  std::set<std::string> ringing;
  std::string taken_by;
  bool over = false;
};

void follow(const centre_event& e, followed_call& call, const std::string& what) {
  EXPECT_FALSE(call.over) << what << " of a call that is over";
  switch (e.what) {
  case kind::entered:
    EXPECT_FALSE(call.waits) << what << " twice";
    EXPECT_TRUE(call.taken_by.empty()) << what << " though it is an agent's";
    call.waits = true;
    call.ringing.clear();
    break;
  case kind::offered:
    EXPECT_TRUE(call.waits) << what << " though it does not wait";
    EXPECT_TRUE(call.ringing.insert(e.agent).second) << what << " twice at once";
    break;
  case kind::not_taken:
    call.ringing.erase(e.agent);
    break;
  case kind::connected:
    EXPECT_TRUE(call.waits) << what << " though it does not wait";
    EXPECT_TRUE(call.ringing.contains(e.agent)) << what << " whom it was not offered";
    EXPECT_TRUE(call.taken_by.empty()) << what << " and is " << call.taken_by << "'s, too";
    call.taken_by = e.agent;
    call.waits = false;
    break;
  case kind::abandoned:
  case kind::overflowed:
    EXPECT_TRUE(call.waits) << what << " though it does not wait";
    call.waits = false;
    break;
  case kind::completed:
    EXPECT_EQ(call.taken_by, e.agent) << what;
    call.over = true;
    break;
  case kind::refused:
    EXPECT_FALSE(call.waits) << what << " though it waits";
    break;
  default:
    break;
  }
}

} // namespace

void centre_story::expect_sound() {
  EXPECT_EQ(world_.heard().calls.size(), placed_) << "a caller is left";
  std::map<uint64_t, followed_call> calls;
  std::map<std::string, std::string> states;
  struct counted {
    uint64_t entered = 0;
    uint64_t connected = 0;
    uint64_t abandoned = 0;
    uint64_t overflowed = 0;
  };
  std::map<std::string, counted> of_queue;
  for (const auto& e : world_.events()) {
    if (e.what == kind::agent_state) {
      auto& state = states.try_emplace(e.agent, "logged_out").first->second;
      EXPECT_EQ(std::exchange(state, e.detail), e.from) << e.agent;
      if (e.detail == "in_call") {
        EXPECT_EQ(e.from, "answered") << e.agent;
      }
      continue;
    }
    follow(e, calls[e.call],
           fmt::format("{} {} by {} in {}", to_string(e.what), e.call_id, e.agent, e.queue));
    auto& c = of_queue[e.queue];
    c.entered += e.what == kind::entered ? 1 : 0;
    c.connected += e.what == kind::connected ? 1 : 0;
    c.abandoned += e.what == kind::abandoned ? 1 : 0;
    c.overflowed += e.what == kind::overflowed ? 1 : 0;
  }
  for (const auto& [number, call] : calls) {
    EXPECT_FALSE(call.waits) << "call " << number << " waits still";
    EXPECT_TRUE(call.over || call.taken_by.empty()) << "call " << number << " has no end";
  }
  for (const auto& each : queues()) {
    const auto& f = each.figures;
    EXPECT_EQ(each.waiting, 0U) << each.name;
    EXPECT_EQ(f.offered, f.answered + f.abandoned + f.overflowed + f.withdrawn) << each.name;
    const auto& c = of_queue[each.name];
    EXPECT_EQ(f.offered, c.entered) << each.name;
    EXPECT_EQ(f.answered, c.connected) << each.name;
    EXPECT_EQ(f.abandoned + f.withdrawn, c.abandoned) << each.name;
    EXPECT_EQ(f.overflowed, c.overflowed) << each.name;
  }
}

void centre_story::expect_all_serve(const std::vector<size_t>& agents, const std::string& queue) {
  const auto before = events(kind::connected).size();
  for (size_t i = 0; i < agents.size(); ++i)
    call(60s, queue);
  pass(40s);
  std::multiset<std::string> took;
  const auto connected = events(kind::connected);
  for (size_t i = before; i < connected.size(); ++i)
    took.insert(connected[i].agent);
  for (const auto agent : agents)
    EXPECT_EQ(took.count(plan_.agents.at(agent).name), 1U)
      << plan_.agents.at(agent).name << " is " << state_of(agent);
  pass(3min); // a BYE may be lost, and is said again
}

void centre_story::expect_no_leg() {
  EXPECT_EQ(centre_.context.router.legs().size(), 0U);
}

} // namespace jackfield

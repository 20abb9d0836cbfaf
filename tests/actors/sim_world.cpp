#include "tests/actors/sim_world.hpp"

#include <algorithm>
#include <iterator>
#include <stdexcept>
#include <utility>
#include <vector>

#include <caf/actor_system_config.hpp>
#include <caf/behavior.hpp>
#include <gtest/gtest.h>

#include "actors/call/call_resumption.hpp"
#include "actors/media/webrtc_services.hpp"
#include "engine/lane/pool_scheduler.hpp"

namespace jackfield {

namespace {

/// To the world's own actor: ask these for their metrics; a request needs a sender.
struct ask_these {
  std::vector<caf::actor> whom;
};
/// To the world's own actor: stop these.
struct stop_these {
  std::vector<caf::actor> whom;
  bool hang_up = true;
};

caf::actor_system_config& configured(caf::actor_system_config& config) {
  config.load<lane::pool_scheduler>();
  config.set("scheduler.max-threads", size_t{1});
  return config;
}

/// The system that all worlds share: no actor of theirs runs on its threads. It ends before main
/// does, since CAF's own thread-local objects do not outlive that.
class shared_system final : public testing::Environment {
public:
  static caf::actor_system& get() {
    if (!instance())
      instance() = std::make_unique<parts>();
    return instance()->system;
  }
  void TearDown() override { instance().reset(); }

private:
  struct parts {
    caf::actor_system_config config;
    caf::actor_system system{configured(config)};
  };
  static std::unique_ptr<parts>& instance() {
    static std::unique_ptr<parts> it;
    return it;
  }
};

const testing::Environment* const environment =
  testing::AddGlobalTestEnvironment(std::make_unique<shared_system>().release());

} // namespace

} // namespace jackfield

CAF_ALLOW_UNSAFE_MESSAGE_TYPE(jackfield::ask_these)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(jackfield::stop_these)

namespace jackfield {

// -- site ----------------------------------------------------------------------

namespace {

/// One certificate for all: to make one takes longer than a call.
std::shared_ptr<webrtc_services> simulated_webrtc() {
  static const auto services = webrtc_services::make_simulated();
  return services.value();
}

} // namespace

sim_site::sim_site(lane::sim_lane& home, const lane::endpoint& signalling,
                   const lane::endpoint& media, transport::protocol p,
                   const router_settings& settings, std::shared_ptr<webrtc_services> webrtc)
    : address(signalling), protocol(p),
      context(home, settings,
              {media, 10'000, 65'535, webrtc ? std::move(webrtc) : simulated_webrtc()}) {
  auto own = std::make_shared<transport::open_settings>();
  if (transport::is_reliable(p))
    own->local = signalling.with_port(0);
  connections = std::move(own);
  const auto bound = context.router.transport().listen(p, address);
  EXPECT_TRUE(bound) << (bound ? "" : bound.error().to_string());
  context.router.set_public_address(p, address);
}

// -- the world's own actor -----------------------------------------------------

class sim_world::owner final : public lane::lane_actor {
public:
  owner(caf::actor_config& config, lane::lane& home, told& t)
      : lane::lane_actor(config, home), told_(t) {}

  caf::behavior make_behavior() override {
    return {
      [this](const call_answered& a) { told_.answered.push_back(a.number); },
      [this](const call_finished& f) { told_.calls.push_back(f); },
      [this](const registration_report& r) { told_.registrations.push_back(r); },
      [this](const users_standing& s) { told_.standing = s; },
      [this](const user_failed& f) { told_.refused.push_back(f); },
      [this](const user_rung& r) { told_.rung.push_back(r); },
      [this](const user_talks& t) { told_.talking.push_back(t); },
      [this](const user_free& f) { told_.free.push_back(f); },
      [this](const request_finished& p) { told_.probes.push_back(p); },
      [](const run_progress&) {},
      [this](const run_finished& f) { told_.finished = f; },
      [this](const calls_recovered& r) { told_.recovered = r.counts; },
      [this](const registrations_recovered& r) { told_.unbound = r.counts; },
      [this](const calls_resumed& r) { told_.resumed = r; },
      [this](const call_lines_batch& b) { told_.lines += b.lines; },
      [this](const metrics_snapshot& s) { told_.snapshots[s.source] = s.metrics; },
      [this](const service_stopped& s) {
        told_.stopped.push_back(s.source);
        told_.snapshots[s.source] = s.metrics;
      },
      [this](const ask_these& a) {
        for (const auto& one : a.whom)
          send(one, metrics_request{});
      },
      [this](const stop_these& s) {
        for (const auto& one : s.whom) {
          if (s.hang_up)
            send(one, service_stop{});
          else
            send(one, service_drain{});
        }
      },
    };
  }

private:
  told& told_;
};

struct sim_world::alarm {
  explicit alarm(std::function<void()> f)
      : action(std::move(f)),
        timer(
          [](void* self) {
            // What it holds may be an actor's last reference.
            const auto act = std::exchange(static_cast<alarm*>(self)->action, nullptr);
            act();
          },
          this) {}

  std::function<void()> action;
  lane::timer timer;
};

// -- world -----------------------------------------------------------------------

sim_world::sim_world(uint64_t seed, const lane::sim_link& link)
    : lane_(shared_system::get(), seed) {
  lane_.set_link(link);
  owner_ = lane_.spawn<owner>(told_);
}

sim_world::~sim_world() {
  // As a node that goes: what still lives holds one another.
  for (const auto* all : {&services_, &keepers_, &recoveries_})
    for (const auto& one : *all)
      caf::anon_send_exit(one.actor, caf::exit_reason::kill);
  for (const auto& one : {load_, generator_})
    if (one)
      caf::anon_send_exit(one, caf::exit_reason::kill);
  for (auto& site : sites_)
    site.context.router.legs().end_all();
  services_.clear();
  recoveries_.clear();
  load_ = generator_ = owner_ = nullptr;
  lane_.run_down();
  keepers_.clear(); // legs hand them their records as they end
  lane_.run_down();
}

lane::endpoint sim_world::media_address(std::string_view address) {
  std::string text{address};
  if (const auto gap = text.find("::"); gap != std::string::npos)
    text.replace(gap, 2, ":1::");
  else
    text.replace(0, 5, "10.1.");
  return lane::endpoint::parse(text, 0).value();
}

sim_site& sim_world::add_site(std::string_view address, transport::protocol p,
                              const router_settings& settings,
                              std::shared_ptr<webrtc_services> webrtc) {
  return sites_.emplace_back(lane_, lane::endpoint::parse(address, 5060).value(),
                             media_address(address), p, settings, std::move(webrtc));
}

void sim_world::answer(sim_site& site, const answer_manner& manner, const registrar_settings& who,
                       const std::shared_ptr<registrar_shards>& shards) {
  auto own = std::make_shared<registrar_settings>(who);
  own->secret = "a secret of the simulated registrar";
  const auto source = static_cast<unsigned>(services_.size()) + 1;
  services_.push_back({&site, lane_.spawn<answering_service>(
                                site.context, std::make_shared<const answer_manner>(manner),
                                std::shared_ptr<const registrar_settings>{own}, source, shards)});
  lane_.run_until(lane_.now());
}

void sim_world::stop_services() {
  stop_these all;
  for (const auto& s : services_)
    all.whom.push_back(s.actor);
  services_.clear();
  lane::tell(lane_, caf::actor_cast<caf::strong_actor_ptr>(owner_), std::move(all));
}

void sim_world::answer_for(sim_site& site, register_users all) {
  all.watcher = caf::actor_cast<caf::strong_actor_ptr>(owner_);
  lane::tell(lane_, service_of(site), std::move(all));
}

void sim_world::listen_for(sim_site& site, register_users all) {
  all.calls.listener = caf::actor_cast<caf::strong_actor_ptr>(owner_);
  answer_for(site, std::move(all));
}

void sim_world::fail_service(sim_site& site) {
  const auto service = caf::actor_cast<caf::actor>(service_of(site));
  std::erase_if(services_, [&](const resident& one) { return one.actor == service; });
  caf::anon_send_exit(service, caf::exit_reason::unhandled_exception);
  lane_.run_until(lane_.now());
}

void sim_world::drain(sim_site& site) {
  const auto service = caf::actor_cast<caf::actor>(service_of(site));
  std::erase_if(services_, [&](const resident& one) { return one.actor == service; });
  lane::tell(lane_, caf::actor_cast<caf::strong_actor_ptr>(owner_), stop_these{{service}, false});
}

void sim_world::kill(sim_site& site) {
  lane_.kill_host(site.address);
  lane_.kill_host(site.context.media.address());
}

caf::strong_actor_ptr sim_world::call(sim_site& from,
                                      const std::shared_ptr<const call_manner>& manner,
                                      const std::shared_ptr<const call_target>& target,
                                      lane::duration length) {
  auto script = std::make_unique<load_script>(
    from.context.media, manner, target, load_script::plan{calls_, lane_.now(), length},
    kept_call{from.context.keeps, calls_}, caf::actor_cast<caf::strong_actor_ptr>(owner_));
  ++calls_;
  return caf::actor_cast<caf::strong_actor_ptr>(
    lane_.spawn<call_leg>(from.context.router, std::move(script)));
}

caf::strong_actor_ptr sim_world::register_user(sim_site& from,
                                               const std::shared_ptr<const call_manner>& manner,
                                               const std::shared_ptr<const call_target>& target,
                                               const registration::plan& plan) {
  auto mine = plan;
  mine.due = lane_.now();
  return caf::actor_cast<caf::strong_actor_ptr>(lane_.spawn<registration>(
    from.context.router, manner, target, mine, kept_registration{from.context.keeps, mine.number},
    caf::actor_cast<caf::strong_actor_ptr>(owner_)));
}

void sim_world::probe(sim_site& from, const std::shared_ptr<const call_manner>& manner,
                      const std::shared_ptr<const call_target>& target) {
  lane_.spawn<out_of_dialog_request>(from.context.router, manner, target, calls_++, lane_.now(),
                                     caf::actor_cast<caf::strong_actor_ptr>(owner_));
}

void sim_world::run_load(sim_site& from, const std::shared_ptr<const load_plan>& plan,
                         const std::shared_ptr<const call_manner>& manner) {
  begin_load(from, plan, manner, nullptr);
  lane::tell(lane_, caf::actor_cast<caf::strong_actor_ptr>(load_),
             start_run{{{generator_}, {}}, nullptr});
}

void sim_world::begin_load(sim_site& from, const std::shared_ptr<const load_plan>& plan,
                           const std::shared_ptr<const call_manner>& manner,
                           const std::shared_ptr<const run_history>& history) {
  load_site_ = &from;
  load_ = lane_.spawn<load_run>(owner_);
  load_generator::share share;
  if (plan->limit != UINT64_MAX)
    share.room = std::make_shared<run_room>(plan->limit);
  generator_ = lane_.spawn<load_generator>(from.context, plan, manner, share,
                                           caf::actor_cast<caf::strong_actor_ptr>(load_), history);
}

void sim_world::keep_calls(const std::vector<sim_site*>& sites, storage::store& s, uint64_t run,
                           storage::durability calls) {
  auto log = storage::commit_log::begin(s);
  ASSERT_TRUE(log) << log.error().why.to_string();
  auto writer = lane_.spawn<simulated_journal>(journal_work{std::move(*log), nullptr});
  for (unsigned i = 0; i < sites.size(); ++i) {
    auto keeper = lane_.spawn<recorder>(
      caf::actor_cast<caf::strong_actor_ptr>(writer),
      recorder::settings{
        .run = run, .calls = calls, .index = i, .count = static_cast<unsigned>(sites.size())});
    sites[i]->context.keeps = caf::actor_cast<recorder*>(keeper);
    keepers_.push_back({sites[i], std::move(keeper)});
  }
  keepers_.push_back({sites.front(), std::move(writer)});
}

void sim_world::recover(sim_site& site, const storage::store& s) {
  part(site, storage::interrupted_calls(s).value());
}

void sim_world::part(sim_site& site, std::vector<storage::interrupted_call> left) {
  if (left.empty()) {
    told_.recovered.emplace();
    return;
  }
  recoveries_.push_back(
    {&site, lane_.spawn<call_recovery>(site.context, site.connections, std::move(left),
                                       caf::actor_cast<caf::strong_actor_ptr>(owner_))});
}

void sim_world::remove_bindings(sim_site& site, const storage::store& s,
                                const std::vector<std::shared_ptr<const call_target>>& users) {
  std::deque<left_registration> left;
  auto kept = storage::interrupted_registrations(s).value();
  for (auto& one : kept) {
    const auto user = std::find_if(users.begin(), users.end(), [&](const auto& each) {
      return each->from_uri() == one.record.aor;
    });
    left.push_back({std::move(one), user == users.end() ? nullptr : *user});
  }
  if (left.empty()) {
    told_.unbound.emplace();
    return;
  }
  recoveries_.push_back(
    {&site, lane_.spawn<registration_recovery>(site.context, site.connections, std::move(left),
                                               caf::actor_cast<caf::strong_actor_ptr>(owner_))});
}

namespace {

/// Takes those that go on.
std::vector<storage::interrupted_call> take_resumable(std::vector<storage::interrupted_call>& left,
                                                      bool incoming) {
  const auto first = std::stable_partition(left.begin(), left.end(), [&](const auto& call) {
    return call.record.incoming != incoming || !call_resumption::takes(call.record);
  });
  std::vector<storage::interrupted_call> taken(std::make_move_iterator(first),
                                               std::make_move_iterator(left.end()));
  left.erase(first, left.end());
  return taken;
}

} // namespace

caf::strong_actor_ptr sim_world::service_of(const sim_site& site) const {
  const auto service =
    std::find_if(services_.begin(), services_.end(), [&](auto& one) { return one.site == &site; });
  if (service == services_.end())
    throw std::logic_error{"no service is at that site"};
  return caf::actor_cast<caf::strong_actor_ptr>(service->actor);
}

void sim_world::restore_bindings(sim_site& site, const storage::store& s) {
  lane::tell(lane_, service_of(site),
             bindings_left{std::make_shared<const std::vector<storage::kept_bindings>>(
               storage::read_bindings(s).value())});
}

void sim_world::resume(sim_site& site, const storage::store& s) {
  auto left = storage::interrupted_calls(s).value();
  lane::tell(
    lane_, service_of(site),
    resume_calls{take_resumable(left, true), caf::actor_cast<caf::strong_actor_ptr>(owner_)});
  part(site, std::move(left));
}

void sim_world::resume_load(sim_site& from, const storage::store& s, uint64_t run,
                            const std::shared_ptr<const load_plan>& plan,
                            const std::shared_ptr<const call_manner>& manner) {
  auto left = storage::interrupted_calls(s).value();
  const auto history =
    read_history(s, run, *plan, 1, left, [](const storage::interrupted_call& call) {
      return call_resumption::takes(call.record);
    }).value();
  begin_load(from, plan, manner, history);
  lane::tell(
    lane_, caf::actor_cast<caf::strong_actor_ptr>(generator_),
    resume_calls{take_resumable(left, false), caf::actor_cast<caf::strong_actor_ptr>(owner_)});
  part(from, std::move(left));
  lane::tell(lane_, caf::actor_cast<caf::strong_actor_ptr>(load_),
             start_run{{{generator_}, {}}, history});
}

void sim_world::crash(sim_site& site) {
  kill(site);
  site.context.router.legs().end_all();
  const auto end = [&](std::vector<resident>& these) {
    for (const auto& one : these)
      if (one.site == &site)
        caf::anon_send_exit(one.actor, caf::exit_reason::kill);
    std::erase_if(these, [&](const resident& one) { return one.site == &site; });
  };
  end(services_);
  if (load_site_ == &site) {
    for (const auto& one : {generator_, load_})
      if (one)
        caf::anon_send_exit(one, caf::exit_reason::kill);
    generator_ = load_ = nullptr;
  }
  end(recoveries_);
  lane_.run_until(lane_.now());
  kill(site);    // what its legs said on the way down, over connections of their own
  end(keepers_); // legs hand them their records as they end
  site.context.keeps = nullptr;
  lane_.run_until(lane_.now());
}

void sim_world::at(lane::duration when, std::function<void()> action) {
  auto& made = alarms_.emplace_back(std::move(action));
  lane_.arm(made.timer, lane::sim_lane::start + when);
}

void sim_world::pass(lane::duration time) {
  const auto until = elapsed() + time;
  at(until, [] {}); // time passes only where something happens
  lane_.run_until(lane::sim_lane::start + until);
}

bool sim_world::run_until_finished(lane::duration limit) {
  constexpr lane::duration stride = std::chrono::seconds{1};
  const auto until = lane_.now() + limit;
  while (!told_.finished && lane_.now() < until)
    if (lane_.run_until(std::min(until, lane_.now() + stride)))
      break;
  return told_.finished.has_value();
}

void sim_world::ask_for_metrics() {
  told_.snapshots.clear();
  ask_these all;
  for (const auto& s : services_)
    all.whom.push_back(s.actor);
  if (generator_)
    all.whom.push_back(generator_);
  lane::tell(lane_, caf::actor_cast<caf::strong_actor_ptr>(owner_), std::move(all));
  lane_.run_until(lane_.now());
}

size_t sim_world::fixed_actors() const noexcept {
  // A generator keeps the run that it reports to.
  return 1 + staying_ + services_.size() + keepers_.size() + (generator_ ? 2 : 0);
}

void sim_world::expect_nothing_left() {
  // What lingers does so for 64*T1, connections that nobody uses for ten minutes.
  lane_.run_until(lane_.now() + std::chrono::minutes{30});
  load_ = nullptr; // it has quit; the handle alone keeps it
  EXPECT_EQ(lane_.live_actors(), fixed_actors());
  EXPECT_EQ(lane_.wheel().size(), 0U);
  for (auto& site : sites_) {
    EXPECT_EQ(site.context.router.legs().size(), 0U) << site.address.to_string();
    EXPECT_EQ(site.context.router.linger().size(), 0U) << site.address.to_string();
    EXPECT_EQ(site.context.router.transport().connections(), 0U) << site.address.to_string();
  }
}

// -- manners -----------------------------------------------------------------------

call_manner manner_between(const sim_site& from, const transport::target_selection& to) {
  call_manner manner;
  manner.servers = to;
  manner.connections = from.connections;
  manner.capabilities.wanted = sdp::direction::inactive;
  manner.capabilities.rtcp_mux = true;
  manner.offer = std::make_shared<sdp::offer_template>(from.context.media.address().address(),
                                                       manner.capabilities);
  return manner;
}

answer_manner answer_manner_of(const sim_site& site) {
  answer_manner manner;
  manner.connections = site.connections;
  sdp::media_capabilities capabilities;
  capabilities.wanted = sdp::direction::inactive;
  capabilities.rtcp_mux = true;
  manner.media =
    std::make_shared<sdp::offer_template>(site.context.media.address().address(), capabilities);
  return manner;
}

void add_audio(call_manner& manner, const sim_site& from) {
  manner.audio = std::make_shared<audio_settings>();
  manner.capabilities.wanted = sdp::direction::sendrecv;
  manner.offer = std::make_shared<sdp::offer_template>(from.context.media.address().address(),
                                                       manner.capabilities);
}

void add_audio(answer_manner& manner) {
  manner.audio = std::make_shared<audio_settings>();
  auto capabilities = manner.media->capabilities();
  capabilities.wanted = sdp::direction::sendrecv;
  manner.media = std::make_shared<sdp::offer_template>(manner.media->host(), capabilities);
}

std::shared_ptr<call_target> target_of(const lane::endpoint& where) {
  auto target = std::make_shared<call_target>();
  target->uri = "sip:service@" + where.to_string();
  target->from = "<sip:caller@10.0.0.1>";
  return target;
}

} // namespace jackfield

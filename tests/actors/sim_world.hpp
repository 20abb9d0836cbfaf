#pragma once

#include <cstdint>
#include <deque>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include <caf/actor_system.hpp>

#include "actors/call/call_recovery.hpp"
#include "actors/call/leg_messages.hpp"
#include "actors/call/registration_recovery.hpp"
#include "actors/load/answering_service.hpp"
#include "actors/load/load_run.hpp"
#include "actors/load/run_history.hpp"
#include "actors/node/lane_context.hpp"
#include "actors/node/recorder.hpp"
#include "engine/lane/sim_lane.hpp"
#include "storage/store.hpp"

namespace jackfield {

/// One simulated host that speaks SIP: what a lane's actors share, bound to its own address.
struct sim_site {
  sim_site(lane::sim_lane& home, const lane::endpoint& signalling, const lane::endpoint& media,
           transport::protocol p, const router_settings& settings,
           std::shared_ptr<webrtc_services> webrtc);

  /// A target at this site for calls over its transport.
  [[nodiscard]] transport::target target() const { return {protocol, address}; }

  lane::endpoint address; ///< port 5060
  transport::protocol protocol;
  /// Connections begin at the site's own address.
  std::shared_ptr<const transport::open_settings> connections;
  lane_context context;
};

/// What the actors of one world told their owner.
struct told {
  std::vector<call_finished> calls;
  std::vector<uint64_t> answered;
  std::vector<registration_report> registrations;
  std::optional<users_standing> standing; ///< of users whom a service registers, the latest
  std::vector<user_failed> refused;
  std::vector<user_rung> rung; ///< of users' calls, where the world listens
  std::vector<user_talks> talking;
  std::vector<user_free> free;
  std::vector<request_finished> probes;
  std::optional<run_finished> finished;
  std::optional<parting_counts> recovered;
  std::optional<unbinding_counts> unbound;
  std::optional<calls_resumed> resumed;
  std::map<unsigned, std::shared_ptr<const report::run_metrics>> snapshots; ///< by source
  std::vector<unsigned> stopped;
  std::string lines;
};

/// Sites on one simulated lane, and an actor that owns what is placed there. Two worlds of one seed
/// in which the same is done are equal to the byte.
class sim_world {
public:
  explicit sim_world(uint64_t seed, const lane::sim_link& link = {});
  ~sim_world();
  sim_world(const sim_world&) = delete;
  sim_world& operator=(const sim_world&) = delete;

  [[nodiscard]] lane::sim_lane& lane() noexcept { return lane_; }
  [[nodiscard]] told& heard() noexcept { return told_; }
  [[nodiscard]] lane::duration elapsed() const { return lane_.now() - lane::sim_lane::start; }

  /// Media is at "10.1.x.y" for a site at "10.0.x.y" ("a:1::b" for "a::b"), so that a test can cut
  /// one without the other. Without `webrtc` it has what all such sites share.
  sim_site& add_site(std::string_view address, transport::protocol p = transport::protocol::udp,
                     const router_settings& settings = {},
                     std::shared_ptr<webrtc_services> webrtc = nullptr);
  static lane::endpoint media_address(std::string_view address);

  /// Spawns an answering service; it lives until it is stopped or the world ends. `shards`: of
  /// those that serve as one.
  void answer(sim_site& site, const answer_manner& manner, const registrar_settings& who = {},
              const std::shared_ptr<registrar_shards>& shards = nullptr);
  /// Has a site's service register users elsewhere, and answer for them.
  void answer_for(sim_site& site, register_users all);
  /// The same, and the world listens to their calls.
  void listen_for(sim_site& site, register_users all);
  /// Tells a site's service to take no more calls; it answers in `heard().stopped`, once.
  void drain(sim_site& site);
  /// Tells all services to stop; they answer in `heard().stopped`.
  void stop_services();
  /// Ends a site's service by an error; its host lives on.
  void fail_service(sim_site& site);
  /// Ends the services of a site without a word, as if its process was killed.
  void kill(sim_site& site);

  /// Places a call at once; its owner is the world.
  caf::strong_actor_ptr call(sim_site& from, const std::shared_ptr<const call_manner>& manner,
                             const std::shared_ptr<const call_target>& target,
                             lane::duration length);
  caf::strong_actor_ptr register_user(sim_site& from,
                                      const std::shared_ptr<const call_manner>& manner,
                                      const std::shared_ptr<const call_target>& target,
                                      const registration::plan& plan);
  void probe(sim_site& from, const std::shared_ptr<const call_manner>& manner,
             const std::shared_ptr<const call_target>& target);
  /// Begins a load run; `heard().finished` tells its end.
  void run_load(sim_site& from, const std::shared_ptr<const load_plan>& plan,
                const std::shared_ptr<const call_manner>& manner);
  /// Goes on with one of the calls that a crash left in this store, with those that can; what else
  /// was left in it ends as in `recover`.
  void resume_load(sim_site& from, const storage::store& s, uint64_t run,
                   const std::shared_ptr<const load_plan>& plan,
                   const std::shared_ptr<const call_manner>& manner);
  [[nodiscard]] const caf::actor& load() const noexcept { return load_; }
  [[nodiscard]] const caf::actor& generator() const noexcept { return generator_; }
  /// It has ended before its world.
  void forget_generator() { generator_ = nullptr; }

  /// Has a site's calls kept in a store, which outlives the world, as those of a run.
  void keep_calls(sim_site& site, storage::store& s, uint64_t run,
                  storage::durability calls = storage::durability::async) {
    keep_calls(std::vector<sim_site*>{&site}, s, run, calls);
  }
  /// Of several that serve as one, by one journal. They crash with the first of them.
  void keep_calls(const std::vector<sim_site*>& sites, storage::store& s, uint64_t run,
                  storage::durability calls = storage::durability::async);
  /// Has the calls under way in the store that a site keeps its calls in end at their peers;
  /// `heard().recovered` tells how they did.
  void recover(sim_site& site, const storage::store& s);
  /// Has the bindings of the registrations in that store removed, with the credentials of these
  /// users: `heard().unbound` tells how they were.
  void remove_bindings(sim_site& site, const storage::store& s,
                       const std::vector<std::shared_ptr<const call_target>>& users);
  /// As `recover`, but calls that came in and can go on do so at the site's service:
  /// `heard().resumed`.
  void resume(sim_site& site, const storage::store& s);
  /// Has a site's service take up who is registered in a store.
  void restore_bindings(sim_site& site, const storage::store& s);
  /// Ends what a site's process runs, with its host: nothing it says is heard any more. What
  /// comes after writes to another store.
  void crash(sim_site& site);

  /// Does something when so much time has passed since the world began.
  void at(lane::duration when, std::function<void()> action);
  /// Runs for some time.
  void pass(lane::duration time);
  /// Runs until the load run has finished; false if it has not in that time.
  [[nodiscard]] bool run_until_finished(lane::duration limit);
  /// Asks services and the load's generator for what they measured.
  void ask_for_metrics();
  [[nodiscard]] const report::run_metrics& metrics_of(unsigned source) const {
    return *told_.snapshots.at(source);
  }

  /// Actors that live though nothing is going on: services, generators and the world's own.
  [[nodiscard]] size_t fixed_actors() const noexcept;
  /// So many actors of a test's own live on.
  void let_stay(size_t actors) noexcept { staying_ += actors; }
  /// So many of these have ended.
  void let_go(size_t actors) noexcept { staying_ -= actors; }
  /// Expects that nothing is left of any call: legs, actors, timers, what lingers.
  void expect_nothing_left();

private:
  class owner;
  struct alarm;

  [[nodiscard]] caf::strong_actor_ptr service_of(const sim_site& site) const;
  void part(sim_site& site, std::vector<storage::interrupted_call> left);
  void begin_load(sim_site& from, const std::shared_ptr<const load_plan>& plan,
                  const std::shared_ptr<const call_manner>& manner,
                  const std::shared_ptr<const run_history>& history);

  lane::sim_lane lane_;
  told told_;
  std::deque<sim_site> sites_;
  std::deque<alarm> alarms_;
  struct resident {
    sim_site* site;
    caf::actor actor;
  };
  std::vector<resident> services_;
  std::vector<resident> keepers_; // recorders, each with its journal
  std::vector<resident> recoveries_;
  caf::actor owner_;
  caf::actor load_;
  caf::actor generator_;
  sim_site* load_site_ = nullptr;
  size_t staying_ = 0;
  uint64_t calls_ = 0;
};

/// Signalling only, to a site.
[[nodiscard]] call_manner manner_between(const sim_site& from,
                                         const transport::target_selection& to);
[[nodiscard]] answer_manner answer_manner_of(const sim_site& site);
/// Adds audio: 20 ms of G.711, a tone.
void add_audio(call_manner& manner, const sim_site& from);
void add_audio(answer_manner& manner);

[[nodiscard]] std::shared_ptr<call_target> target_of(const lane::endpoint& where);

} // namespace jackfield

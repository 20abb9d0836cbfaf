#pragma once

#include <array>
#include <cstdint>
#include <deque>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include <caf/actor.hpp>

#include "actors/wire/wire_tap.hpp"
#include "tests/actors/centre_world.hpp"

namespace jackfield {

/// A contact centre among people: callers over UDP, agents whose phones are at sites of their own,
/// and a path that loses 5 % of what is sent, doubles some, and lets some change places. What must
/// be true whatever happens there, it checks.
class centre_story {
public:
  static constexpr lane::sim_link rough{.delay = std::chrono::milliseconds{20},
                                        .jitter = std::chrono::milliseconds{15},
                                        .loss = 0.05,
                                        .duplication = 0.01};

  explicit centre_story(uint64_t seed, const lane::sim_link& link = rough);
  ~centre_story();
  centre_story(const centre_story&) = delete;
  centre_story& operator=(const centre_story&) = delete;

  /// What a phone does.
  struct phone_manner {
    lane::duration answer_after = std::chrono::seconds{1};
    int refuse_with = 0;
    lane::duration length{}; ///< hangs up then; zero: never
    transport::protocol over = transport::protocol::udp;
    bool audio = false;
  };

  /// Of its rules, what most tests are about; `plan` has all.
  struct queue_manner {
    policy::strategy picks = policy::strategy::longest_idle;
    lane::duration ring_time = std::chrono::seconds{20};
    lane::duration max_wait{};
  };

  /// Before `begin`. Its place among them; it is called by its name.
  size_t add_queue(const std::string& name, const queue_manner& how);
  size_t add_queue(const std::string& name) { return add_queue(name, queue_manner{}); }
  /// Before `begin`: a member of these queues, with a phone of each manner.
  size_t add_agent(const std::string& name, const std::vector<size_t>& queues,
                   const std::vector<phone_manner>& phones, const policy::agent_rules& rules = {});
  [[nodiscard]] centre_plan& plan() noexcept { return plan_; }
  /// Starts the centre, and has the phones registered.
  void begin();
  /// Changes the centre to `plan`, as it is now.
  void reload();

  /// A caller who hangs up after `length`, and is `from`.
  caf::strong_actor_ptr call(lane::duration length, const std::string& whom = "support",
                             const std::string& from = "bob");
  /// Calls placed so far; each is to end.
  [[nodiscard]] size_t placed() const noexcept { return placed_; }
  /// Callers hear and speak from now on.
  void callers_speak() noexcept { callers_speak_ = true; }
  /// And note what they hear.
  void callers_listen() noexcept { callers_listen_ = true; }

  /// One more phone of an agent, which registers; its number.
  size_t add_phone(const std::string& agent, const phone_manner& manner);
  /// A page is closed: its connection says goodbye, what it held is gone.
  void close_page(size_t phone);
  /// A phone's host is gone without a word.
  void lose_phone(size_t phone);
  /// Nothing passes between a phone and the centre, or does again.
  void cut(size_t phone, bool off);
  /// Calls that a phone was sent so far, and has now.
  uint64_t rung(size_t phone);
  uint64_t up(size_t phone);

  void wish(size_t agent, agent_wish::kind what, const std::string& reason = {});
  /// Ends a part without a word, as an error within does.
  void kill(const caf::actor& part);
  /// Has all numbers lead to their queues through one who notes which actors enter.
  void watch_calls();
  /// Those, as they came.
  [[nodiscard]] const std::vector<caf::strong_actor_ptr>& calls() const noexcept { return seen_; }

  void pass(lane::duration time) { world_.pass(time); }
  void at(lane::duration when, std::function<void()> action) { world_.at(when, std::move(action)); }
  [[nodiscard]] std::vector<centre_event> events(centre_event::kind what) const;
  /// As `policy::to_string` has it.
  [[nodiscard]] std::string state_of(size_t agent) const;
  [[nodiscard]] std::vector<queue_state> queues();
  [[nodiscard]] agent_state_told ask(size_t agent);

  /// Every caller is gone, each call was accounted for once and was no two agents', no agent was
  /// rung twice for it at once, and the counters of the queues add up.
  void expect_sound();
  /// Each of these agents takes a call now, all at once, of the queue.
  void expect_all_serve(const std::vector<size_t>& agents, const std::string& queue = "support");
  /// The centre holds no leg any more.
  void expect_no_leg();

  [[nodiscard]] centre_world& world() noexcept { return world_; }
  [[nodiscard]] sim_site& site() noexcept { return centre_; }

private:
  class asker;
  class doorman;
  /// Learns the connection that a phone registered over.
  struct way_tap final : wire_tap {
    void on_message(wire_direction /*direction*/, const transport::flow& over,
                    lane::time_point /*at*/, std::string_view /*bytes*/) override {
      way = over;
    }
    transport::flow way;
  };
  struct phone {
    sim_site* site = nullptr;
    way_tap tap;
    caf::strong_actor_ptr user;
    unsigned source = 0;
  };
  [[nodiscard]] std::shared_ptr<bridge_manner> manner() const;

  centre_world world_;
  sim_site& callers_;
  sim_site& centre_;
  centre_plan plan_;
  centre_plan running_; // by
  std::vector<std::pair<std::string, phone_manner>> planned_;
  std::deque<phone> phones_;
  std::vector<caf::strong_actor_ptr> seen_;
  std::vector<queue_state> queues_told_;
  agent_state_told agent_told_;
  caf::actor asker_;
  std::vector<caf::actor> doormen_;
  size_t placed_ = 0;
  bool callers_speak_ = false;
  bool callers_listen_ = false;
};

} // namespace jackfield

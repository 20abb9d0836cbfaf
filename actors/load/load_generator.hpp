#pragma once

#include <chrono>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <unordered_map>

#include <caf/actor_control_block.hpp>

#include "actors/call/resumption_tally.hpp"
#include "actors/load/load_messages.hpp"
#include "actors/load/load_metrics.hpp"
#include "actors/load/load_plan.hpp"
#include "actors/load/planned_arrivals.hpp"
#include "actors/load/run_history.hpp"
#include "actors/load/run_room.hpp"
#include "actors/node/lane_context.hpp"
#include "actors/wire/call_trace.hpp"
#include "engine/lane/lane_actor.hpp"

namespace jackfield {

/// Places one lane's share of a run's calls: every n-th arrival of the plan, n being the number of
/// generators. Measures what becomes of them. Where calls are kept, its progress is, too; with a
/// `history` it goes on with a run that a crash cut off.
class load_generator final : public lane::lane_actor {
public:
  struct share {
    unsigned index = 0; ///< of `count`
    unsigned count = 1;
    std::shared_ptr<run_room> room; ///< for calls at once, of all lanes; null: no end of it
  };

  load_generator(caf::actor_config& config, lane::lane& home, lane_context& context,
                 std::shared_ptr<const load_plan> plan, std::shared_ptr<const call_manner> manner,
                 const share& s, caf::strong_actor_ptr run,
                 std::shared_ptr<const run_history> history = nullptr);

  const char* name() const override { return "load_generator"; }

protected:
  caf::behavior make_behavior() override;
  void on_exit() override;

private:
  void start(const load_start& how);
  void on_arrivals();
  void find_next();
  void begin(uint64_t number, lane::time_point due);
  void go_on(resume_calls& left);
  void keep_progress();
  [[nodiscard]] std::shared_ptr<const call_target> target_of(uint64_t number) const;
  enum class draw : uint64_t { length = 1, target = 2 };
  /// In [0, 1): what the plan's seed gives a call.
  [[nodiscard]] double drawn(uint64_t number, draw what) const noexcept;
  [[nodiscard]] lane::duration length_of(uint64_t number) const noexcept;
  void stop_arrivals();
  void abort();
  void give_up();
  /// There is room for it, and it has a place in that then.
  [[nodiscard]] bool take_room() noexcept { return !share_.room || share_.room->take(); }

  void on_call_finished(const call_finished& call);
  void on_registration(const registration_report& report);
  void on_request(const request_finished& request);
  void flush_lines();
  /// `failure`: why that call, registration or request failed.
  void ended(uint64_t number, report::failure_cause failure);
  void finish_if_done();
  void finish();

  lane_context& context_;
  std::shared_ptr<const load_plan> plan_;
  std::shared_ptr<const call_manner> manner_;
  share share_;
  caf::strong_actor_ptr run_;
  load_metrics metrics_;
  planned_arrivals arrivals_;
  std::shared_ptr<const run_history> history_; // null: the run begins
  storage::run_progress progress_;
  resumption_tally resuming_;
  lane::actor_timer timer_;
  lane::time_point start_{};
  std::chrono::system_clock::time_point wall_start_{};
  std::optional<planned_arrivals::arrival> next_;            // that is ours
  std::unordered_map<uint64_t, caf::strong_actor_ptr> live_; // by number
  std::string lines_;
  std::unique_ptr<call_trace> trace_;          // null: none is wanted
  std::optional<lane::time_point> full_since_; // and an arrival waits
  lane::duration postponed_{};                 // of arrivals, by those that have waited
  lane::time_point not_before_{};              // the next one, of those that are late
  bool started_ = false;
  bool done_ = false;
};

} // namespace jackfield

#pragma once

#include <caf/actor_clock.hpp>
#include <caf/detail/thread_safe_actor_clock.hpp>
#include <caf/policy/work_sharing.hpp>
#include <caf/scheduler/coordinator.hpp>

namespace jackfield::lane {

/// CAF's work-sharing scheduler for the actors that are not on a lane, with a clock that lane
/// actors do not wake: CAF tells its clock of every actor's end, which costs a lock and a switch to
/// the clock's thread each time (a third of the CPU of a short call), though lane actors have their
/// timers on their lane's wheel and never any on this clock.
///
/// Loaded by `config.load<pool_scheduler>()`; `scheduler.max-threads` counts as always.
class pool_scheduler final : public caf::scheduler::coordinator<caf::policy::work_sharing> {
public:
  explicit pool_scheduler(caf::actor_system& system);

  static caf::actor_system::module* make(caf::actor_system& system, caf::detail::type_list<>);

  caf::detail::thread_safe_actor_clock& clock() noexcept override { return quiet_; }

private:
  /// Passes everything on but the ends of lane actors.
  class quiet_clock final : public caf::detail::thread_safe_actor_clock {
  public:
    explicit quiet_clock(pool_scheduler& owner) : owner_(owner) {}
    void set_ordinary_timeout(time_point t, caf::abstract_actor* self, caf::atom_value type,
                              uint64_t id) override;
    void set_multi_timeout(time_point t, caf::abstract_actor* self, caf::atom_value type,
                           uint64_t id) override;
    void set_request_timeout(time_point t, caf::abstract_actor* self, caf::message_id id) override;
    void cancel_ordinary_timeout(caf::abstract_actor* self, caf::atom_value type) override;
    void cancel_request_timeout(caf::abstract_actor* self, caf::message_id id) override;
    void cancel_timeouts(caf::abstract_actor* self) override;
    void schedule_message(time_point t, caf::strong_actor_ptr receiver,
                          caf::mailbox_element_ptr content) override;
    void schedule_message(time_point t, caf::group target, caf::strong_actor_ptr sender,
                          caf::message content) override;
    void cancel_all() override;

  private:
    [[nodiscard]] caf::actor_clock& real() const noexcept { return owner_.real_clock(); }
    pool_scheduler& owner_;
  };

  [[nodiscard]] caf::actor_clock& real_clock() noexcept { return coordinator::clock(); }

  quiet_clock quiet_;
};

} // namespace jackfield::lane

#pragma once

#include <array>
#include <atomic>
#include <chrono>
#include <cstdint>
#include <functional>
#include <memory>
#include <mutex>
#include <span>
#include <thread>
#include <utility>
#include <vector>

#include <caf/abstract_actor.hpp>
#include <caf/actor_config.hpp>
#include <caf/actor_control_block.hpp>
#include <caf/actor_system.hpp>
#include <caf/execution_unit.hpp>
#include <caf/infer_handle.hpp>
#include <caf/mailbox_element.hpp>
#include <caf/resumable.hpp>

#include "engine/error/error.hpp"
#include "engine/lane/actor_cell.hpp"
#include "engine/lane/socket.hpp"
#include "engine/lane/timer_wheel.hpp"

namespace jackfield::lane {

/// How a lane keeps up. All times in nanoseconds; "lag" is how late a pass began compared with the
/// moment its first event was due.
struct lane_health {
  /// Passes by their lag, on a scale of four steps to an octave of microseconds: `lag_step_us(i)`
  /// is the lower bound of step i.
  static constexpr size_t lag_steps = 128;
  std::array<uint64_t, lag_steps> lag{};
  [[nodiscard]] static constexpr uint64_t lag_step_us(size_t i) noexcept {
    return i < 4 ? i : (4 + i % 4) << (i / 4 - 1);
  }
  void count_lag(duration d) noexcept;

  /// Longest time that a datagram has lain in a signalling socket since the last pass began; a part
  /// of the next pass's lag.
  duration longest_wait{};

  uint64_t passes = 0;
  duration worst_lag{};
  /// Exponentially smoothed lag; above `lane::overload_bound` the lane refuses new work.
  duration smoothed_lag{};
  /// Passes whose lag was above `lane::overload_bound`.
  uint64_t late_passes = 0;
  uint64_t datagrams_in = 0;
  uint64_t datagrams_out = 0;
  /// Datagrams lost at this lane's own sockets.
  uint64_t socket_drops = 0;
};

/// An event loop on one thread that is also a CAF execution unit: it polls its sockets, advances
/// its timer wheel, and runs the actors that these woke, on the same core, in the same pass.
///
/// Unless it says otherwise, a member function is called on the lane's thread only. Everything
/// that is opened or armed on a lane stays on it.
class lane : public caf::execution_unit {
public:
  /// A lane whose smoothed lag is above this refuses new work.
  static constexpr duration overload_bound = std::chrono::milliseconds{20};

  ~lane() override;

  /// The time at which the current pass began. Cheap.
  [[nodiscard]] time_point now() const noexcept { return now_; }
  /// The time now, even inside a long pass; a system call's worth on an io_lane.
  [[nodiscard]] virtual time_point exact_now() const = 0;

  /// The time of day now, for what peers and people are told. A sim_lane has one of its own, so
  /// that it is the same in every run.
  [[nodiscard]] virtual std::chrono::system_clock::time_point wall_now() const {
    return std::chrono::system_clock::now();
  }

  /// Position of this lane in its node, 0-based; encoded in the identifiers it gives out.
  [[nodiscard]] unsigned index() const noexcept { return index_; }

  void arm(timer& t, time_point deadline) { wheel_.arm(t, deadline); }
  void arm_in(timer& t, duration delay) { wheel_.arm(t, now_ + delay); }
  [[nodiscard]] timer_wheel& wheel() noexcept { return wheel_; }

  /// Unpredictable bytes (getrandom) on an io_lane, a seeded sequence on a sim_lane.
  virtual void random_bytes(std::span<std::byte> out) = 0;
  [[nodiscard]] uint64_t random();
  /// Uniform in [0, 1).
  [[nodiscard]] double random_unit();

  // -- sockets -----------------------------------------------------------------

  virtual result<std::unique_ptr<datagram_socket>>
  open_datagram(const endpoint& local, datagram_handler& handler,
                const datagram_options& options = {}) = 0;
  /// Takes over a socket that a foreign library has made: bound, and not connected. It is closed
  /// here, on failure too. Of the options, sharing and connecting count for nothing. A sim_lane has
  /// no descriptors and fails.
  virtual result<std::unique_ptr<datagram_socket>>
  adopt_datagram(int fd, datagram_handler& handler, const datagram_options& options = {}) = 0;
  /// As `send` of each, in order, of media sockets; where the system can, many at once.
  virtual void send_all(std::span<const outgoing_datagram> datagrams);
  /// As `receive_pending` of each, of media sockets; where the system can, many at once. Null
  /// stands for none: whoever destroys one of them meanwhile, from a handler, sets its place to
  /// that first.
  virtual void receive_all(std::span<datagram_socket*> sockets);
  virtual result<std::unique_ptr<stream_listener>>
  listen(const endpoint& local, accept_handler& handler,
         port_sharing sharing = port_sharing::none) = 0;
  /// Begins a connection; `handler` hears `on_connected` or `on_closed`. `local` may be invalid:
  /// the system chooses.
  virtual result<std::unique_ptr<stream_socket>>
  connect(const endpoint& remote, stream_handler& handler, const endpoint& local = {}) = 0;

  /// Watches a foreign library's descriptor (c-ares); `ready(readable, writable)` is called while
  /// the condition holds. Passing neither stops watching. A sim_lane has no descriptors and fails.
  virtual result<void> watch(int fd, bool readable, bool writable,
                             std::function<void(bool, bool)> ready) = 0;

  // -- actors ------------------------------------------------------------------

  /// Runs `task` on this lane, in order with other posts. Any thread.
  void post(std::function<void()> task);

  /// Hands a message from another thread to an actor of this lane. Any thread. One wake-up a batch.
  void inject(caf::strong_actor_ptr receiver, caf::mailbox_element_ptr message);

  /// Creates an actor of class `Impl` (a `lane_actor`) that runs on this lane. On the lane's
  /// thread, or on any thread before the lane runs.
  template <class Impl, class... Ts>
  auto spawn(Ts&&... xs) {
    const own_job_scope scope{*this};
    caf::actor_config config{this};
    config.flags |= caf::abstract_actor::is_hidden_flag;
    auto* cell =
      new actor_cell<Impl>(&system(), system().node(), config, *this, std::forward<Ts>(xs)...);
    caf::infer_handle_from_class_t<Impl> handle{&cell->control, false};
    cell->data.launch(this, false, true);
    return handle;
  }

  /// True on the lane's own thread.
  [[nodiscard]] bool on_lane() const noexcept {
    return thread_.load(std::memory_order_relaxed) == std::this_thread::get_id();
  }

  /// Queues one of this lane's actors; any other actor goes to CAF's scheduler.
  void exec_later(caf::resumable* job) override;

  /// Lane actors alive now; tests demand that it returns to where it was.
  [[nodiscard]] size_t live_actors() const noexcept {
    return live_actors_.load(std::memory_order_relaxed);
  }

  /// Ends an actor of this lane whose last reference is gone: at once on the lane's thread, else in
  /// its next pass. Any thread; for `actor_cell`.
  void end_actor(caf::abstract_actor& actor, void (*destroy)(caf::abstract_actor*));

  /// Runs actors until none is ready; sockets and timers rest. By the thread that the lane has been
  /// left to: a lane that stopped takes leave of actors that still live.
  void run_down();

  /// Lets go of what came in after the last pass: ended actors end, messages and tasks are dropped.
  /// By the thread that the lane has been left to, and by a derived lane's destructor. Where there
  /// are several lanes, of all of them before one goes: a message may hold another lane's actor.
  void abandon_inbox();

  // -- load --------------------------------------------------------------------

  [[nodiscard]] const lane_health& health() const noexcept { return health_; }
  /// True when new work is to be refused: answer 503 with Retry-After, count arrivals as missed.
  /// Any thread: other lanes ask before they hand work over.
  [[nodiscard]] bool overloaded() const noexcept {
    return overloaded_.load(std::memory_order_relaxed);
  }

protected:
  lane(caf::actor_system& system, unsigned index, time_point start,
       timer_wheel::ticks of = timer_wheel::ticks::milliseconds);

  /// Begins a pass at `now`, `due` being when its first event was due.
  void begin_pass(time_point now, time_point due) noexcept;
  /// Takes posts and messages of other threads. Returns false if there were none.
  bool drain_inbox();
  /// Runs ready actors until none is ready. Returns false if none was.
  bool run_ready();
  void claim_thread() noexcept { thread_.store(std::this_thread::get_id()); }
  /// Makes a waiting lane look at its inbox. Any thread.
  virtual void wake() = 0;

  time_point now_;
  timer_wheel wheel_;
  lane_health health_;

private:
  friend class lane_actor;

  /// While it lives, what CAF hands to `exec_later` is one of our own actors.
  class own_job_scope {
  public:
    explicit own_job_scope(lane& home) noexcept
        : home_(home), outer_(std::exchange(home.own_job_, true)) {
      // nop
    }
    ~own_job_scope() { home_.own_job_ = outer_; }
    own_job_scope(const own_job_scope&) = delete;
    own_job_scope& operator=(const own_job_scope&) = delete;

  private:
    lane& home_;
    bool outer_;
  };

  struct inbox_entry {
    caf::strong_actor_ptr receiver{}; // of `message`
    caf::mailbox_element_ptr message{};
    std::function<void()> task{};
    caf::weak_actor_ptr ended{}; // keeps the memory that `destroy` is to clear
    void (*destroy)(caf::abstract_actor*) = nullptr;
  };

  void add_to_inbox(inbox_entry entry);

  const unsigned index_;
  bool own_job_ = false;
  std::atomic<std::thread::id> thread_{};
  std::vector<caf::resumable*> ready_;
  std::vector<caf::resumable*> running_;
  std::mutex inbox_mutex_;
  std::vector<inbox_entry> inbox_;
  std::vector<inbox_entry> taken_;
  std::atomic<size_t> live_actors_{0};
  std::atomic<bool> overloaded_{false};
};

} // namespace jackfield::lane

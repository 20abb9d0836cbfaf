#pragma once

#include <chrono>
#include <cstdint>
#include <functional>
#include <memory>
#include <string_view>

#include "engine/lane/lane.hpp"
#include "engine/lane/sim_link.hpp"
#include "engine/lane/sim_random.hpp"

namespace jackfield::lane {

class sim_network;

/// A lane in virtual time with an in-memory network: the clock jumps to the next deadline, and one
/// seed decides every random choice, so that the same seed gives the same event log to the byte on
/// every machine. All simulated hosts live on the one lane; they differ by IP address.
///
/// A socket is bound to the address of its host, never to 0.0.0.0 or ::. A host is up once a socket
/// was opened on it; an address at which none ever was is silent, as a dead host is.
///
/// Streams are reliable and in order: loss becomes delay. What a pass writes leaves at its end, in
/// segments of at most 64 KB; connecting is given up after 127 s and sending after about 15
/// minutes, as Linux does. One that is given no address of its own connects from the peer's where
/// that is loopback, otherwise from 198.51.100.1 or 2001:db8:ffff::1.
///
/// Runs on the caller's thread, in `step` and `run`; sockets, timers and actors end before it.
class sim_lane final : public lane {
public:
  /// Where the clock stands at first: not zero, so that no deadline is mistaken for "none".
  static constexpr time_point start{std::chrono::hours{1}};
  /// The time of day then: 2020-01-01 00:00 UTC.
  static constexpr std::chrono::system_clock::time_point wall_start{
    std::chrono::sys_days{std::chrono::January / 1 / 2020}};

  /// `ticks`: how exact timers are; milliseconds as on an io_lane.
  sim_lane(caf::actor_system& system, uint64_t seed, unsigned index = 0,
           timer_wheel::ticks ticks = timer_wheel::ticks::milliseconds);
  ~sim_lane() override;

  /// The link for all traffic that has no own one.
  void set_link(const sim_link& link);
  /// The link from one address to another (one direction; ports do not matter).
  void set_link(const endpoint& from, const endpoint& to, const sim_link& link);
  /// Cuts or mends traffic between two addresses, both directions. Streams stall while cut.
  void set_partition(const endpoint& a, const endpoint& b, bool cut);
  /// The host loses power: its sockets vanish without a word, what was under way to it is lost,
  /// and its peers' streams learn of it only when they next send (reset after the host is back).
  /// Owners of its sockets must be ended by the caller.
  void kill_host(const endpoint& host);

  /// From now on each pass seems to begin this late, as on a machine that cannot keep up: for
  /// `health` and `overloaded`. The clock does not care.
  void set_lag(duration lag) noexcept { lag_ = lag; }

  /// Runs passes until nothing is left to do or `until` is reached; returns false in the latter
  /// case. The clock then stands at the last event, or at `until`.
  bool run_until(time_point until);
  /// The clock goes on to `to`; nothing is due before. What the caller does then comes before what
  /// is due at that time.
  void go_on_to(time_point to);
  /// Runs until no timer, datagram, message or task is left.
  void run();
  /// Runs one pass: the clock goes to the next deadline or arrival, timers fire, what arrives is
  /// delivered, and actors run until all is quiet. False if there was nothing to do.
  bool step();

  /// Calls `sink` with one line an event: "time_ns kind from to length hash". For comparing runs.
  void set_event_log(std::function<void(std::string_view)> sink);
  /// Digest of all events so far: equal for equal seeds, whether or not a log is kept.
  [[nodiscard]] uint64_t event_digest() const noexcept;

  // -- lane --------------------------------------------------------------------
  [[nodiscard]] time_point exact_now() const override { return now_; }
  [[nodiscard]] std::chrono::system_clock::time_point wall_now() const override;
  void random_bytes(std::span<std::byte> out) override;
  result<std::unique_ptr<datagram_socket>> open_datagram(const endpoint& local,
                                                         datagram_handler& handler,
                                                         const datagram_options& options) override;
  result<std::unique_ptr<datagram_socket>> adopt_datagram(int fd, datagram_handler& handler,
                                                          const datagram_options& options) override;
  result<std::unique_ptr<stream_listener>>
  listen(const endpoint& local, accept_handler& handler,
         port_sharing sharing = port_sharing::none) override;
  result<std::unique_ptr<stream_socket>> connect(const endpoint& remote, stream_handler& handler,
                                                 const endpoint& local) override;
  result<void> watch(int fd, bool readable, bool writable,
                     std::function<void(bool, bool)> ready) override;

protected:
  void wake() override {}

private:
  [[nodiscard]] time_point next_event();
  /// Runs tasks and actors, and sends what streams wrote, until nothing is left at this instant.
  bool settle();

  sim_random random_;
  duration lag_{};
  std::unique_ptr<sim_network> network_;
};

} // namespace jackfield::lane

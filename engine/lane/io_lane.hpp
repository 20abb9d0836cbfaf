#pragma once

#include <atomic>
#include <memory>
#include <thread>

#include <time.h>

#include "engine/lane/lane.hpp"

namespace jackfield::lane {

/// A lane on real sockets and the real clock: epoll, recvmmsg/sendmmsg with UDP segmentation
/// trains, media sockets in an epoll set of their own, their datagrams by io_uring where the system
/// has that.
class io_lane final : public lane {
public:
  /// Does not run yet. `media_gathering`: a lane that only passes media on may let them lie so long
  /// and be woken for many at once; what else comes wakes it as ever. 0: each wakes it.
  static result<std::unique_ptr<io_lane>> make(caf::actor_system& system, unsigned index,
                                               duration media_gathering = {});
  /// Stops and joins.
  ~io_lane() override;

  /// Runs the loop on a thread of its own. Once.
  void start();
  /// Runs the loop on the calling thread until `stop`.
  void run();
  /// Ends the loop after the pass under way. Any thread.
  void stop() noexcept;
  /// Waits for the thread of `start`, which `stop` ends. From then on the calling thread is the
  /// lane's.
  void join();

  /// CPU time used by the lane's thread so far. Any thread, while it runs.
  [[nodiscard]] duration cpu_time() const;

  // -- lane --------------------------------------------------------------------
  [[nodiscard]] time_point exact_now() const override;
  void random_bytes(std::span<std::byte> out) override;
  result<std::unique_ptr<datagram_socket>> open_datagram(const endpoint& local,
                                                         datagram_handler& handler,
                                                         const datagram_options& options) override;
  result<std::unique_ptr<datagram_socket>> adopt_datagram(int fd, datagram_handler& handler,
                                                          const datagram_options& options) override;
  void send_all(std::span<const outgoing_datagram> datagrams) override;
  void receive_all(std::span<datagram_socket*> sockets) override;
  result<std::unique_ptr<stream_listener>>
  listen(const endpoint& local, accept_handler& handler,
         port_sharing sharing = port_sharing::none) override;
  result<std::unique_ptr<stream_socket>> connect(const endpoint& remote, stream_handler& handler,
                                                 const endpoint& local) override;
  result<void> watch(int fd, bool readable, bool writable,
                     std::function<void(bool, bool)> ready) override;

protected:
  void wake() override;

private:
  struct machinery;
  io_lane(caf::actor_system& system, unsigned index, std::unique_ptr<machinery> parts);

  std::unique_ptr<machinery> parts_;
  std::thread thread_;
  clockid_t cpu_clock_{};
  std::atomic<bool> has_cpu_clock_{false};
  std::atomic<bool> stopping_{false};
};

} // namespace jackfield::lane

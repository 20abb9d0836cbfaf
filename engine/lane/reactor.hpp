#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <vector>

#include "engine/error/error.hpp"
#include "engine/lane/timer_wheel.hpp"

namespace jackfield::lane {

/// Hears of readiness of one file descriptor.
class ready_handler {
public:
  virtual ~ready_handler() = default;
  /// `events` is a set of EPOLLIN, EPOLLOUT, EPOLLERR, EPOLLHUP.
  virtual void on_ready(uint32_t events) = 0;
};

/// Has output that leaves at the end of the pass.
class flush_handler {
public:
  virtual ~flush_handler() = default;
  virtual void flush() = 0;
};

/// The system's side of an io_lane: two epoll sets (all sockets, and media sockets by themselves so
/// that neither crowd starves the other), and the list of sockets with something to send.
/// On the lane's thread, but for `wake`.
class reactor {
public:
  /// A registration; closing it is safe in any callback. Owns no descriptor.
  class registration {
  public:
    registration() = default;
    registration(registration&& other) noexcept;
    registration& operator=(registration&& other) noexcept;
    ~registration() { reset(); }
    /// Changes what is waited for.
    void modify(uint32_t events);
    /// Ends the registration; its handler is not called any more, not even in this pass.
    void reset() noexcept;
    [[nodiscard]] bool active() const noexcept { return entry_ != nullptr; }

  private:
    friend class reactor;
    struct entry {
      reactor* owner;
      ready_handler* handler;
      int fd;
      bool media;
    };
    entry* entry_ = nullptr;
  };

  /// `gathering`: how long media may lie where they came, so that one wait hears of many: a wait
  /// that found media lets those that come within this time of it be. 0: none waits.
  static result<std::unique_ptr<reactor>> make(duration gathering = {});
  ~reactor();
  reactor(const reactor&) = delete;
  reactor& operator=(const reactor&) = delete;

  result<registration> add(int fd, uint32_t events, ready_handler& handler, bool media);

  /// Asks for `handler.flush()` at the end of the pass. Once a pass is enough; the caller keeps
  /// track, and must take itself off with `forget` before it dies.
  void want_flush(flush_handler& handler) { flushes_.push_back(&handler); }
  void forget(flush_handler& handler) noexcept;
  void flush_all();

  /// Waits until a descriptor is ready, `wake` was called, or `deadline` has passed. Returns true
  /// if it had to wait.
  bool wait(time_point deadline);
  /// When media that lie there are looked at, whatever else happens; `max` if none do.
  [[nodiscard]] time_point next_media() const noexcept { return look_at_media_; }
  /// Calls the handlers of what `wait` found. Returns the number called.
  size_t dispatch();

  /// Makes `wait` return. Any thread.
  void wake() noexcept;

private:
  reactor() = default;

  size_t dispatch_media();
  void watch_media();

  int main_set_ = -1;
  int media_set_ = -1;
  int wake_fd_ = -1;
  duration gathering_{};
  time_point look_at_media_ = time_point::max(); ///< until then the main set does not hear of media
  size_t found_ = 0;
  std::vector<flush_handler*> flushes_;
  std::vector<std::unique_ptr<registration::entry>> graveyard_; // closed in this pass
};

/// The real clock.
[[nodiscard]] time_point real_now() noexcept;

} // namespace jackfield::lane

#pragma once

#include <functional>
#include <memory>
#include <mutex>
#include <unordered_set>

#include <glib.h>

namespace jackfield::ice {

class agent_session;

/// What the loop's thread, the loop and all agents share: GLib's main context, and who lives on it.
class loop_core {
public:
  loop_core();
  ~loop_core();
  loop_core(const loop_core&) = delete;
  loop_core& operator=(const loop_core&) = delete;

  /// Runs `work` on the loop's thread, after what was given before. Any thread. Once the loop has
  /// stopped, `work` is dropped.
  void post(std::function<void()> work);
  /// As `post`, after a time; loop's thread alone. The source must be given to `cancel`, or have
  /// run.
  [[nodiscard]] GSource* after(unsigned milliseconds, std::function<void()> work);
  static void cancel(GSource*& timer);
  /// The thread's function: runs until `stop`.
  void run();
  /// Any thread: nothing is taken in any more, all agents end, `run` returns.
  void stop();

  [[nodiscard]] GMainContext* context() const noexcept { return context_; }
  /// One that never runs: for sources that are not to be heard.
  [[nodiscard]] GMainContext* unattended() const noexcept { return unattended_; }

  // The loop's thread alone.
  void keep(std::shared_ptr<agent_session> session);
  void drop(const std::shared_ptr<agent_session>& session);
  /// An agent of libnice that takes leave of its TURN servers.
  void note_leaving() noexcept { ++leaving_; }
  void note_left() noexcept { --leaving_; }

private:
  void enqueue(std::function<void()> work);
  void attach(GSource* source, std::function<void()> work);
  void end_all();

  GMainContext* context_;
  GMainContext* unattended_;
  GMainLoop* loop_;
  std::mutex mutex_;
  bool stopped_ = false; // under mutex_
  std::unordered_set<std::shared_ptr<agent_session>> sessions_;
  int leaving_ = 0;
};

} // namespace jackfield::ice

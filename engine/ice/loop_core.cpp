#include "engine/ice/loop_core.hpp"

#include <memory>
#include <utility>

#include "engine/ice/agent_session.hpp"

namespace jackfield::ice {

namespace {

// A TURN server that does not answer must not hold up the end of the program.
constexpr gint64 leave_within_us = 500'000;

gboolean run_work(gpointer data) {
  (*static_cast<std::function<void()>*>(data))();
  return G_SOURCE_REMOVE;
}

void delete_work(gpointer data) {
  const std::unique_ptr<std::function<void()>> owned{static_cast<std::function<void()>*>(data)};
}

} // namespace

loop_core::loop_core()
    : context_(g_main_context_new()), unattended_(g_main_context_new()),
      loop_(g_main_loop_new(context_, FALSE)) {}

loop_core::~loop_core() {
  g_main_loop_unref(loop_);
  g_main_context_unref(unattended_);
  g_main_context_unref(context_);
}

void loop_core::attach(GSource* source, std::function<void()> work) {
  auto owned = std::make_unique<std::function<void()>>(std::move(work));
  g_source_set_callback(source, run_work, owned.release(), delete_work);
  g_source_attach(source, context_);
}

void loop_core::enqueue(std::function<void()> work) {
  GSource* source = g_idle_source_new();
  // Sockets have the same priority: neither side starves the other.
  g_source_set_priority(source, G_PRIORITY_DEFAULT);
  attach(source, std::move(work));
  g_source_unref(source);
}

void loop_core::post(std::function<void()> work) {
  const std::scoped_lock lock{mutex_};
  if (!stopped_)
    enqueue(std::move(work));
}

GSource* loop_core::after(unsigned milliseconds, std::function<void()> work) {
  GSource* source = g_timeout_source_new(milliseconds);
  attach(source, std::move(work));
  return source;
}

void loop_core::cancel(GSource*& timer) {
  if (auto* source = std::exchange(timer, nullptr)) {
    g_source_destroy(source);
    g_source_unref(source);
  }
}

void loop_core::run() {
  g_main_context_push_thread_default(context_);
  g_main_loop_run(loop_);
  end_all();
  g_main_context_pop_thread_default(context_);
}

void loop_core::stop() {
  const std::scoped_lock lock{mutex_};
  // In its turn: what was given before still runs.
  enqueue([this] { g_main_loop_quit(loop_); });
  stopped_ = true;
}

void loop_core::keep(std::shared_ptr<agent_session> session) {
  sessions_.insert(std::move(session));
}

void loop_core::drop(const std::shared_ptr<agent_session>& session) {
  sessions_.erase(session);
}

void loop_core::end_all() {
  while (!sessions_.empty()) {
    const auto session = *sessions_.begin();
    session->end();
  }
  const gint64 end = g_get_monotonic_time() + leave_within_us;
  while (leaving_ > 0 && g_get_monotonic_time() < end) {
    auto* wake = after(20, [] {});
    g_main_context_iteration(context_, TRUE);
    cancel(wake);
  }
  // What libnice still has to say to its own.
  while (g_main_context_iteration(context_, FALSE)) {
  }
}

} // namespace jackfield::ice

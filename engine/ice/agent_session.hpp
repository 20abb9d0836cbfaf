#pragma once

#include <atomic>
#include <cstddef>
#include <memory>
#include <mutex>
#include <span>
#include <vector>

#include <nice/agent.h>

#include "engine/ice/agent_observer.hpp"
#include "engine/ice/agent_settings.hpp"
#include "engine/ice/loop_core.hpp"

namespace jackfield::ice {

/// One libnice agent and who hears of it. It is kept by its loop from `begin` to `end`, and by its
/// handle. All but `silence`, `take_place` and `core` is for the loop's thread.
class agent_session : public std::enable_shared_from_this<agent_session> {
public:
  agent_session(std::shared_ptr<loop_core> core, agent_settings settings, agent_observer& observer);
  agent_session(const agent_session&) = delete;
  agent_session& operator=(const agent_session&) = delete;
  ~agent_session();

  /// Makes and drops an agent, so that what libnice does once is done.
  static void warm_up(loop_core& core);

  void begin();
  void set_remote(const credentials& remote, const std::vector<candidate>& candidates);
  void add_remote(const std::vector<candidate>& candidates);
  void end_remote();
  /// Ends the wait that `take_place` began.
  void send(std::span<const std::byte> packet);
  /// Releases the agent. May be called again.
  void end();

  /// Any thread: false if too many packets wait to be sent already.
  [[nodiscard]] bool take_place() noexcept;
  /// Any thread: waits for a call of the observer under way on another; then there is none.
  void silence();
  [[nodiscard]] loop_core& core() const noexcept { return *core_; }

private:
  /// Signals of libnice.
  static void state_changed(NiceAgent* agent, guint stream, guint component, guint state,
                            gpointer self);
  static void candidate_found(NiceAgent* agent, NiceCandidate* found, gpointer self);
  static void gathering_done(NiceAgent* agent, guint stream, gpointer self);
  static void received(NiceAgent* agent, guint stream, guint component, guint length, gchar* bytes,
                       gpointer self);

  template <class Call>
  void tell(Call&& call);
  [[nodiscard]] bool prepare();
  void take_over();
  void on_packet(std::span<const std::byte> packet);
  void fail_with(const char* place, const char* cause);

  std::shared_ptr<loop_core> core_;
  agent_settings settings_;
  std::recursive_mutex mutex_; // held while the observer is called
  agent_observer* observer_;   // under mutex_; null once silenced
  NiceAgent* agent_ = nullptr;
  guint stream_ = 0;
  GSource* patience_ = nullptr;
  std::vector<early_packet> early_;
  std::atomic<int> waiting_ = 0; // packets that are to be sent
  size_t remote_candidates_ = 0;
  bool remote_known_ = false;
  bool ready_ = false;   // seen, and the take-over is under way
  bool relayed_ = false; // the pair stays with libnice
  bool taken_ = false;   // the socket is another's
  bool ended_ = false;
};

} // namespace jackfield::ice

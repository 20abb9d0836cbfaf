#pragma once

#include <chrono>
#include <cstdint>
#include <functional>
#include <thread>
#include <utility>
#include <vector>

#include <caf/actor.hpp>
#include <caf/actor_control_block.hpp>
#include <caf/allowed_unsafe_message_type.hpp>
#include <caf/behavior.hpp>
#include <caf/event_based_actor.hpp>
#include <caf/message.hpp>

#include "engine/lane/lane_actor.hpp"
#include "storage/commit_log.hpp"

namespace jackfield {

/// To a journal: write these changes, after those that came before. Answered once by
/// `journal_committed` with the same ticket; before that by `journal_failing` each time that they
/// could not be written. They are kept until they are.
struct journal_write {
  uint64_t ticket = 0;
  storage::change changes;
};

/// The changes of all tickets up to this one are in the store, as durable as was asked.
struct journal_committed {
  uint64_t ticket = 0;
};

struct journal_failing {
  storage::fault why;
};

/// To a journal's watcher: what failed has been written.
struct journal_recovered {};

/// To a journal: try again what could not be written.
struct journal_retry {};

/// Of a journal to itself: behind all that its mailbox holds.
struct journal_commit {};

/// What a journal does, whatever runs it. What is in its mailbox, of all lanes, becomes one commit:
/// how much that is follows from how long the one before took.
class journal_work {
public:
  /// `watcher`, if there is one, gets `journal_failing` when writing begins to fail, and
  /// `journal_recovered` when it works again.
  journal_work(storage::commit_log log, caf::strong_actor_ptr watcher)
      : log_(std::move(log)), watcher_(std::move(watcher)) {
    // nop
  }

  using tell = std::function<void(const caf::strong_actor_ptr& to, caf::message content)>;
  void take(journal_write& w, const caf::strong_actor_ptr& from);
  /// Commits what was taken and tells those who wait.
  void commit(const tell& to);
  [[nodiscard]] bool idle() const noexcept { return waiting_.empty(); }
  /// Nobody is told any more.
  void let_go() noexcept {
    waiting_.clear();
    watcher_ = nullptr;
  }

private:
  struct waiting {
    caf::strong_actor_ptr who;
    uint64_t ticket; // the last of theirs
  };
  storage::commit_log log_;
  std::vector<waiting> waiting_;
  caf::strong_actor_ptr watcher_;
  bool failing_ = false;
};

/// The one actor that writes to a node's store. Messages: `journal_write`, `journal_retry`. `Base`
/// decides where it runs, `Pace` how soon a commit may follow another: it rests after each.
template <class Base, class Pace>
class journal_actor : public Base {
public:
  template <class... Ts>
  journal_actor(caf::actor_config& config, journal_work work, Ts&&... where)
      : Base(config, std::forward<Ts>(where)...), work_(std::move(work)) {
    // nop
  }
  const char* name() const override { return "journal"; }

protected:
  /// Lanes' actors are not to be held by a thread of its own any longer.
  void on_exit() override { work_.let_go(); }

  caf::behavior make_behavior() override {
    return {
      [this](journal_write& w) {
        work_.take(w, caf::actor_cast<caf::strong_actor_ptr>(this->current_sender()));
        commit_soon();
      },
      [this](journal_retry) { commit_soon(); },
      [this](journal_commit) {
        committing_ = false;
        pace_.begin();
        work_.commit([this](const caf::strong_actor_ptr& to, caf::message content) {
          this->send(caf::actor_cast<caf::actor>(to), std::move(content));
        });
        pace_.rest();
      },
    };
  }

private:
  void commit_soon() {
    if (!work_.idle() && !std::exchange(committing_, true))
      this->send(this, journal_commit{});
  }

  journal_work work_;
  Pace pace_;
  bool committing_ = false; // `journal_commit` is in the mailbox
};

/// Waking a thread, and a disk, costs more than what is in a commit: all lanes share those that
/// begin every `interval`, and a journal that rests is not woken by what comes. Who waits after a
/// pause waits for the disk alone.
class commit_pace {
public:
  static constexpr std::chrono::milliseconds interval{3};

  void rest() const { std::this_thread::sleep_until(next_); }
  void begin() { next_ = std::chrono::steady_clock::now() + interval; }

private:
  std::chrono::steady_clock::time_point next_;
};

/// Of a real node: spawned `caf::detached`, it waits for the disk on a thread of its own.
using journal = journal_actor<caf::event_based_actor, commit_pace>;

/// A simulated disk is as fast as can be.
struct no_pace {
  static void rest() {}
  static void begin() {}
};

/// Of a simulated lane, on that.
class simulated_journal final : public journal_actor<lane::lane_actor, no_pace> {
public:
  simulated_journal(caf::actor_config& config, lane::lane& home, journal_work work)
      : journal_actor<lane::lane_actor, no_pace>(config, std::move(work), home) {
    // nop
  }
};

} // namespace jackfield

CAF_ALLOW_UNSAFE_MESSAGE_TYPE(jackfield::journal_write)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(jackfield::journal_committed)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(jackfield::journal_failing)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(jackfield::journal_retry)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(jackfield::journal_commit)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(jackfield::journal_recovered)

#pragma once

#include <cstdint>
#include <deque>
#include <functional>
#include <string>

#include <caf/actor.hpp>
#include <caf/scoped_actor.hpp>

#include "app/event_keeper.hpp"
#include "storage/told_events.hpp"

namespace jackfield::app {

/// Of a webhook, to the command: it has come so far.
struct webhook_moved {
  std::string name;
  storage::webhook_record to;
};

/// The numbers of a contact centre's events, and who is told of them: others than us only when an
/// event is kept, where state is, so that no number is ever that of two events. On the command's
/// thread.
class event_book {
public:
  using tell = std::function<void(uint64_t number, const storage::told_event& event)>;

  /// `last`: the number of the last event so far. `keeper`: an `event_keeper`; null: nothing is
  /// kept, and all is told at once.
  event_book(uint64_t last, caf::actor keeper, tell others)
      : last_(last), keeper_(std::move(keeper)), tell_(std::move(others)) {}

  /// The number of the next one.
  [[nodiscard]] uint64_t next() const noexcept { return last_ + 1; }
  /// Of the last one that others were told of.
  [[nodiscard]] uint64_t told() const noexcept { return last_ - waiting_.size(); }
  /// Takes the next one.
  void add(caf::scoped_actor& self, storage::told_event event);
  /// Nobody wants to hear of the next one.
  void pass() noexcept { ++last_; }
  void take(const told_kept& kept);
  /// How far a webhook has come is kept.
  void keep(caf::scoped_actor& self, const std::string& webhook,
            const storage::webhook_record& record);
  /// Some are not kept yet.
  [[nodiscard]] bool busy() const noexcept { return !waiting_.empty(); }
  /// Those, too, are told now: their keeper says nothing.
  void let_go();

private:
  uint64_t last_;
  caf::actor keeper_;
  tell tell_;
  std::deque<storage::told_event> waiting_; // up to `last_`
};

} // namespace jackfield::app

CAF_ALLOW_UNSAFE_MESSAGE_TYPE(jackfield::app::webhook_moved)

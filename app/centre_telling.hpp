#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include <caf/scoped_actor.hpp>

#include "app/centre_api.hpp"
#include "app/centre_records.hpp"
#include "app/event_book.hpp"
#include "app/webhooks/webhooks.hpp"

namespace jackfield::app {

/// Who is told of what happens in a contact centre: its files, its API, and webhooks. On the
/// command's thread.
class centre_telling {
public:
  /// Both outlive it. What `self` gets is for `take`.
  centre_telling(caf::scoped_actor& self, centre_records& files) : self_(self), files_(files) {}

  /// What there is to begin with.
  struct start {
    storage::told_so_far told;               ///< by the process before
    caf::actor keeper;                       ///< an `event_keeper`; null: nothing is kept
    centre_api* api = nullptr;               ///< that has not run; null: there is none
    const storage::store* records = nullptr; ///< for that
    centre_actors actors;                    ///< for that
  };
  /// Has the API run, which tells what the process before told, too; and tells these webhooks,
  /// those that were there before from where they were.
  void begin(start with, std::vector<webhooks::webhook_settings> hooks);
  /// These are told from now on.
  void change(std::vector<webhooks::webhook_settings> hooks);
  /// Names of those that are, in order.
  [[nodiscard]] const std::vector<std::string>& hooks() const noexcept { return names_; }

  void take(const centre_event& event);
  void take(const told_kept& kept) { book_->take(kept); }
  void take(const webhook_moved& hook);
  /// The API is no more.
  void leave_api() noexcept { api_ = nullptr; }
  /// All has happened: webhooks are told what they have not been, if they hear it soon. The rest is
  /// for the next start.
  void finish();

private:
  void tell_others(uint64_t number, const storage::told_event& event);

  caf::scoped_actor& self_;
  centre_records& files_;
  centre_api* api_ = nullptr;
  bool keeps_ = false;
  std::map<std::string, webhooks::webhook_cursor> cursors_; // of all that were ever there
  std::vector<std::string> names_;
  std::optional<webhooks::webhooks> hooks_;
  std::optional<event_book> book_;
};

} // namespace jackfield::app

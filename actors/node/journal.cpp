#include "actors/node/journal.hpp"

#include <algorithm>
#include <utility>

#include <caf/make_message.hpp>

namespace jackfield {

void journal_work::take(journal_write& w, const caf::strong_actor_ptr& from) {
  log_.add(std::move(w.changes));
  const auto known = std::find_if(waiting_.begin(), waiting_.end(),
                                  [&](const waiting& one) { return one.who == from; });
  if (known == waiting_.end())
    waiting_.push_back({from, w.ticket});
  else
    known->ticket = w.ticket;
}

void journal_work::commit(const tell& to) {
  const auto done = log_.commit();
  if (!done) {
    if (!std::exchange(failing_, true) && watcher_)
      to(watcher_, caf::make_message(journal_failing{done.error()}));
    for (const auto& one : waiting_)
      to(one.who, caf::make_message(journal_failing{done.error()}));
    return;
  }
  if (std::exchange(failing_, false) && watcher_)
    to(watcher_, caf::make_message(journal_recovered{}));
  for (const auto& one : std::exchange(waiting_, {}))
    to(one.who, caf::make_message(journal_committed{one.ticket}));
}

} // namespace jackfield

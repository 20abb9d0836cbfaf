#include "app/event_book.hpp"

#include <utility>

namespace jackfield::app {

void event_book::add(caf::scoped_actor& self, storage::told_event event) {
  ++last_;
  if (!keeper_) {
    tell_(last_, event);
    return;
  }
  keep_told write{last_, {}};
  storage::put_told_event(write.writes, last_, event);
  waiting_.push_back(std::move(event));
  self->send(keeper_, std::move(write));
  if (waiting_.size() > storage::kept_told_events) // it has died
    let_go();
}

void event_book::take(const told_kept& kept) {
  while (!waiting_.empty() && last_ + 1 - waiting_.size() <= kept.number) {
    const auto event = std::move(waiting_.front());
    const auto number = last_ + 1 - waiting_.size();
    waiting_.pop_front();
    tell_(number, event);
  }
}

void event_book::keep(caf::scoped_actor& self, const std::string& webhook,
                      const storage::webhook_record& record) {
  if (!keeper_)
    return;
  keep_told write;
  write.writes.put(storage::keyspace::meta, storage::webhook_key(webhook), storage::pack(record));
  self->send(keeper_, std::move(write));
}

void event_book::let_go() {
  take({last_});
}

} // namespace jackfield::app

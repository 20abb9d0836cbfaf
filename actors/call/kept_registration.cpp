#include "actors/call/kept_registration.hpp"

#include <utility>

namespace jackfield {

void kept_registration::write(const storage::registration_record& record,
                              const caf::strong_actor_ptr& waiter) {
  if (!recorder_)
    return;
  cseq_ = record.cseq;
  written_ = true;
  storage::change c;
  c.writes.put(storage::keyspace::registrations, storage::registration_key(key_),
               storage::pack(record));
  c.how = waiter ? recorder_->calls() : storage::durability::async;
  recorder_->write(std::move(c), waiter);
}

void kept_registration::erase() {
  if (!recorder_ || !std::exchange(written_, false))
    return;
  storage::change c;
  c.writes.erase(storage::keyspace::registrations, storage::registration_key(key_));
  c.how = recorder_->calls();
  recorder_->write(std::move(c));
}

} // namespace jackfield

#include "app/webhooks/event_backlog.hpp"

#include <utility>

namespace jackfield::webhooks {

void event_backlog::add(uint64_t seq, event what) {
  while (seq != last_ + 1 && !events_.empty())
    drop_first();
  bytes_ += what.name.size() + what.line.size();
  events_.push_back(std::move(what));
  last_ = seq;
  while (events_.size() > most_ || (bytes_ > most_bytes_ && events_.size() > 1))
    drop_first();
}

void event_backlog::pass(uint64_t last) {
  if (last <= last_)
    return;
  events_.clear();
  bytes_ = 0;
  last_ = last;
}

void event_backlog::drop_first() {
  bytes_ -= events_.front().name.size() + events_.front().line.size();
  events_.pop_front();
}

} // namespace jackfield::webhooks

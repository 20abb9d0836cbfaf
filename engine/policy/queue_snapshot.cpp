#include "engine/policy/queue_snapshot.hpp"

namespace jackfield::policy {

queue_snapshot moved(queue_snapshot snapshot, duration by) {
  const auto move = [by](time_point& at) {
    if (at != never)
      at += by;
  };
  for (auto& who : snapshot.line) {
    move(who.joined);
    move(who.entered);
    move(who.announce_at);
  }
  move(snapshot.estimate.since);
  return snapshot;
}

} // namespace jackfield::policy

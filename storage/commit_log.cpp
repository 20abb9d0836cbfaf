#include "storage/commit_log.hpp"

#include <algorithm>
#include <iterator>
#include <numeric>

#include "storage/records.hpp"

namespace jackfield::storage {

size_t change::bytes() const noexcept {
  return std::accumulate(events.begin(), events.end(), writes.bytes(),
                         [](size_t sum, const std::string& event) { return sum + event.size(); });
}

void change::append(change&& later) {
  writes.append(std::move(later.writes));
  std::move(later.events.begin(), later.events.end(), std::back_inserter(events));
  how = std::max(how, later.how);
}

outcome<commit_log> commit_log::begin(store& s) {
  auto last = s.last_key(keyspace::events);
  if (!last)
    return tl::unexpected{std::move(last.error())};
  const auto number = *last ? number_of_key(**last) : std::optional<uint64_t>{0};
  if (!number)
    return fail(fault_kind::corrupt, "events", "the last key is no sequence number");
  return commit_log{s, *number + 1};
}

outcome<void> commit_log::commit() {
  // From here on an event has its number: what fails is written with the same the next time.
  for (auto& event : pending_.events)
    pending_.writes.put(keyspace::events, event_key(next_event_++), std::move(event));
  pending_.events.clear();
  if (pending_.writes.empty())
    return {};
  if (auto written = store_->write(pending_.writes, pending_.how); !written)
    return written;
  pending_ = {};
  return {};
}

} // namespace jackfield::storage

#include "app/http/event_feed.hpp"

#include <algorithm>
#include <utility>

namespace jackfield::http {

answer event_feed::told(uint64_t after, size_t limit) const {
  const auto part = ring_.after(after, limit);
  answer out;
  out.body = "{\"events\":[" + part.lines + "],\"next\":" + std::to_string(part.last) +
             ",\"oldest\":" + std::to_string(ring_.first()) +
             ",\"newest\":" + std::to_string(ring_.last()) + "}\n";
  return out;
}

void event_feed::add(uint64_t seq, std::string line) {
  std::vector<std::pair<handler::reply, answer>> due;
  {
    const std::lock_guard lock{mutex_};
    ring_.add(seq, std::move(line));
    for (auto& each : waiting_)
      due.emplace_back(std::move(each.answer_with), told(each.after, each.limit));
    waiting_.clear();
  }
  for (auto& [answer_with, what] : due)
    answer_with(std::move(what));
}

void event_feed::read(const wish& what, handler::reply answer_with) {
  std::unique_lock lock{mutex_};
  const auto after = what.after.value_or(ring_.first() - 1);
  answer out;
  if (!ring_.follows(after)) {
    out = problem(410,
                  after > ring_.last()
                    ? "there was no such event yet, the newest is " + std::to_string(ring_.last())
                    : "events behind it are gone, the oldest is " + std::to_string(ring_.first()),
                  "after");
  } else if (after < ring_.last() || !what.until) {
    out = told(after, what.limit);
  } else if (waiting_.size() < most_waiting) {
    waiting_.push_back({after, what.limit, *what.until, std::move(answer_with)});
    return;
  } else {
    out = problem(503, "too many wait for events", "wait");
    out.headers.emplace_back("Retry-After", "5");
  }
  lock.unlock();
  answer_with(std::move(out));
}

void event_feed::on_time(clock::time_point now) {
  std::vector<std::pair<handler::reply, answer>> due;
  {
    const std::lock_guard lock{mutex_};
    std::erase_if(waiting_, [&](waiter& each) {
      if (each.until > now)
        return false;
      due.emplace_back(std::move(each.answer_with), told(each.after, each.limit));
      return true;
    });
  }
  for (auto& [answer_with, what] : due)
    answer_with(std::move(what));
}

void event_feed::clear() {
  const std::lock_guard lock{mutex_};
  waiting_.clear();
}

} // namespace jackfield::http

#include "app/http/event_feed.hpp"

#include <algorithm>
#include <atomic>
#include <iterator>
#include <utility>

namespace jackfield::http {

class event_feed::following final : public message_source {
public:
  following(event_feed& feed, uint64_t after)
      : feed_(feed), after_(std::make_shared<std::atomic<uint64_t>>(after)) {}
  ~following() override { feed_.forget(this); }
  following(const following&) = delete;
  following& operator=(const following&) = delete;

  void next(reply tell) override {
    static constexpr size_t most_in_a_message = 100;
    feed_.read(
      {*after_, most_in_a_message, clock::time_point::max()},
      [after = after_, tell = std::move(tell)](answer what, uint64_t next) {
        *after = next;
        tell(std::move(what));
      },
      this);
  }

private:
  event_feed& feed_;
  std::shared_ptr<std::atomic<uint64_t>> after_; // whoever tells may be there longer than we
};

event_feed::part event_feed::told(uint64_t after, size_t limit) const {
  const auto found = ring_.after(after, limit);
  answer out;
  out.body = "{\"events\":[" + found.lines + "],\"next\":" + std::to_string(found.last) +
             ",\"oldest\":" + std::to_string(ring_.first()) +
             ",\"newest\":" + std::to_string(ring_.last()) + "}\n";
  return {std::move(out), found.last};
}

answer event_feed::gone(uint64_t after) const {
  return problem(410,
                 after > ring_.last()
                   ? "there was no such event yet, the newest is " + std::to_string(ring_.last())
                   : "events behind it are gone, the oldest is " + std::to_string(ring_.first()),
                 "after");
}

void event_feed::add(uint64_t seq, std::string line) {
  std::vector<std::pair<told_with, part>> due;
  {
    const std::lock_guard lock{mutex_};
    ring_.add(seq, std::move(line));
    for (auto& each : waiting_)
      due.emplace_back(std::move(each.tell), told(each.after, each.limit));
    waiting_.clear();
  }
  for (auto& [tell, what] : due)
    tell(std::move(what.what), what.next);
}

void event_feed::read(const wish& what, reply answer_with) {
  read(
    what, [answer_with = std::move(answer_with)](answer a, uint64_t) { answer_with(std::move(a)); },
    nullptr);
}

void event_feed::read(const wish& what, told_with tell, const following* whose) {
  std::unique_lock lock{mutex_};
  const auto after = what.after.value_or(ring_.first() - 1);
  part out{{}, after};
  if (!ring_.follows(after)) {
    out.what = gone(after);
  } else if (after < ring_.last() || !what.until) {
    out = told(after, what.limit);
  } else if (waiting_.size() < most_waiting) {
    waiting_.push_back({after, what.limit, *what.until, std::move(tell), whose});
    return;
  } else {
    out.what = problem(503, "too many wait for events", "wait");
    out.what.headers.emplace_back("Retry-After", "5");
  }
  lock.unlock();
  tell(std::move(out.what), out.next);
}

tl::expected<std::unique_ptr<message_source>, answer>
event_feed::follow(std::optional<uint64_t> after) {
  const std::lock_guard lock{mutex_};
  const auto from = after.value_or(ring_.first() - 1);
  if (!ring_.follows(from))
    return tl::unexpected{gone(from)};
  return std::make_unique<following>(*this, from);
}

// What it had to tell was moved out before, or goes behind the lock: it may end a connection.
void event_feed::forget(const following* whose) {
  std::vector<waiter> let_go;
  const std::lock_guard lock{mutex_};
  const auto gone = std::partition(waiting_.begin(), waiting_.end(),
                                   [&](const waiter& each) { return each.whose != whose; });
  std::move(gone, waiting_.end(), std::back_inserter(let_go));
  waiting_.erase(gone, waiting_.end());
}

void event_feed::on_time(clock::time_point now) {
  std::vector<std::pair<told_with, part>> due;
  {
    const std::lock_guard lock{mutex_};
    std::erase_if(waiting_, [&](waiter& each) {
      if (each.until > now)
        return false;
      due.emplace_back(std::move(each.tell), told(each.after, each.limit));
      return true;
    });
  }
  for (auto& [tell, what] : due)
    tell(std::move(what.what), what.next);
}

void event_feed::clear() {
  std::vector<waiter> let_go;
  const std::lock_guard lock{mutex_};
  let_go.swap(waiting_);
}

} // namespace jackfield::http

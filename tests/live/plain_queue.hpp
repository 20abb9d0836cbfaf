#pragma once

#include <cstdint>
#include <deque>
#include <map>
#include <string>
#include <utility>
#include <vector>

#include "tests/live/stand_in.hpp"

namespace jackfield {

/// A queue that gives callers to agents in order, and hands on who calls. On the stand-in's thread.
class plain_queue {
public:
  explicit plain_queue(size_t agents) {
    for (size_t i = 0; i < agents; ++i)
      free_.push_back(i);
  }
  [[nodiscard]] stand_in::script script() {
    return {[this](stand_in& pbx, uint64_t ticket) { on_placed(pbx, ticket); },
            [this](stand_in& pbx, uint64_t ticket) { on_hung_up(pbx, ticket); }};
  }
  bool shows_callers = true;

private:
  void on_placed(stand_in& pbx, uint64_t ticket) {
    pbx.answered(ticket);
    waiting_.push_back(ticket);
    serve(pbx);
  }
  void serve(stand_in& pbx) {
    while (!waiting_.empty() && !free_.empty()) {
      const auto ticket = waiting_.front();
      const auto user = free_.front();
      waiting_.pop_front();
      free_.pop_front();
      const auto call = shows_callers ? pbx.ring(user, ticket) : pbx.ring(user, "anonymous");
      pbx.talks(user, call);
      talks_[ticket] = {user, call};
    }
  }
  void on_hung_up(stand_in& pbx, uint64_t ticket) {
    std::erase(waiting_, ticket);
    if (const auto talk = talks_.extract(ticket)) {
      const auto [user, call] = talk.mapped();
      pbx.free(user, call);
      free_.push_back(user);
    }
    pbx.gone(ticket, true);
    serve(pbx);
  }

  std::deque<uint64_t> waiting_;
  std::deque<size_t> free_;
  std::map<uint64_t, std::pair<size_t, caf::actor_id>> talks_;
};

/// So many times, from 0 on.
inline std::vector<stand_in::time> every(stand_in::time gap, int times) {
  std::vector<stand_in::time> out(static_cast<size_t>(times));
  for (int i = 0; i < times; ++i)
    out[static_cast<size_t>(i)] = i * gap;
  return out;
}

} // namespace jackfield

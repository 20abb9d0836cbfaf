#include "app/event_keeper.hpp"

#include <utility>

namespace jackfield::app {

caf::behavior event_keeper::make_behavior() {
  return {
    [this](keep_told& what) {
      storage::change change;
      change.writes = std::move(what.writes);
      if (what.number == 0) {
        keeps_.write(std::move(change));
        return;
      }
      waiting_.push_back({what.number, caf::actor_cast<caf::strong_actor_ptr>(current_sender())});
      keeps_.write(std::move(change), caf::strong_actor_ptr{ctrl()});
    },
    [this](const recorded& /*how*/) {
      if (waiting_.empty())
        return;
      const auto first = std::move(waiting_.front());
      waiting_.pop_front();
      lane::tell_from(*this, first.who, told_kept{first.number});
    },
  };
}

} // namespace jackfield::app

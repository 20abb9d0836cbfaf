#pragma once

#include <atomic>
#include <cstddef>
#include <new>
#include <utility>

#include <caf/abstract_actor.hpp>
#include <caf/actor_control_block.hpp>
#include <caf/actor_system.hpp>
#include <caf/config.hpp>

namespace jackfield::lane {

/// Where a lane's actor lives, laid out as `caf::actor_storage` is: the control block with the
/// reference counts, then the actor a cache line further on. It differs in how an actor ends:
/// whichever thread lets go of the last reference (a message still in another lane's mailbox names
/// its sender), the actor is destroyed on its own lane, where its timers and sockets are.
template <class T>
class actor_cell {
public:
  template <class... Ts>
  actor_cell(caf::actor_system* system, caf::node_id node, Ts&&... xs)
      : control(system->next_actor_id(), node, system, &end, &release) {
    new (&data) T(std::forward<Ts>(xs)...);
  }
  ~actor_cell() { // `data` ended before, in `destroy`
    static_assert(alignof(T) <= alignof(std::max_align_t),
                  "would not begin where CAF looks for it");
  }
  actor_cell(const actor_cell&) = delete;
  actor_cell& operator=(const actor_cell&) = delete;

  caf::actor_control_block control;
  /// Orders the actor's end before its memory's, as CAF's counts do; ThreadSanitizer does not see
  /// those, for Debian's library is built without it.
  std::atomic<bool> destroyed{false};
  char pad[CAF_CACHE_LINE_SIZE - sizeof(caf::actor_control_block) - sizeof(std::atomic<bool>)];
  union {
    T data;
  };

private:
  static actor_cell* cell_of(caf::actor_control_block* block) {
    return reinterpret_cast<actor_cell*>(block);
  }
  static void end(caf::abstract_actor* actor) {
    static_cast<T*>(actor)->home().end_actor(*actor, &destroy);
  }
  static void destroy(caf::abstract_actor* actor) {
    auto* cell = cell_of(caf::actor_control_block::from(actor));
    actor->on_destroy();
    cell->data.~T();
    cell->destroyed.store(true, std::memory_order_release);
  }
  static void release(caf::actor_control_block* block) {
    auto* cell = cell_of(block);
    (void)cell->destroyed.load(std::memory_order_acquire);
    delete cell;
  }
};

} // namespace jackfield::lane

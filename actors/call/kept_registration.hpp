#pragma once

#include <cstdint>

#include <caf/actor_control_block.hpp>

#include "actors/node/recorder.hpp"
#include "storage/records.hpp"

namespace jackfield {

/// What a registration has the journal keep: the record by which its binding can be removed at the
/// registrar, by whoever comes after a crash. A part of the actor that makes its REGISTERs.
class kept_registration {
public:
  /// REGISTERs that may have left after the last record of them was written, which nobody waits
  /// for: a refresh and the removal, and what follows each on a challenge, a 423, a redirection or
  /// another server. Who goes on passes over as many numbers.
  static constexpr uint32_t unrecorded_requests = 16;

  /// Nothing is kept.
  kept_registration() = default;
  /// `where`, on the actor's lane, outlives it; null: nothing is kept. `number`: the registration's
  /// in its run.
  kept_registration(recorder* where, uint64_t number)
      : recorder_(where), key_{where != nullptr ? where->run() : 0, number} {}
  /// One that a crash left in the store.
  kept_registration(recorder* where, const storage::call_key& key)
      : recorder_(where), key_(key), written_(true) {}

  /// Something is kept of it.
  [[nodiscard]] explicit operator bool() const noexcept { return recorder_ != nullptr; }

  /// Has the record written. `waiter`, if there is one, gets `recorded`.
  void write(const storage::registration_record& record,
             const caf::strong_actor_ptr& waiter = nullptr);
  /// There is no binding any more, or nobody cares for it. Once; nothing where there is no record.
  void erase();
  /// The CSeq in the record that was written last here; 0: none was.
  [[nodiscard]] uint32_t cseq() const noexcept { return cseq_; }

private:
  recorder* recorder_ = nullptr;
  storage::call_key key_;
  uint32_t cseq_ = 0;
  bool written_ = false; // and not erased
};

} // namespace jackfield

#pragma once

#include <atomic>
#include <cstdint>
#include <deque>
#include <memory>
#include <optional>
#include <unordered_map>
#include <vector>

#include <caf/actor_control_block.hpp>

#include "engine/lane/lane_actor.hpp"
#include "engine/sip/leg_id.hpp"
#include "engine/transport/flow.hpp"
#include "engine/transport/flow_end.hpp"

namespace jackfield {

/// To every actor that owns a leg: the connection it used is over.
struct flow_lost {
  transport::flow which;
  std::shared_ptr<const transport::flow_end> how; ///< null: nobody knows
};

/// To every actor that owns a leg: the host of this UDP peer has nobody at its port, it says.
struct peer_refused {
  transport::flow which;
  lane::time_point at; ///< when it said so, last
};

/// Who is who on one lane's wire: gives legs their identity, finds the actor behind one, and knows
/// which legs use a connection. On its lane's thread.
class leg_table {
public:
  static constexpr size_t all_slots = sip::leg_id::max_slot + size_t{1};

  /// `lane`: in the identifiers. `capacity`: legs open at once, up to `all_slots`.
  leg_table(lane::lane& home, uint8_t lane, size_t capacity)
      : home_(home), lane_(lane), capacity_(capacity) {}
  ~leg_table();
  leg_table(const leg_table&) = delete;
  leg_table& operator=(const leg_table&) = delete;

  /// Gives `owner` an identity. Nothing when the table is full. The table keeps the actor alive
  /// until `close`.
  std::optional<sip::leg_id> open(lane::lane_actor& owner);
  /// Gives `owner` the identity that its leg had before (a dialog from a store). False if that is
  /// of another lane, or somebody has its slot.
  bool adopt(lane::lane_actor& owner, const sip::leg_id& leg);
  void close(const sip::leg_id& leg) noexcept;
  /// From now on the leg's actor receives `flow_lost` if this connection ends. One a leg: another
  /// call replaces the first. UDP flows do not end.
  void attach(const sip::leg_id& leg, const transport::flow& f);

  /// The leg's actor; null if there is no such leg (any more).
  [[nodiscard]] const caf::strong_actor_ptr* find(const sip::leg_id& leg) noexcept;
  /// The actors of legs that are attached to a connection.
  [[nodiscard]] std::vector<caf::strong_actor_ptr> attached_to(const transport::flow& f) const;
  /// Tells the legs that are attached to a connection that it is over.
  void on_flow_failed(const transport::flow& gone,
                      const std::shared_ptr<const transport::flow_end>& how);

  /// Tells all legs: they know whom theirs is.
  void on_peer_refused(const peer_refused& by);

  /// Ends the actors of all legs, whatever they are about: of a lane that stops.
  void end_all();

  /// Legs open now. Any thread.
  [[nodiscard]] size_t size() const noexcept { return open_.load(std::memory_order_relaxed); }
  /// Any thread.
  [[nodiscard]] bool has_room() const noexcept { return size() < capacity_; }

private:
  static constexpr uint32_t no_slot = UINT32_MAX;
  /// A connection of whichever lane.
  struct connection_key {
    transport::connection_handle handle;
    uint8_t lane = 0;
    friend bool operator==(const connection_key&, const connection_key&) = default;
  };
  struct key_hash {
    size_t operator()(const connection_key& k) const noexcept {
      return std::hash<uint64_t>{}((uint64_t{k.handle.generation} << 32U) ^ k.handle.index ^
                                   (uint64_t{k.lane} << 56U));
    }
  };
  struct slot {
    caf::strong_actor_ptr owner;
    sip::leg_id id;
    // the other legs attached to the same connection
    connection_key attached;
    uint32_t next = no_slot;
    uint32_t previous = no_slot;
  };

  [[nodiscard]] slot* slot_of(const sip::leg_id& leg) noexcept;
  void detach(slot& s) noexcept;
  uint32_t add_slot();

  void count(size_t open) noexcept { open_.store(open, std::memory_order_relaxed); }

  lane::lane& home_;
  const uint8_t lane_;
  const size_t capacity_;
  std::vector<slot> slots_;
  std::deque<uint32_t> free_;
  /// Connection -> its first leg's slot.
  std::unordered_map<connection_key, uint32_t, key_hash> attached_;
  std::atomic<size_t> open_{0}; // written here only
};

} // namespace jackfield

CAF_ALLOW_UNSAFE_MESSAGE_TYPE(jackfield::flow_lost)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(jackfield::peer_refused)

#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string_view>
#include <unordered_map>
#include <unordered_set>
#include <vector>

#include "actors/wire/lane_mailbox.hpp"
#include "actors/wire/sip_arrival.hpp"
#include "engine/lane/lane.hpp"
#include "engine/transport/flow.hpp"
#include "engine/transport/flow_end.hpp"

namespace jackfield {

class sip_router;

/// One router's side of several that serve as one, a lane each: they listen at the same addresses,
/// and since the system spreads what comes in by its source alone, each hands to the others what is
/// theirs:
///
/// - What belongs to a leg goes to the lane that the leg's identifier names.
/// - What belongs to no leg yet (an INVITE, its copies, CANCEL, ACK) goes to the lane that
///   `home_of` computes without a memory, so that all that must meet does: a retransmission, a
///   merged request. There it becomes a call if there is room, otherwise on the lane that has most
///   (`with_room`), and the home lane passes on what follows.
/// - A connection stays on its lane; others send over it by handing the bytes to it.
///
/// Nothing is shared but three relaxed atomics of each lane: whether it lags, how many legs it has,
/// and how many of them wait for a client. A router that was not joined is alone: everything is its
/// own.
///
/// On its lane's thread, but for `join`.
class lane_peers {
public:
  /// Lanes that can serve together.
  static constexpr size_t most = 64;

  lane_peers(sip_router& own, uint8_t position) : own_(own), position_(position) {}
  /// The others go on without this one. No lane runs.
  ~lane_peers();
  lane_peers(const lane_peers&) = delete;
  lane_peers& operator=(const lane_peers&) = delete;

  /// Makes routers serve as one; the one at `i` has position `i`, and all have one seed. At most
  /// `most`; before anything comes in.
  static void join(const std::vector<sip_router*>& routers);

  /// In leg identifiers and flows.
  [[nodiscard]] uint8_t position() const noexcept { return position_; }
  [[nodiscard]] size_t count() const noexcept { return group_ ? group_->routers.size() : 1; }
  /// Is this another one of us?
  [[nodiscard]] bool knows(size_t other) const noexcept {
    return group_ && other != position_ && other < group_->routers.size();
  }

  /// The lane that decides about a request out of dialog. `key`: `sip::attempt_key`.
  [[nodiscard]] uint8_t home_of(uint64_t key) const noexcept {
    return static_cast<uint8_t>(group_ ? key % group_->routers.size() : position_);
  }
  /// Which other lane has room, and the fewest legs; nothing if none has.
  [[nodiscard]] std::optional<uint8_t> with_room() const;

  /// Hands a message over. False if it cannot be: the other lane is hopelessly behind.
  bool hand(uint8_t to, const sip_arrival& arrival, errand what);
  /// Sends over another lane's flow. A failure comes as that of the flow, if it is borrowed.
  bool send(const transport::flow& over, std::string_view bytes, uint8_t rank);
  /// Does something on another lane.
  void post(uint8_t to, std::function<void(sip_router&)> what);
  /// The same on all others of which `whom` is true; it may ask for what any thread may.
  void post_to_all(const std::function<void(sip_router&)>& what,
                   const std::function<bool(const sip_router&)>& whom);

  /// From now on this lane is told when another one's connection ends. Again and again is cheap.
  void borrow(const transport::flow& theirs);
  /// A connection of our own is over: those that borrowed it are told. `how` may be null.
  void on_flow_failed(const transport::flow& gone,
                      const std::shared_ptr<const transport::flow_end>& how);

  /// Messages that could not be handed over.
  [[nodiscard]] uint64_t drops() const noexcept { return drops_; }

private:
  struct group {
    std::vector<sip_router*> routers;                // null: gone
    std::vector<std::unique_ptr<lane_mailbox>> ways; // from * count + to
  };
  struct connection_hash {
    size_t operator()(const transport::flow& f) const noexcept {
      return std::hash<uint64_t>{}((uint64_t{f.handle.generation} << 32U) ^ f.handle.index ^
                                   (uint64_t{f.lane} << 56U));
    }
  };

  bool put(uint8_t to, const lane_mailbox::item& i, std::string_view bytes);
  /// On the receiving lane: what `from` handed over.
  void empty(uint8_t from);
  void lend(const transport::flow& ours, uint8_t to);
  void on_borrowed_failed(const transport::flow& gone,
                          const std::shared_ptr<const transport::flow_end>& how);

  sip_router& own_;
  const uint8_t position_;
  std::shared_ptr<group> group_;
  std::unordered_set<transport::flow, connection_hash> borrowed_;
  /// Our connections that others use: a bit for each lane.
  std::unordered_map<transport::flow, uint64_t, connection_hash> lent_;
  uint64_t drops_ = 0;
};

} // namespace jackfield

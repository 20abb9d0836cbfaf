#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <set>
#include <tuple>
#include <vector>

#include "engine/policy/messages.hpp"
#include "engine/policy/queue_rules.hpp"

/// What a queue's desk is made of; its own business.
namespace jackfield::policy {

/// Where a caller stands: smaller is served first.
struct place {
  int64_t rank = 0; ///< priority, turned round
  time_point at{};
  uint64_t order = 0; ///< of coming in, so that no two are alike

  auto operator<=>(const place&) const = default;
};

struct waiting_caller {
  call_id id{};
  int32_t priority = 0;
  std::vector<wanted_skill> wants;
  bool wants_by_rules = false;     ///< it brought none of its own
  std::vector<wanted_skill> needs; ///< what is left of that by now
  time_point joined{};
  time_point entered{};
  place stands{};
  int32_t open_tier = -1; ///< -1: none yet
  size_t tier_steps = 0;  ///< passed
  size_t skill_steps = 0;
  std::vector<bid_id> bids; ///< on their way for it; more than one where a queue rings all
  time_point widen_at = never;
  time_point announce_at = never;
  time_point overdue_at = never;
  time_point due = never; ///< in the agenda
  bool found_nobody = false;
  bool open = false; ///< stands in the list of those who may be brought to somebody
  std::optional<overflow_reason> leaves; ///< once nothing rings for it

  [[nodiscard]] uint64_t order() const noexcept { return stands.order; }
};

struct queue_member {
  agent_id id{};
  uint64_t number = 0; ///< in the order in which they became members
  membership part;
  agent_status status;
  bool known = false;        ///< a status has come
  std::optional<bid_id> bid; ///< of this queue, to it
  bool silent = false;       ///< left alone until `due`, or until it is heard from
  time_point due = never;    ///< in the agenda
  bool pooled = false;
  size_t pool_index = 0;

  [[nodiscard]] uint64_t order() const noexcept { return number; }
};

struct live_bid {
  bid_id id{};
  waiting_caller* who = nullptr; ///< null: withdrawn, the answer to it is still to come
  queue_member* whom = nullptr;
  bool offered = false;
  time_point due = never; ///< in the agenda

  [[nodiscard]] uint64_t order() const noexcept { return static_cast<uint64_t>(id); }
};

/// Who is due when. `T` has `due`, which is this class's to write, and `order()`, which tells those
/// apart that are due at the same time. O(log n).
template <class T>
class agenda {
public:
  void set(T& what, time_point at) {
    if (what.due == at)
      return;
    clear(what);
    what.due = at;
    if (at != never)
      entries_.insert({at, what.order(), &what});
  }
  void clear(T& what) {
    if (what.due != never)
      entries_.erase({what.due, what.order(), &what});
    what.due = never;
  }
  [[nodiscard]] time_point next() const noexcept {
    return entries_.empty() ? never : entries_.begin()->at;
  }
  /// Takes the first one out that is due; null if none is.
  T* take(time_point now) {
    if (next() > now || entries_.empty())
      return nullptr;
    auto& first = *entries_.begin()->what;
    clear(first);
    return &first;
  }

private:
  struct entry {
    time_point at;
    uint64_t order;
    T* what;

    bool operator<(const entry& other) const noexcept {
      return std::tie(at, order) < std::tie(other.at, other.order);
    }
  };
  std::set<entry> entries_;
};

/// Callers in their order, in one block of memory: some thousands are moved in a microsecond, and a
/// position is a binary search.
class standing_line {
public:
  struct entry {
    place stands;
    waiting_caller* who = nullptr;
  };

  void insert(waiting_caller& who) { entries_.insert(find(who.stands), {who.stands, &who}); }
  void erase(const waiting_caller& who) { entries_.erase(find(who.stands)); }
  void clear() noexcept { entries_.clear(); }
  /// How many stand before.
  [[nodiscard]] size_t before(const place& stands) const {
    return static_cast<size_t>(std::ranges::lower_bound(entries_, stands, {}, &entry::stands) -
                               entries_.begin());
  }
  [[nodiscard]] size_t size() const noexcept { return entries_.size(); }
  [[nodiscard]] bool empty() const noexcept { return entries_.empty(); }
  [[nodiscard]] auto begin() const noexcept { return entries_.begin(); }
  [[nodiscard]] auto end() const noexcept { return entries_.end(); }

private:
  std::vector<entry>::iterator find(const place& stands) {
    return std::ranges::lower_bound(entries_, stands, {}, &entry::stands);
  }
  std::vector<entry> entries_;
};

} // namespace jackfield::policy

#pragma once

#include <cstddef>
#include <cstdint>
#include <map>
#include <set>
#include <span>
#include <vector>

#include "engine/policy/queue_parts.hpp"
#include "engine/policy/queue_snapshot.hpp"

namespace jackfield::policy {

/// The members of a queue that are available, kept in the order of its strategy. Adding, removing
/// and picking are O(log n) while the first one fits, O(1) for `random`; one that is given a filter
/// looks on from there.
class idle_pool {
public:
  explicit idle_pool(uint64_t seed) : random_(seed) {}

  /// Empties it.
  void use(strategy picks);
  /// By what is in its status now. Not twice.
  void add(queue_member& member);
  /// Does nothing if it is not there.
  void remove(queue_member& member);
  [[nodiscard]] size_t size() const noexcept { return size_; }

  /// Whom the strategy picks in the lowest tier, up to this one, that has somebody with these
  /// skills. Null: nobody. Not for `ring_all`.
  [[nodiscard]] queue_member* pick(uint16_t up_to_tier, std::span<const wanted_skill> needs);
  /// All of them that fit, in the order of tier and position; for `ring_all`.
  void collect(uint16_t up_to_tier, std::span<const wanted_skill> needs,
               std::vector<queue_member*>& into) const;
  /// The one picked is bid for: it is its turn no more. After `remove`.
  void took(const queue_member& member);

  [[nodiscard]] std::vector<queue_snapshot::turn> turns() const;
  void set_turns(std::span<const queue_snapshot::turn> turns);

private:
  struct key {
    uint16_t tier = 0;
    int64_t measure = 0; // by strategy
    uint32_t position = 0;
    uint64_t number = 0;

    auto operator<=>(const key&) const = default;
  };
  struct entry {
    key by;
    queue_member* who = nullptr;

    bool operator<(const entry& other) const noexcept { return by < other.by; }
  };
  struct turn {
    uint32_t position = 0;
    uint64_t number = 0;
  };
  using order = std::set<entry>;

  [[nodiscard]] key key_of(const queue_member& member) const noexcept;
  [[nodiscard]] queue_member* pick_at_random(uint16_t up_to_tier,
                                             std::span<const wanted_skill> needs);
  [[nodiscard]] queue_member* pick_in_turn(uint16_t up_to_tier,
                                           std::span<const wanted_skill> needs) const;
  /// SplitMix64 (Steele, Lea, Flood 2014); uniform in [0, bound).
  [[nodiscard]] uint64_t below(uint64_t bound) noexcept;

  strategy picks_ = strategy::longest_idle;
  order order_;
  std::map<uint16_t, std::vector<queue_member*>> tiers_; // `random` has these instead
  std::map<uint16_t, turn> turns_;
  size_t size_ = 0;
  uint64_t random_;
};

} // namespace jackfield::policy

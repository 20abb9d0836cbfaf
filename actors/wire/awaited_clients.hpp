#pragma once

#include <atomic>
#include <cstddef>
#include <map>
#include <vector>

#include "actors/wire/client_name.hpp"
#include "engine/sip/leg_id.hpp"

namespace jackfield {

/// Which legs of a lane have lost the way to a client that only it can make. On the lane's thread,
/// but for `size`.
class awaited_clients {
public:
  void add(const client_name& who, const sip::leg_id& leg);
  void remove(const client_name& who, const sip::leg_id& leg);
  /// In the order in which they began to wait.
  [[nodiscard]] std::vector<sip::leg_id> of(const client_name& who) const;

  /// Any thread.
  [[nodiscard]] size_t size() const noexcept { return size_.load(std::memory_order_relaxed); }

private:
  std::map<client_name, std::vector<sip::leg_id>> legs_;
  std::atomic<size_t> size_{0}; // written on the lane only
};

} // namespace jackfield

#pragma once

#include <chrono>
#include <cstdint>
#include <unordered_map>

#include "engine/lane/endpoint.hpp"
#include "engine/lane/timer_wheel.hpp"

namespace jackfield {

/// Who guesses passwords: an address (of IPv6: its /64) from which so many wrong ones came within a
/// while is not heard for some time, so that trying all costs years. A right password in between
/// begins anew, so that a site behind one address is not kept out by a phone with an old password.
/// This machine's own addresses are let off: who is on it needs no guessing, and proxies are.
///
/// Bounded: beyond `most_addresses` those who failed longest ago are forgotten. One a lane.
class login_guard {
public:
  struct settings {
    unsigned most_failures = 20;
    lane::duration within = std::chrono::minutes{1};
    lane::duration rest = std::chrono::minutes{5};
    size_t most_addresses = 16'384;
  };

  login_guard() : login_guard(settings{}) {}
  explicit login_guard(const settings& how) : settings_(how) {}

  /// Nothing is to be answered.
  [[nodiscard]] bool is_banned(const lane::endpoint& from, lane::time_point now) const;
  /// A wrong password, or a wrong name; true: it is banned from now.
  bool on_failure(const lane::endpoint& from, lane::time_point now);
  void on_success(const lane::endpoint& from);

  /// Bans so far.
  [[nodiscard]] uint64_t bans() const noexcept { return bans_; }
  [[nodiscard]] size_t size() const noexcept { return known_.size(); }

private:
  struct record {
    unsigned failures = 0;
    lane::time_point since{};        // of the first of them
    lane::time_point banned_until{}; // in the past: it is not
  };

  void make_room(lane::time_point now);

  settings settings_;
  std::unordered_map<lane::endpoint, record> known_; // by address, port 0
  uint64_t bans_ = 0;
};

} // namespace jackfield

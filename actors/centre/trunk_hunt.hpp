#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "actors/call/call_settings.hpp"
#include "actors/call/leg_messages.hpp"
#include "actors/centre/trunk_book.hpp"

namespace jackfield {

/// A call to the outside on its way through trunks: which is tried, and which then. A part of the
/// call's actor.
class trunk_hunt {
public:
  /// `route` leads to `number`; for `agent`, whose name the outside sees where a trunk has no other
  /// for it. `trail` is that of the call which came.
  trunk_hunt(std::shared_ptr<const trunk_book> book, const outside_route& route, std::string number,
             std::string agent, call_trail trail);

  /// Goes on to the next trunk that takes a call now: of those in service the first that does not
  /// rest, else one that does. None is tried twice. False: there is none left.
  [[nodiscard]] bool next(lane::time_point now);
  /// The URI whose servers the INVITE goes to, whom it calls, and how. After `next`.
  [[nodiscard]] const std::string& server() const noexcept { return at().profile().uri; }
  [[nodiscard]] std::shared_ptr<const call_target> whom() const;
  [[nodiscard]] const std::shared_ptr<const transport::open_settings>&
  connections() const noexcept {
    return at().profile().connections;
  }
  /// The leg ended so before it rang. True: that was the trunk, not who is called, so another may
  /// be tried; this one rests.
  [[nodiscard]] bool was_trunk(const leg_events::ended& ended, lane::time_point now);
  /// As that, where its server could not be found.
  void not_found(lane::time_point now);

private:
  [[nodiscard]] trunk_line& at() const noexcept { return call_->line(); }

  std::shared_ptr<const trunk_book> book_;
  std::vector<size_t> untried_; // places in the book
  const outside_route& route_;
  std::string number_;
  std::string agent_;
  call_trail trail_;
  std::optional<trunk_call> call_;
};

} // namespace jackfield

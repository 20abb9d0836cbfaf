#pragma once

#include <cstddef>
#include <cstdint>
#include <mutex>
#include <string>
#include <string_view>
#include <vector>

#include "engine/lane/timer_wheel.hpp"
#include "engine/transport/flow.hpp"

namespace jackfield {

/// What a lane is to do with a message that another one hands to it.
enum class errand : uint8_t {
  /// It came in for one of the lane's legs, or for what the lane answers for.
  handle,
  /// An INVITE that is to become a call here, for there is room; or what belongs to it.
  place,
  /// It is to leave over one of the lane's connections.
  send,
};

/// Messages on their way from one lane to another, in order: their bytes one after the other in one
/// buffer that is used again, and one wake-up for all that wait.
class lane_mailbox {
public:
  struct item {
    transport::flow which;
    lane::time_point arrived; ///< of `handle` and `place`
    size_t offset = 0;
    uint32_t length = 0;
    errand what = errand::handle;
    uint8_t rank = 0; ///< of `send`
  };
  struct batch {
    std::vector<item> items;
    std::string bytes;
    [[nodiscard]] std::string_view text(const item& i) const noexcept {
      return std::string_view{bytes}.substr(i.offset, i.length);
    }
  };
  enum class outcome : uint8_t {
    first, ///< the receiver is to be woken
    kept,
    full, ///< not taken
  };

  /// Bytes that may wait. A lane that is so far behind has refused new work for long.
  static constexpr size_t most_waiting = 64U << 20U;

  /// By the sending lane. `offset` and `length` of `i` are set here.
  outcome put(item i, std::string_view bytes);
  /// By the receiving lane: all that waits, which stays as it is until the next call.
  const batch& take();

private:
  std::mutex mutex_;
  batch waiting_;
  batch taken_;
};

} // namespace jackfield

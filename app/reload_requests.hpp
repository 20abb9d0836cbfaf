#pragma once

#include <mutex>
#include <vector>

#include "app/http/messages.hpp"

namespace jackfield::app {

/// Who asked the API for the configuration to be read anew, and waits to hear of it. From any
/// thread.
class reload_requests {
public:
  static constexpr size_t most_waiting = 16;

  /// False: too many wait, or nothing is read any more.
  [[nodiscard]] bool add(http::reply answer_with);
  /// Those so far: whoever takes them answers them.
  [[nodiscard]] std::vector<http::reply> take();
  /// Likewise, and none is added any more.
  [[nodiscard]] std::vector<http::reply> close();

private:
  std::mutex mutex_;
  std::vector<http::reply> waiting_;
  bool closed_ = false;
};

} // namespace jackfield::app

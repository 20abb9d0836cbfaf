#include "app/reload_requests.hpp"

#include <utility>

namespace jackfield::app {

bool reload_requests::add(http::reply answer_with) {
  const std::lock_guard lock{mutex_};
  if (closed_ || waiting_.size() >= most_waiting)
    return false;
  waiting_.push_back(std::move(answer_with));
  return true;
}

std::vector<http::reply> reload_requests::take() {
  const std::lock_guard lock{mutex_};
  return std::exchange(waiting_, {});
}

std::vector<http::reply> reload_requests::close() {
  const std::lock_guard lock{mutex_};
  closed_ = true;
  return std::exchange(waiting_, {});
}

} // namespace jackfield::app

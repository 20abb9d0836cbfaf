#pragma once

#include <utility>

#include <unistd.h>

namespace jackfield::ice {

/// Owns a file descriptor and closes it.
class unique_fd {
public:
  unique_fd() = default;
  explicit unique_fd(int fd) noexcept : fd_(fd) {}
  unique_fd(unique_fd&& other) noexcept : fd_(other.release()) {}
  unique_fd& operator=(unique_fd&& other) noexcept {
    if (this != &other)
      reset(other.release());
    return *this;
  }
  ~unique_fd() { reset(-1); }

  /// -1 if there is none.
  [[nodiscard]] int get() const noexcept { return fd_; }
  /// Gives it away: the caller closes it.
  [[nodiscard]] int release() noexcept { return std::exchange(fd_, -1); }

private:
  void reset(int fd) noexcept {
    const int old = std::exchange(fd_, fd);
    if (old >= 0)
      ::close(old);
  }

  int fd_ = -1;
};

} // namespace jackfield::ice

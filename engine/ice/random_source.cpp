#include "engine/ice/random_source.hpp"

#include <sys/random.h>

namespace jackfield::ice {

namespace {

class kernel_random final : public random_source {
public:
  virtual ~kernel_random() = default;
  void fill(std::span<std::byte> out) noexcept override {
    // Interrupted is the only way in which it can fail with a good buffer.
    while (!out.empty()) {
      const ssize_t got = getrandom(out.data(), out.size(), 0);
      if (got > 0)
        out = out.subspan(static_cast<size_t>(got));
    }
  }
};

} // namespace

random_source& system_random() noexcept {
  static kernel_random random;
  return random;
}

} // namespace jackfield::ice

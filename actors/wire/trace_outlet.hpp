#pragma once

#include <cstddef>
#include <memory>
#include <string>

namespace jackfield {

/// Where traces go, of all lanes. Any thread.
class trace_outlet {
public:
  virtual ~trace_outlet() = default;
  /// Takes whole lines. Returns soon, so text may have to be dropped.
  virtual void write(std::string text) = 0;
  /// False once nothing more is taken: the bound is reached, or writing failed.
  [[nodiscard]] virtual bool is_open() const noexcept = 0;
};

struct trace_settings {
  std::shared_ptr<trace_outlet> outlet; ///< never null
  /// Every message as it comes; else those of failed calls.
  bool all = false;
  /// Kept of one call while it lives; what does not fit is left out in the middle.
  size_t bytes_a_call = size_t{64} << 10U;
  /// Kept of a lane's calls that are not over.
  size_t bytes_in_all = size_t{256} << 20U;
  /// Kept of what belongs to no call: the latest.
  size_t bytes_astray = size_t{64} << 10U;
};

} // namespace jackfield

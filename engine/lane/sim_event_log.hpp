#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <string_view>

#include "engine/lane/endpoint.hpp"
#include "engine/lane/timer_wheel.hpp"

namespace jackfield::lane {

/// Digest of a payload; the same on every machine.
[[nodiscard]] uint64_t sim_digest(std::string_view bytes) noexcept;

/// All that a simulated network does, as lines for who wants to read them and as a digest in any
/// case: two runs with equal digests did the same.
class sim_event_log {
public:
  using line_sink = std::function<void(std::string_view)>;

  void set_sink(line_sink sink) { sink_ = std::move(sink); }
  [[nodiscard]] uint64_t digest() const noexcept { return digest_; }

  /// `kind` is one word; `payload` the `sim_digest` of `length` bytes.
  void record(time_point now, std::string_view kind, const endpoint& from, const endpoint& to,
              size_t length, uint64_t payload);

private:
  void write(time_point now, std::string_view kind, const endpoint& from, const endpoint& to,
             size_t length, uint64_t payload);

  line_sink sink_;
  uint64_t digest_ = 0xcbf29ce484222325U;
};

} // namespace jackfield::lane

#pragma once

#include <array>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <string>
#include <utility>
#include <vector>

#include "engine/recording/ogg_opus.hpp"
#include "engine/recording/recorded_leg.hpp"

namespace jackfield::recording {

enum class leg : uint8_t {
  caller, ///< on the left
  agent   ///< on the right
};

/// What two people said to each other, as a stereo file: what its bytes are, not where they go.
/// `add` what comes and say now and then how late it is. A value.
class two_leg_recording {
public:
  /// For so long a packet is waited for: whatever comes later is lost to the recording.
  static constexpr std::chrono::milliseconds patience{500};

  two_leg_recording(uint32_t serial, const std::vector<std::string>& tags) : file_(serial, tags) {}

  void add(leg of, recorded_packet packet) { legs_[index(of)].add(std::move(packet)); }
  /// `now`, from the begin on, does not run backwards.
  void pass_to(rtp::duration now);
  /// As long as `length`, to the sample.
  void finish(rtp::duration length);

  /// As `ogg_opus` has it.
  [[nodiscard]] std::vector<std::byte> take_pages() { return file_.take_pages(); }
  [[nodiscard]] const leg_counts& counts(leg of) const { return legs_[index(of)].counts(); }

private:
  static size_t index(leg of) noexcept { return static_cast<size_t>(of); }
  void write_until(rtp::duration until);

  std::array<recorded_leg, 2> legs_;
  std::array<std::vector<int16_t>, 2> samples_;
  rtp::duration done_{};
  ogg_opus file_;
};

} // namespace jackfield::recording

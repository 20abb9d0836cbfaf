#pragma once

#include <cstddef>
#include <cstdint>
#include <deque>
#include <memory>
#include <optional>
#include <span>
#include <vector>

#include "engine/audio/decoder.hpp"
#include "engine/audio/resampler.hpp"
#include "engine/recording/recorded_packet.hpp"

namespace jackfield::recording {

struct leg_counts {
  uint64_t packets = 0;   ///< that were decoded
  uint64_t late = 0;      ///< came when their time had been written already, or twice
  uint64_t concealed = 0; ///< gaps that were filled in
  uint64_t faulty = 0;    ///< could not be decoded
  uint64_t refused = 0;   ///< were too many at once
};

/// What one side of a call said, put in time: packets stand where their timestamps say, the first
/// one where it came. So a gap is as long as it was: concealed where it is short, and silence where
/// the sender stopped on purpose or for long. Where timestamps jump, or the sender's clock runs
/// off, the arrival counts again. A value; waits with what it is given, at most `most_waiting`
/// packets, until it is asked for their time.
class recorded_leg {
public:
  static constexpr size_t most_waiting = 512;

  void add(recorded_packet packet);

  /// Appends the samples that follow the last ones up to `until`, from the recording's begin on.
  /// Packets of a time that has been written come too late.
  void write_until(rtp::duration until, std::vector<int16_t>& out);

  [[nodiscard]] const leg_counts& counts() const noexcept { return counts_; }

private:
  struct placed {
    int64_t at; // in samples from the begin
    recorded_packet what;
  };

  [[nodiscard]] int64_t place_of(const recorded_packet& packet);
  void follow_clock(int64_t late);
  void play(const placed& next);
  /// Fills `gap` samples; `next`: the packet behind them, if there is one and it may tell of them.
  void bridge(int64_t gap, const recorded_packet* next);
  void be_silent(int64_t samples);
  void feed(std::span<const int16_t> decoded);

  std::deque<placed> waiting_; // by their places
  leg_counts counts_;
  // where timestamps are
  std::optional<uint32_t> ssrc_; // none: nothing came yet
  audio::codec clock_of_ = audio::codec::pcmu;
  uint32_t timestamp_ = 0;         // of the packet before
  int64_t units_ = 0;              // and its distance from the anchor
  int64_t anchor_ = 0;             // in samples
  int64_t least_late_ = INT64_MAX; // of the last packets, in samples
  unsigned seen_ = 0;              // of them
  // what is played
  std::unique_ptr<audio::decoder> decoder_;
  std::optional<audio::resampler> resampler_; // none: it is silent
  audio::codec codec_ = audio::codec::pcmu;
  int64_t fed_ = 0;            // samples that are ready, written, or still in the resampler
  int64_t written_ = 0;        // and that were taken
  int64_t length_ = 0;         // of the packet played last
  int64_t bridged_ = 0;        // since that
  std::vector<int16_t> ready_; // from `written_` on
  bool talk_ended_ = true;     // with what was played last
};

} // namespace jackfield::recording

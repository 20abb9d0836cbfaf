#include "engine/recording/two_leg_recording.hpp"

#include <algorithm>

namespace jackfield::recording {

namespace {

// More at once would take memory for nothing: a pause may be an hour.
constexpr std::chrono::seconds piece{1};

} // namespace

void two_leg_recording::pass_to(rtp::duration now) {
  write_until(now - patience);
}

void two_leg_recording::finish(rtp::duration length) {
  write_until(length);
  file_.finish();
}

void two_leg_recording::write_until(rtp::duration until) {
  while (done_ < until) {
    done_ = std::min<rtp::duration>(until, done_ + piece);
    for (size_t i = 0; i < legs_.size(); ++i) {
      samples_[i].clear();
      legs_[i].write_until(done_, samples_[i]);
    }
    file_.add(samples_[0], samples_[1]);
  }
}

} // namespace jackfield::recording

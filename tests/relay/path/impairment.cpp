#include "tests/relay/path/impairment.hpp"

#include <algorithm>

namespace jackfield::tests {

namespace {

/// Neighbouring seeds, and the two directions of one seed, must not give related series
/// (the finaliser of splitmix64).
std::uint64_t mixed(std::uint64_t value) {
  value += 0x9e3779b97f4a7c15;
  value = (value ^ (value >> 30)) * 0xbf58476d1ce4e5b9;
  value = (value ^ (value >> 27)) * 0x94d049bb133111eb;
  return value ^ (value >> 31);
}

} // namespace

impairment::impairment(const impairment_options& options, direction way)
    : options_(options), random_(mixed(mixed(options.seed) + static_cast<std::uint64_t>(way))) {
  if (options.loss >= 1) {
    into_bad_ = 1;
    out_of_bad_ = 0;
    return;
  }
  // Without bursts the next datagram is lost with the same chance in either state.
  out_of_bad_ = options.burst ? 1 / *options.burst : 1 - options.loss;
  into_bad_ = std::min(1.0, options.loss * out_of_bad_ / (1 - options.loss));
  bad_ = draw() < options.loss; // start in the long-term mix, not always well
}

fate impairment::next(std::size_t bytes, bool in_time_of_loss) {
  // Every datagram takes the same number of draws, so that one option doesn't change what another
  // one does to the same series.
  const double change = draw();
  const double twice = draw();
  const double back = draw();
  const std::array delays{draw_delay(), draw_delay()};
  bad_ = bad_ ? change >= out_of_bad_ : change < into_bad_;

  fate made;
  if (bytes > options_.mtu) {
    made.why = fate::cause::too_big;
    return made;
  }
  if (bad_ && in_time_of_loss) {
    made.why = fate::cause::lost;
    return made;
  }
  made.copies = twice < options_.duplicate ? 2 : 1;
  made.held_back = back < options_.reorder;
  made.delays = delays;
  if (made.held_back) {
    made.delays[0] += reorder_hold;
  }
  return made;
}

/// Uniform in [0, 1). The standard's distributions differ from library to library.
double impairment::draw() {
  return static_cast<double>(random_() >> 11) * 0x1p-53;
}

std::chrono::nanoseconds impairment::draw_delay() {
  const auto offset = (2 * draw() - 1) * static_cast<double>(options_.jitter.count());
  return options_.delay + std::chrono::nanoseconds(static_cast<std::int64_t>(offset));
}

} // namespace jackfield::tests

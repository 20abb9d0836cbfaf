#include "engine/transport/lingering_streams.hpp"

#include <chrono>
#include <utility>

namespace jackfield::transport {

namespace {

constexpr lane::duration least = std::chrono::milliseconds{500};
constexpr lane::duration most = std::chrono::seconds{5};
constexpr lane::duration interval = std::chrono::milliseconds{100};
constexpr size_t max_streams = 1024;

} // namespace

lingering_streams::lingering_streams(lane::lane& home)
    : home_(home),
      timer_([](void* self) { static_cast<lingering_streams*>(self)->drop_old(); }, this) {}

void lingering_streams::add(std::unique_ptr<lane::stream_socket> stream) {
  if (streams_.size() >= max_streams)
    streams_.pop_front();
  streams_.push_back({std::move(stream), home_.now()});
  if (!timer_.armed())
    home_.arm_in(timer_, interval);
}

void lingering_streams::drop_old() {
  const lane::time_point now = home_.now();
  std::erase_if(streams_, [now](const entry& x) {
    const lane::duration age = now - x.since;
    return age >= most || (age >= least && x.stream->queued() == 0);
  });
  if (!streams_.empty())
    home_.arm_in(timer_, interval);
}

} // namespace jackfield::transport

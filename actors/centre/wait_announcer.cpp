#include "actors/centre/wait_announcer.hpp"

#include <chrono>
#include <string>
#include <utility>

#include "actors/media/media_play.hpp"

namespace jackfield {

namespace {

void append_digits(std::vector<announced_clip>& to, const wait_announcement& how, uint64_t number) {
  for (const char digit : std::to_string(number))
    to.push_back(how.digits[static_cast<size_t>(digit - '0')]);
}

} // namespace

std::vector<announced_clip> said_of(const wait_announcement& how, uint32_t position,
                                    std::optional<lane::duration> expected_wait) {
  std::vector<announced_clip> clips;
  if (how.position) {
    clips.push_back(how.you_are_number);
    append_digits(clips, how, position);
  }
  if (how.wait && expected_wait) {
    clips.push_back(how.you_will_wait);
    const auto minutes = std::chrono::ceil<std::chrono::minutes>(*expected_wait).count();
    append_digits(clips, how, static_cast<uint64_t>(minutes > 1 ? minutes : 1));
    clips.push_back(how.minutes);
  }
  return clips;
}

void wait_announcer::begin(std::vector<announced_clip> clips, caf::strong_actor_ptr stream,
                           std::shared_ptr<const audio_settings> after, bool tells_keys) {
  stop();
  if (clips.empty() || !stream)
    return;
  clips_ = std::move(clips);
  next_ = 0;
  stream_ = std::move(stream);
  after_ = std::move(after);
  tells_keys_ = tells_keys;
  on_time();
}

void wait_announcer::on_time() {
  if (!stream_)
    return;
  if (next_ == clips_.size()) {
    lane::tell(call_.home(), stream_, media_play{.what = after_, .tells_keys = tells_keys_});
    stop();
    return;
  }
  const auto& clip = clips_[next_++];
  lane::tell(call_.home(), stream_, media_play{.what = clip.what, .tells_keys = tells_keys_});
  timer_.arm(call_.home().now() + clip.length);
}

void wait_announcer::stop() {
  timer_.cancel();
  clips_.clear();
  stream_ = nullptr;
  after_ = nullptr;
}

} // namespace jackfield

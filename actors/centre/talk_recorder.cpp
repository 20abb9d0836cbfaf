#include "actors/centre/talk_recorder.hpp"

#include <array>
#include <chrono>
#include <string_view>
#include <utility>

#include <caf/actor_cast.hpp>
#include <caf/actor_system.hpp>
#include <fmt/chrono.h>
#include <fmt/format.h>

#include "actors/media/heard_tap.hpp"

namespace jackfield {

namespace {

constexpr std::chrono::milliseconds interval{200};
constexpr uint8_t comfort_noise_type = 13; // RFC 3551 §6
constexpr size_t longest_opus_silence = 2; // RFC 7587 §3.1.3: DTX
/// What a packet takes beside its payload, about.
constexpr size_t packet_overhead = 96;
constexpr size_t longest_name = 256;

/// Peers' texts may be of any length, and no UTF-8.
std::string tag(std::string_view name, std::string_view value) {
  std::string out{name};
  out += '=';
  for (const char c : value.substr(0, longest_name))
    out += c >= ' ' && c <= '~' ? c : '?';
  return out;
}

} // namespace

/// What both streams' taps put together.
class talk_recorder::gatherer {
public:
  gatherer(lane::lane_actor& call, std::shared_ptr<const recording_settings> where,
           const talk_names& of)
      : home_(call.home()), began_(home_.now()), waiting_(std::make_shared<std::atomic<size_t>>(0)),
        tick_([](void* self) { static_cast<gatherer*>(self)->on_time(); }, this) {
    const auto at = home_.wall_now();
    recording_start start{std::move(where), {}, waiting_};
    auto& what = start.what;
    what.id = fmt::format("{:%Y%m%dT%H%M%SZ}-{}-{:08x}",
                          fmt::gmtime(std::chrono::system_clock::to_time_t(at)), call.id(),
                          static_cast<uint32_t>(home_.random()));
    what.serial = static_cast<uint32_t>(home_.random());
    what.tags = {tag("CALL_ID", of.call_id), tag("QUEUE", of.queue), tag("AGENT", of.agent),
                 tag("CALLER", of.caller)};
    if (start.where->on_lane)
      writer_ = home_.spawn<lane_call_recording>(std::move(start));
    else
      writer_ = home_.system().spawn<call_recording>(std::move(start));
    home_.arm_in(tick_, interval);
  }
  ~gatherer() {
    if (writer_)
      lane::tell(home_, caf::actor_cast<caf::strong_actor_ptr>(take_writer()), end());
  }
  gatherer(const gatherer&) = delete;
  gatherer& operator=(const gatherer&) = delete;

  bool on_heard(recording::leg by, const rtp::heard_packet& heard) {
    if (!writer_)
      return false;
    recording::recorded_packet made;
    if (!describe(by, heard, made))
      return true;
    const auto bytes = made.payload.size() + packet_overhead;
    if (waiting_->load(std::memory_order_relaxed) + batch_.bytes + bytes > most_waiting) {
      ++left_out_;
      return true;
    }
    made.at = heard.arrived - began_;
    made.ssrc = heard.what.ssrc;
    made.timestamp = heard.what.timestamp;
    batch_.bytes += bytes;
    batch_.heard.push_back({by, std::move(made)});
    return true;
  }

  /// What was gathered is on its way.
  caf::actor take_writer() {
    tick_.cancel();
    hand_over();
    return std::exchange(writer_, nullptr);
  }
  [[nodiscard]] recording_end end() const { return {home_.now() - began_, left_out_}; }

private:
  bool describe(recording::leg by, const rtp::heard_packet& heard,
                recording::recorded_packet& made) {
    using content = rtp::heard_packet::content;
    const auto payload = heard.what.payload;
    auto& last = codecs_[static_cast<size_t>(by)];
    if (heard.is == content::audio) {
      made.codec = static_cast<audio::codec>(heard.codec);
      made.ends_talk = made.codec == audio::codec::opus && payload.size() <= longest_opus_silence;
      made.payload.assign(payload.begin(), payload.end());
      last = made.codec;
      return !payload.empty();
    }
    // Comfort noise, and digits, in place of audio: as silence.
    const bool noise = heard.is == content::other && heard.what.payload_type == comfort_noise_type;
    if (!last || (!noise && heard.is != content::event))
      return false;
    made.codec = *last;
    made.ends_talk = true;
    return true;
  }

  void on_time() {
    hand_over();
    home_.arm_in(tick_, interval);
  }

  void hand_over() {
    batch_.now = home_.now() - began_;
    waiting_->fetch_add(batch_.bytes, std::memory_order_relaxed);
    lane::tell(home_, caf::actor_cast<caf::strong_actor_ptr>(writer_),
               std::exchange(batch_, recording_batch{}));
  }

  lane::lane& home_;
  lane::time_point began_;
  std::shared_ptr<std::atomic<size_t>> waiting_; // bytes that were handed over
  caf::actor writer_;                            // null: it has been told of the end
  recording_batch batch_;
  std::array<std::optional<audio::codec>, 2> codecs_; // heard last
  uint64_t left_out_ = 0;
  lane::timer tick_;
};

class talk_recorder::ear final : public heard_tap {
public:
  ear(std::shared_ptr<gatherer> to, recording::leg of) : to_(std::move(to)), of_(of) {}
  bool on_heard(const rtp::heard_packet& packet) override { return to_->on_heard(of_, packet); }

private:
  std::shared_ptr<gatherer> to_;
  recording::leg of_;
};

talk_recorder::talk_recorder(lane::lane_actor& call,
                             std::shared_ptr<const recording_settings> where, const talk_names& of)
    : call_(call), gathers_(std::make_shared<gatherer>(call, std::move(where), of)) {
  // nop
}

talk_recorder::~talk_recorder() = default;

void talk_recorder::hear(const caf::strong_actor_ptr& stream, recording::leg of) {
  lane::tell(call_.home(), stream, media_tap{std::make_shared<ear>(gathers_, of)});
}

void talk_recorder::finish(const std::function<void(const recording_over&)>& then) {
  const auto end = gathers_->end();
  call_.request(gathers_->take_writer(), caf::infinite, end)
    .then([then](const recording_over& over) { then(over); },
          [then](const caf::error&) {
            recording_over lost;
            lost.failure = error{"recording", "ended by an error within"};
            then(lost);
          });
}

} // namespace jackfield

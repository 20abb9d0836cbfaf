#pragma once

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include <caf/actor.hpp>
#include <caf/allowed_unsafe_message_type.hpp>
#include <caf/behavior.hpp>
#include <caf/event_based_actor.hpp>

#include "engine/error/error.hpp"
#include "engine/lane/lane_actor.hpp"
#include "engine/recording/two_leg_recording.hpp"

namespace jackfield {

/// Where calls are recorded; immutable, shared by all lanes.
struct recording_settings {
  std::string directory; ///< that is there
  /// Files are written by the lane's own thread: of a simulated lane, which has no other.
  bool on_lane = false;
};

/// What is recorded: the names of the file, and what stands in it.
struct recorded_call {
  /// The file's name without its ending: letters, digits and '-' alone.
  std::string id;
  uint32_t serial = 0;           ///< of its Ogg stream
  std::vector<std::string> tags; ///< "NAME=value"
};

/// What a recording begins with.
struct recording_start {
  std::shared_ptr<const recording_settings> where;
  recorded_call what;
  std::shared_ptr<std::atomic<size_t>> waiting; ///< bytes, in its mailbox
};

/// To a recording: what was heard since the last one.
struct recording_batch {
  struct entry {
    recording::leg by = recording::leg::caller;
    recording::recorded_packet what;
  };
  std::vector<entry> heard;
  lane::duration now{}; ///< since the begin
  size_t bytes = 0;     ///< that it takes
};

/// To a recording: it was so long. Answered by `recording_over`.
struct recording_end {
  lane::duration length{};
  uint64_t left_out = 0; ///< packets that never came here: it did not keep up
};

struct recording_over {
  std::string path; ///< of the file; empty: there is none
  std::string id;
  lane::duration length{};
  uint64_t left_out = 0;        ///< packets of which nothing is heard in it
  std::optional<error> failure; ///< why it is not whole
};

/// What a recording does, whatever runs it: writes `ID.opus.part` in the settings' directory, which
/// becomes `ID.opus` when it is whole. After a crash the part is there, and can be played up to its
/// last page. Mode 0600.
class recording_work {
public:
  recording_work(const recording_settings& where, recorded_call what);
  ~recording_work();
  recording_work(const recording_work&) = delete;
  recording_work& operator=(const recording_work&) = delete;

  void take(recording_batch& batch);
  recording_over finish(const recording_end& how);

private:
  void write();
  void fail_with(const char* cause);

  std::string path_;
  recorded_call what_;
  recording::two_leg_recording made_;
  int fd_ = -1;
  std::optional<error> failure_;
};

/// Decodes, encodes and writes one call's recording. `Base` decides where it runs. Messages:
/// `recording_batch`, `recording_end`, after which it ends.
template <class Base>
class call_recording_actor : public Base {
public:
  template <class... Ts>
  call_recording_actor(caf::actor_config& config, recording_start start, Ts&&... home)
      : Base(config, std::forward<Ts>(home)...), start_(std::move(start)) {
    // nop
  }
  const char* name() const override { return "call_recording"; }

protected:
  caf::behavior make_behavior() override {
    work_ = std::make_unique<recording_work>(*start_.where, std::move(start_.what));
    return {
      [this](recording_batch& batch) {
        const auto bytes = batch.bytes;
        work_->take(batch);
        start_.waiting->fetch_sub(bytes, std::memory_order_relaxed);
      },
      [this](const recording_end& how) {
        auto over = work_->finish(how);
        this->quit();
        return over;
      },
    };
  }
  void on_exit() override { work_ = nullptr; }

private:
  recording_start start_;
  std::unique_ptr<recording_work> work_;
};

/// On CAF's pool.
using call_recording = call_recording_actor<caf::event_based_actor>;
/// On a lane.
class lane_call_recording final : public call_recording_actor<lane::lane_actor> {
public:
  lane_call_recording(caf::actor_config& config, lane::lane& home, recording_start start)
      : call_recording_actor<lane::lane_actor>(config, std::move(start), home) {
    // nop
  }
};

} // namespace jackfield

CAF_ALLOW_UNSAFE_MESSAGE_TYPE(jackfield::recording_batch)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(jackfield::recording_end)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(jackfield::recording_over)

#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <utility>
#include <vector>

#include <caf/actor.hpp>
#include <caf/actor_system.hpp>
#include <caf/actor_system_config.hpp>

#include "actors/media/webrtc_settings.hpp"
#include "actors/node/lane_context.hpp"
#include "engine/error/error.hpp"
#include "engine/lane/io_lane.hpp"
#include "engine/transport/protocol.hpp"
#include "engine/transport/transport_settings.hpp"
#include "storage/commit_log.hpp"

namespace jackfield {

struct node_settings {
  unsigned lanes = 1;
  /// Engines side by side on each lane, each with ports and dialogs of its own: a run that also
  /// answers has two, so that a packet between them stays on one core.
  unsigned contexts_a_lane = 1;
  /// The lanes' contexts (the first of each, the second of each ...) serve as one: see
  /// `lane_peers`. For lanes that `listen_together`.
  bool serve_together = false;
  /// See `io_lane::make`.
  lane::duration media_gathering{};
  router_settings router;
  media_plane_settings media;
  /// WebRTC streams are wanted: costs some 100 ms and two threads.
  std::optional<webrtc_settings> webrtc;
};

/// This process's lanes and what runs on them. Made and destroyed on one thread, which also starts
/// it; sockets may be opened through `context` before that.
class node {
public:
  static result<std::unique_ptr<node>> make(const node_settings& settings);
  /// Stops the lanes and ends the services and legs that still live. Whatever outside of the lanes
  /// holds one (an actor on CAF's own threads, a scoped actor's mailbox) must have let go of it.
  ~node();
  node(const node&) = delete;
  node& operator=(const node&) = delete;

  /// Starts the lanes' threads.
  void start();

  /// Keeps a service alive as long as its lane runs: it goes once the lanes stand still and before
  /// what it uses does. On the thread that made the node.
  void keep(caf::actor resident) { residents_.push_back(std::move(resident)); }

  /// Has the first context of each lane keep its calls, as those of `run`: a journal on a thread of
  /// its own writes to the log's store, which outlives the node. `watcher` is told
  /// when that begins to fail, and when it works again. Before `start`.
  void keep_calls(storage::commit_log log, uint64_t run, storage::durability calls,
                  const caf::actor& watcher);

  [[nodiscard]] unsigned lanes() const noexcept { return static_cast<unsigned>(parts_.size()); }
  /// The `which`-th of that lane's contexts. Before `start`, or on the lane's thread.
  [[nodiscard]] lane_context& context(unsigned lane, unsigned which = 0) {
    return *parts_.at(lane).contexts.at(which);
  }
  /// Opens a listener on all lanes at one address (port 0: the first lane's choice), which it
  /// returns. Before `start`.
  result<lane::endpoint> listen_together(transport::protocol p, const lane::endpoint& local,
                                         transport::listen_settings settings = {});

  [[nodiscard]] caf::actor_system& system() noexcept { return system_; }

private:
  node();
  struct part {
    std::unique_ptr<lane::io_lane> home;
    std::vector<std::unique_ptr<lane_context>> contexts;
  };

  caf::actor_system_config config_;
  caf::actor_system system_;
  std::vector<part> parts_;
  std::vector<caf::actor> residents_;
  caf::actor journal_; // null: no calls are kept
};

} // namespace jackfield

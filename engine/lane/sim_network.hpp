#pragma once

#include <cstdint>
#include <memory>
#include <queue>
#include <string>
#include <unordered_map>
#include <unordered_set>
#include <vector>

#include "engine/lane/lane.hpp"
#include "engine/lane/sim_event_log.hpp"
#include "engine/lane/sim_link.hpp"
#include "engine/lane/sim_random.hpp"

namespace jackfield::lane {

class sim_datagram_socket;
class sim_listener;
class sim_streams;

/// Whoever has one IP address. A host is up from its first socket on, until it is killed; its next
/// socket brings it back under a new generation.
struct sim_host {
  explicit sim_host(const endpoint& at) : address(at) {}

  /// A port not in `used`, counting up from the last one given; 0 if all are taken.
  template <class Used>
  static uint16_t free_port(uint16_t& last, const Used& used) {
    constexpr uint16_t lowest = 32768;
    for (int tries = 0; tries < 65536 - lowest; ++tries) {
      last = last == 65535 || last < lowest ? lowest : static_cast<uint16_t>(last + 1);
      if (!used(last))
        return last;
    }
    return 0;
  }

  endpoint address; // port 0
  bool up = false;
  uint64_t generation = 0; // how often it was killed
  // Looked up, never walked: their order is not the same everywhere.
  std::unordered_map<uint16_t, sim_datagram_socket*> datagram_sockets;
  std::unordered_map<uint16_t, sim_listener*> listeners;
  std::unordered_set<uint16_t> stream_ports; // of outgoing streams
  uint16_t last_datagram_port = 0;
  uint16_t last_stream_port = 0;
};

/// The way from one host to another, one direction.
struct sim_path {
  sim_path(sim_host& source, sim_host& target) : from(source), to(target) {}

  sim_host& from;
  sim_host& to;
  bool has_link = false; // else the network's
  bool cut = false;
  bool in_burst = false;
  sim_link link;
  sim_chance loss;
  sim_chance duplication;
  // Gilbert's model: the odds of entering a burst in which all is lost, and of leaving it.
  bool bursts = false;
  sim_chance burst_begins;
  sim_chance burst_ends;
  uint64_t link_version = 0;
};

/// Something on its way, or a stream's own clock.
struct sim_event {
  enum class kind : uint8_t {
    datagram,
    unreachable, // what ICMP tells a connected socket
    syn,
    syn_ack,
    segment,
    reset,
    retry_syn,
    retry_segment
  };
  kind what = kind::datagram;
  uint8_t side = 0; // streams: which end it is about
  bool from_connected = false;
  sim_path* path = nullptr;
  uint64_t generation = 0; // of the host it goes to, when it left
  endpoint from;
  endpoint to;
  std::string payload;
  uint64_t digest = 0;
  uint64_t stream = 0;
  uint64_t number = 0; // streams: which segment, or attempt
};

/// The hosts, the links between them, and what is under way on these.
class sim_network {
public:
  sim_network(const lane& home, lane_health& health, uint64_t seed);
  ~sim_network();

  void set_link(const sim_link& link);
  void set_link(const endpoint& from, const endpoint& to, const sim_link& link);
  void set_partition(const endpoint& a, const endpoint& b, bool cut);
  void kill_host(const endpoint& address);

  result<std::unique_ptr<datagram_socket>>
  open_datagram(const endpoint& local, datagram_handler& handler, const datagram_options& options);

  /// When the next event is due; `time_point::max()` if nothing is under way. Forgets those of
  /// streams that are past them, so that no clock stops for a time-out that is none.
  [[nodiscard]] time_point next_event();
  /// Lets happen what is due, except what comes of it: that is for the next call. Returns false if
  /// nothing was due.
  bool deliver();

  [[nodiscard]] sim_event_log& log() noexcept { return log_; }
  [[nodiscard]] sim_streams& streams() noexcept { return *streams_; }

  // -- for sockets ---------------------------------------------------------------

  [[nodiscard]] time_point now() const noexcept { return home_.now(); }
  sim_host& host(const endpoint& address);
  sim_path& path(const endpoint& from, const endpoint& to);
  /// Draws whether the path loses what is sent now; a cut path always does.
  bool loses(sim_path& path);
  duration draw_delay(sim_path& path);
  [[nodiscard]] duration mean_delay(sim_path& path);
  void schedule(time_point at, sim_event event);
  void record(std::string_view kind, const endpoint& from, const endpoint& to, size_t length,
              uint64_t digest) {
    log_.record(now(), kind, from, to, length, digest);
  }
  /// Puts a datagram on its way.
  void send(sim_path& path, const endpoint& from, const endpoint& to, std::string_view bytes,
            bool from_connected);
  void count_drop() noexcept { ++health_.socket_drops; }

private:
  struct path_key {
    endpoint from;
    endpoint to;
    friend bool operator==(const path_key&, const path_key&) = default;
  };
  struct path_hash {
    size_t operator()(const path_key& x) const noexcept {
      return x.from.hash() * 0x9e3779b97f4a7c15U ^ x.to.hash();
    }
  };
  struct queued {
    time_point at;
    uint64_t order;
    uint32_t slot;
    friend bool operator>(const queued& a, const queued& b) noexcept {
      return a.at != b.at ? a.at > b.at : a.order > b.order;
    }
  };

  static void apply(sim_path& path, const sim_link& link);
  void use_current_link(sim_path& path);
  std::string take_buffer(std::string_view bytes);
  void give_back(std::string buffer);
  void dispatch(sim_event& event);
  void deliver_datagram(sim_event& event);
  void refuse_datagram(const sim_event& event);
  void deliver_unreachable(const sim_event& event);

  const lane& home_;
  lane_health& health_;
  sim_random random_;
  sim_event_log log_;
  sim_link link_;
  uint64_t link_version_ = 1;
  std::unordered_map<endpoint, std::unique_ptr<sim_host>> hosts_;
  std::unordered_map<path_key, std::unique_ptr<sim_path>, path_hash> paths_;
  std::priority_queue<queued, std::vector<queued>, std::greater<>> queue_;
  uint64_t order_ = 0;
  std::vector<sim_event> slots_;
  std::vector<uint32_t> free_slots_;
  std::vector<std::string> buffers_;
  std::unique_ptr<sim_streams> streams_;
};

} // namespace jackfield::lane

#pragma once

#include <array>
#include <cstdint>
#include <deque>
#include <memory>
#include <string>
#include <unordered_map>
#include <vector>

#include "engine/lane/sim_network.hpp"

namespace jackfield::lane {

class sim_stream_socket;

/// The simulated TCP: connections between hosts of a `sim_network`. Bytes written in one pass
/// travel as segments, each subject to its link; a lost one is sent again after a time-out that
/// doubles, and holds up those behind it, so that loss and cuts show as delay only.
class sim_streams {
public:
  explicit sim_streams(sim_network& network) : network_(network) {}

  result<std::unique_ptr<stream_listener>> listen(const endpoint& local, accept_handler& handler);
  result<std::unique_ptr<stream_socket>> connect(const endpoint& remote, stream_handler& handler,
                                                 const endpoint& local);

  /// True for an event that will change nothing: its stream no longer waits for it.
  [[nodiscard]] bool is_over(const sim_event& event) noexcept;
  /// Lets an event of a stream happen.
  void handle(const sim_event& event);
  /// Sends what was written since the last call; false if nothing was.
  bool flush();

private:
  friend class sim_stream_socket;

  enum class state : uint8_t {
    connecting, // outgoing, no answer yet
    accepting,  // incoming, the peer has not confirmed yet
    open,
    finishing, // what is queued still leaves; nobody listens
    closed
  };

  struct segment {
    enum class kind : uint8_t { confirmation, data, end };
    kind what;
    bool arrived = false;
    int attempts = 0;
    std::string payload;
    uint64_t digest = 0;
  };

  /// One end of a connection, and what it has sent to the other.
  struct stream_end {
    sim_host* host = nullptr;
    uint64_t generation = 0;
    endpoint local;
    sim_stream_socket* socket = nullptr; // what the owner holds; empty once destroyed
    stream_handler* handler = nullptr;
    state now = state::closed;
    std::string output;            // written, not under way yet
    std::deque<segment> under_way; // in order; the first has not arrived
    uint64_t first_number = 0;     // of under_way.front()
    size_t bytes_under_way = 0;
    bool flush_wanted = false;
    bool blocked = false; // the handler is to hear on_drained
    bool ended = false;   // an `end` is among the segments, or pointless

    /// Its host has lost power since.
    [[nodiscard]] bool dead() const noexcept { return host->generation != generation; }
  };

  struct connection {
    uint64_t id = 0;
    std::array<stream_end, 2> ends; // 0 connected, 1 was connected to
  };

  connection* find(uint64_t id) noexcept;
  sim_path& path_from(const connection& c, size_t side);
  /// An event about what `side` has sent.
  static sim_event event_from(const connection& c, size_t side, sim_event::kind what);
  void record(std::string_view kind, const connection& c, size_t side, const segment* s = nullptr);

  bool write(uint64_t id, size_t side, std::string_view bytes);
  void finish(uint64_t id, size_t side);
  void release(uint64_t id, size_t side);
  void want_flush(connection& c, size_t side);
  void flush_end(uint64_t id, size_t side);

  void send_syn(connection& c, uint64_t attempt);
  void send_reset(connection& c, size_t side);
  void append(connection& c, size_t side, segment::kind what, std::string payload);
  void transmit(connection& c, size_t side, uint64_t number);
  void retry_later(connection& c, size_t side, uint64_t number);

  void on_syn(connection& c);
  void on_syn_ack(connection& c);
  void on_segment(connection& c, size_t side, uint64_t number);
  void on_reset(connection& c, size_t side);
  void retry_syn(connection& c, uint64_t attempt);
  void retry_segment(connection& c, size_t side, uint64_t number);
  void deliver_in_order(uint64_t id, size_t side);
  void accept(connection& c);
  /// Ends one side; its owner hears of it unless it has finished. Without a cause the peer closed
  /// in order: what is under way to it still arrives.
  void close(connection& c, size_t side, const error& why);
  void forget_if_over(uint64_t id);

  sim_network& network_;
  uint64_t last_id_ = 0;
  std::unordered_map<uint64_t, std::unique_ptr<connection>> connections_; // never walked
  std::vector<std::pair<uint64_t, size_t>> to_flush_;
  std::vector<std::pair<uint64_t, size_t>> flushing_;
};

/// A simulated listening socket.
class sim_listener final : public stream_listener {
public:
  sim_listener(sim_host& host, const endpoint& local, accept_handler& handler)
      : host_(host), generation_(host.generation), local_(local), handler_(handler) {
    host_.listeners.emplace(local.port(), this);
  }
  ~sim_listener() override {
    if (host_.generation == generation_)
      host_.listeners.erase(local_.port());
  }
  [[nodiscard]] const endpoint& local() const noexcept override { return local_; }
  [[nodiscard]] accept_handler& handler() const noexcept { return handler_; }

private:
  sim_host& host_;
  uint64_t generation_;
  endpoint local_;
  accept_handler& handler_;
};

/// What the owner of one end of a simulated connection holds.
class sim_stream_socket final : public stream_socket {
public:
  sim_stream_socket(sim_streams& streams, uint64_t id, size_t side, const endpoint& local,
                    const endpoint& remote)
      : streams_(streams), id_(id), side_(side), local_(local), remote_(remote) {
    // nop
  }
  ~sim_stream_socket() override { streams_.release(id_, side_); }

  [[nodiscard]] bool write(std::string_view bytes) override {
    return streams_.write(id_, side_, bytes);
  }
  void finish() override { streams_.finish(id_, side_); }
  [[nodiscard]] size_t queued() const noexcept override;
  [[nodiscard]] const endpoint& local() const noexcept override { return local_; }
  [[nodiscard]] const endpoint& remote() const noexcept override { return remote_; }

private:
  sim_streams& streams_;
  uint64_t id_;
  size_t side_;
  endpoint local_;
  endpoint remote_;
};

} // namespace jackfield::lane

#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include <sys/socket.h>

#include "engine/lane/lane.hpp"
#include "engine/lane/reactor.hpp"
#include "engine/lane/socket.hpp"

namespace jackfield::lane {

/// A real UDP socket of an io_lane.
///
/// A signalling socket queues what a pass sends and lets it leave at the pass's end, equal-sized
/// neighbours to one peer as trains (UDP_SEGMENT, one system call and one walk through the stack
/// for up to 64 datagrams), the rest by sendmmsg; it receives by recvmmsg, trains included
/// (UDP_GRO). A media socket sends at once; it reads one datagram a wake-up, for a stream has one
/// each 20 ms, or is not watched at all and read when its owner asks.
class udp_socket final : public datagram_socket, private ready_handler, private flush_handler {
public:
  static result<std::unique_ptr<udp_socket>> open(const lane& home, lane_health& health,
                                                  reactor& events, const endpoint& local,
                                                  datagram_handler& handler,
                                                  const datagram_options& options);
  /// As `lane::adopt_datagram`.
  static result<std::unique_ptr<udp_socket>> adopt(int fd, const lane& home, lane_health& health,
                                                   reactor& events, datagram_handler& handler,
                                                   const datagram_options& options);
  ~udp_socket() override;

  void send(const endpoint& to, std::string_view bytes, unsigned rank) override;
  result<void> connect(const endpoint& peer) override;
  void disconnect() noexcept override;
  void receive_pending() override;
  result<void> set_on_demand(bool on_demand) override;
  [[nodiscard]] const endpoint& local() const noexcept override { return local_; }
  [[nodiscard]] uint64_t drops() const noexcept override { return drops_; }

  // What `datagram_batch` does in place of `send` and `receive_pending`, of media sockets.
  [[nodiscard]] int descriptor() const noexcept { return fd_; }
  [[nodiscard]] bool is_on_demand() const noexcept { return on_demand_; }
  /// The name that a datagram to `to` is sent with; its length is 0 where it needs none.
  [[nodiscard]] socklen_t name_of(const endpoint& to, sockaddr_storage& address) const noexcept;
  /// Sends at once.
  void send_now(const endpoint& to, std::string_view bytes);
  /// What became of a datagram that was sent: an errno, negative, or not.
  void note_sent(int outcome);
  /// Hands up what recvmsg put there; `outcome` is its size, or an errno, negative. True: more may
  /// wait. The handler may destroy the socket: false.
  [[nodiscard]] bool take(msghdr& header, int outcome);

private:
  struct outgoing {
    endpoint to;
    uint32_t offset;
    uint16_t length;
    uint16_t rank;
  };

  udp_socket(const lane& home, lane_health& health, reactor& events, datagram_handler& handler,
             const datagram_options& options);
  void set_options(const datagram_options& options);
  void read_local();
  [[nodiscard]] result<void> watch();
  void on_ready(uint32_t ready) override;
  void read_refusals();
  /// The latest failure, by `errno`, is a refusal that the system kept.
  [[nodiscard]] bool was_refusal() const noexcept;
  void flush() override;
  void receive_batch();
  void receive_one();
  void count_drops(uint64_t n);
  /// What the kernel tells beside a datagram.
  struct beside {
    size_t segment = 0;             // bytes of each datagram of a train; 0: there is only one
    duration waited = no_time_told; // in the system's queue
  };
  static constexpr duration no_time_told{-1};
  [[nodiscard]] beside read_beside(msghdr& header);
  /// Sends queue_[first, last) as one train; returns false if the system refused trains.
  void send_train(size_t first, size_t last);
  void send_single(const outgoing& datagram);

  const lane& home_;
  lane_health& health_;
  reactor& events_;
  datagram_handler& handler_;
  reactor::registration registration_;
  endpoint local_;
  int fd_ = -1;
  bool trains_ = false;
  bool media_ = false;
  bool on_demand_ = false;
  bool connected_ = false;
  bool hears_refusals_ = false;
  uint32_t overflowed_ = 0;
  size_t usual_train_ = 1; // datagrams a receive slot held of late
  uint64_t drops_ = 0;
  std::vector<outgoing> queue_;
  std::string arena_;
};

} // namespace jackfield::lane

#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <unordered_map>
#include <vector>

#include "engine/lane/lane.hpp"
#include "engine/transport/transport_layer.hpp"

namespace jackfield::transport {

/// The UDP sockets of a transport layer, and the keep-alives sent from them. Sockets are never
/// closed before all are, so that their handles need no generation.
class udp_ports {
public:
  /// Messages go straight to `handler` and are counted in `counters`; both outlive this.
  /// `interval`: the longest time between two keep-alives of a flow, 0: none are sent. `lane`: what
  /// its flows say.
  udp_ports(lane::lane& home, transport_handler& handler, transport_counters& counters,
            lane::duration interval, uint8_t lane);

  result<lane::endpoint> listen(const lane::endpoint& local, size_t buffer_bytes,
                                lane::port_sharing sharing);
  /// A flow to `remote` from the socket at `local`, or from the first of the remote's address
  /// family if `local` is not valid. Fails if there is none.
  [[nodiscard]] result<flow> open(const lane::endpoint& remote, const lane::endpoint& local) const;
  /// Null if `which` is no UDP flow of ours.
  [[nodiscard]] lane::datagram_socket* find(const flow& which) const noexcept {
    return which.protocol == protocol::udp && which.lane == lane_ &&
               which.handle.generation == generation && which.handle.index < ports_.size()
             ? ports_[which.handle.index]->socket.get()
             : nullptr;
  }

  void start_keep_alive(const flow& which);
  void stop_keep_alive(const flow& which) { keep_alives_.erase(which); }

  [[nodiscard]] uint64_t drops() const noexcept;

private:
  static constexpr uint32_t generation = 1;

  struct port final : lane::datagram_handler {
    port(udp_ports& ports, uint32_t position) : owner(ports), index(position) {}
    void on_datagram(const lane::endpoint& from, std::span<const std::byte> bytes,
                     lane::time_point arrived) override;
    void on_datagram_refused(const lane::endpoint& by) override;
    udp_ports& owner;
    uint32_t index;
    std::unique_ptr<lane::datagram_socket> socket;
  };

  struct keep_alive {
    keep_alive(udp_ports& ports, const flow& peer);
    udp_ports& owner;
    flow to;
    lane::timer timer;
  };
  void arm(keep_alive& which);

  lane::lane& home_;
  transport_handler& handler_;
  transport_counters& counters_;
  const lane::duration interval_;
  const uint8_t lane_;
  std::vector<std::unique_ptr<port>> ports_;
  std::unordered_map<flow, std::unique_ptr<keep_alive>> keep_alives_;
};

} // namespace jackfield::transport

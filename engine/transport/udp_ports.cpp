#include "engine/transport/udp_ports.hpp"

#include <utility>

namespace jackfield::transport {

namespace {

/// Keep-alives are CRLFs or, from some proxies, zero bytes.
constexpr size_t max_keep_alive = 4;

bool is_keep_alive(std::string_view bytes) {
  return bytes.size() <= max_keep_alive &&
         bytes.find_first_not_of(std::string_view{"\r\n\0", 3}) == std::string_view::npos;
}

} // namespace

udp_ports::udp_ports(lane::lane& home, transport_handler& handler, transport_counters& counters,
                     lane::duration interval, uint8_t lane)
    : home_(home), handler_(handler), counters_(counters), interval_(interval), lane_(lane) {}

result<lane::endpoint> udp_ports::listen(const lane::endpoint& local, size_t buffer_bytes,
                                         lane::port_sharing sharing) {
  auto made = std::make_unique<port>(*this, static_cast<uint32_t>(ports_.size()));
  lane::datagram_options options;
  options.buffer_bytes = buffer_bytes;
  options.trains = true;
  options.sharing = sharing;
  options.hears_refusals = true;
  auto socket = home_.open_datagram(local, *made, options);
  if (!socket)
    return tl::unexpected(std::move(socket.error()));
  made->socket = std::move(*socket);
  ports_.push_back(std::move(made));
  return ports_.back()->socket->local();
}

result<flow> udp_ports::open(const lane::endpoint& remote, const lane::endpoint& local) const {
  for (const auto& p : ports_) {
    const lane::endpoint& bound = p->socket->local();
    if (bound.is_v4() == remote.is_v4() && (!local.valid() || local == bound))
      return flow{{p->index, generation}, protocol::udp, lane_, bound, remote};
  }
  return fail("udp " + remote.to_string(), "no UDP socket of that address family is open");
}

void udp_ports::port::on_datagram(const lane::endpoint& from, std::span<const std::byte> bytes,
                                  lane::time_point arrived) {
  const std::string_view text{reinterpret_cast<const char*>(bytes.data()), bytes.size()};
  if (is_keep_alive(text))
    return;
  ++owner.counters_.messages_in;
  owner.handler_.on_message(
    flow{{index, generation}, protocol::udp, owner.lane_, socket->local(), from}, text, arrived);
}

void udp_ports::port::on_datagram_refused(const lane::endpoint& by) {
  owner.handler_.on_peer_refused(
    flow{{index, generation}, protocol::udp, owner.lane_, socket->local(), by});
}

udp_ports::keep_alive::keep_alive(udp_ports& ports, const flow& peer)
    : owner(ports), to(peer), timer(
                                [](void* self) {
                                  auto& k = *static_cast<keep_alive*>(self);
                                  k.owner.find(k.to)->send(k.to.remote, "\r\n");
                                  k.owner.arm(k);
                                },
                                this) {}

void udp_ports::start_keep_alive(const flow& which) {
  if (interval_ <= lane::duration{} || find(which) == nullptr ||
      which.remote.is_forbidden_destination())
    return;
  auto& entry = keep_alives_[which];
  if (!entry) {
    entry = std::make_unique<keep_alive>(*this, which);
    arm(*entry);
  }
}

void udp_ports::arm(keep_alive& which) {
  const double part = 0.8 + 0.2 * home_.random_unit();
  home_.arm_in(which.timer,
               lane::duration{static_cast<int64_t>(static_cast<double>(interval_.count()) * part)});
}

uint64_t udp_ports::drops() const noexcept {
  uint64_t sum = 0;
  for (const auto& p : ports_)
    sum += p->socket->drops();
  return sum;
}

} // namespace jackfield::transport

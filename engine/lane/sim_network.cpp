#include "engine/lane/sim_network.hpp"

#include <algorithm>
#include <cerrno>
#include <deque>
#include <utility>

#include "engine/lane/sim_streams.hpp"

namespace jackfield::lane {

namespace {

constexpr size_t max_datagram = 65'507;
/// Payload buffers kept for the next datagrams, and the largest that is kept.
constexpr size_t kept_buffers = 4096;
constexpr size_t kept_buffer_bytes = 4096;
/// No link is longer than this, so that no sum of times overflows.
constexpr duration longest_delay = std::chrono::hours{1};

} // namespace

/// A simulated UDP socket.
class sim_datagram_socket final : public datagram_socket {
public:
  sim_datagram_socket(sim_network& network, sim_host& host, const endpoint& local,
                      datagram_handler& handler, const datagram_options& options)
      : network_(network), host_(host), generation_(host.generation), local_(local),
        handler_(handler), on_demand_(options.on_demand), hears_refusals_(options.hears_refusals),
        buffer_bytes_(options.buffer_bytes) {
    host_.datagram_sockets.emplace(local.port(), this);
  }
  ~sim_datagram_socket() override {
    if (alive_ != nullptr)
      *alive_ = false;
    if (host_.generation == generation_)
      host_.datagram_sockets.erase(local_.port());
  }

  void send(const endpoint& to, std::string_view bytes, unsigned /*rank*/) override {
    if (host_.generation != generation_)
      return; // its host is dead
    const endpoint& target = to.valid() ? to : peer_;
    if (bytes.size() > max_datagram || target.is_forbidden_destination() ||
        target.is_v4() != local_.is_v4()) {
      ++drops_;
      network_.count_drop();
      return;
    }
    if (path_ == nullptr || target != last_target_) {
      path_ = &network_.path(local_, target);
      last_target_ = target;
    }
    network_.send(*path_, local_, target, bytes, peer_.valid() || hears_refusals_);
  }
  result<void> connect(const endpoint& peer) override {
    if (peer.is_forbidden_destination() || peer.is_v4() != local_.is_v4())
      return fail_errno("udp " + peer.to_string(), "cannot reach it", ENETUNREACH);
    peer_ = peer;
    return {};
  }
  void disconnect() noexcept override { peer_ = {}; }
  void receive_pending() override {
    bool alive = true;
    alive_ = &alive;
    while (!pending_.empty()) {
      const auto next = std::move(pending_.front());
      pending_.pop_front();
      pending_bytes_ -= next.payload.size();
      handler_.on_datagram(next.from, std::as_bytes(std::span{next.payload}), next.arrived);
      if (!alive)
        return;
    }
    if (const int error = std::exchange(pending_error_, 0))
      handler_.on_datagram_error(error); // may end us
    if (alive)
      alive_ = nullptr;
  }
  result<void> set_on_demand(bool on_demand) override {
    on_demand_ = on_demand;
    if (!on_demand)
      receive_pending(); // may end us
    return {};
  }
  [[nodiscard]] const endpoint& local() const noexcept override { return local_; }
  [[nodiscard]] uint64_t drops() const noexcept override { return drops_; }

  /// What came in: for the handler now, or once it asks; lost when the buffer is full.
  void take(const endpoint& from, std::string_view bytes) {
    if (!on_demand_) {
      handler_.on_datagram(from, std::as_bytes(std::span{bytes}), network_.now());
      return;
    }
    if (pending_bytes_ + bytes.size() > buffer_bytes_) {
      ++drops_;
      network_.count_drop();
      return;
    }
    pending_bytes_ += bytes.size();
    pending_.push_back({from, std::string{bytes}, network_.now()});
  }
  void take_refusal(const endpoint& by) {
    if (hears_refusals_)
      handler_.on_datagram_refused(by);
    else if (peer_ == by)
      take_error(ECONNREFUSED);
  }
  void take_error(int errno_value) {
    if (on_demand_)
      pending_error_ = errno_value;
    else
      handler_.on_datagram_error(errno_value);
  }

  [[nodiscard]] bool hears(const endpoint& from) const noexcept {
    return !peer_.valid() || peer_ == from;
  }
  [[nodiscard]] bool hears_refusal_of(const endpoint& by) const noexcept {
    return hears_refusals_ || peer_ == by;
  }

private:
  struct arrived_datagram {
    endpoint from;
    std::string payload;
    time_point arrived;
  };

  sim_network& network_;
  sim_host& host_;
  uint64_t generation_;
  endpoint local_;
  endpoint peer_;
  datagram_handler& handler_;
  endpoint last_target_;
  sim_path* path_ = nullptr;
  uint64_t drops_ = 0;
  bool on_demand_;
  bool hears_refusals_;
  size_t buffer_bytes_;
  size_t pending_bytes_ = 0;
  std::deque<arrived_datagram> pending_; // of a socket read on demand
  int pending_error_ = 0;
  bool* alive_ = nullptr; // set while pending_ is handed up, so that its end is seen
};

sim_network::sim_network(const lane& home, lane_health& health, uint64_t seed)
    : home_(home), health_(health), random_(seed), streams_(std::make_unique<sim_streams>(*this)) {
  // nop
}

sim_network::~sim_network() = default;

// -- links -----------------------------------------------------------------------

void sim_network::apply(sim_path& path, const sim_link& link) {
  path.link = link;
  path.link.delay = std::clamp(link.delay, duration::zero(), longest_delay);
  path.link.jitter = std::clamp(link.jitter, duration::zero(), longest_delay);
  path.loss = sim_chance{link.loss};
  path.duplication = sim_chance{link.duplication};
  // Independent losses come in bursts of 1 / (1 - loss) on average; only longer ones need a state.
  path.bursts = link.loss > 0 && link.loss < 1 && link.burst * (1 - link.loss) > 1;
  if (path.bursts) {
    path.burst_begins = sim_chance{link.loss / (link.burst * (1 - link.loss))};
    path.burst_ends = sim_chance{1 / link.burst};
  }
  path.in_burst = false;
}

void sim_network::set_link(const sim_link& link) {
  link_ = link;
  ++link_version_; // paths without a link of their own take it when next used
}

void sim_network::set_link(const endpoint& from, const endpoint& to, const sim_link& link) {
  sim_path& target = path(from, to);
  target.has_link = true;
  apply(target, link);
}

void sim_network::set_partition(const endpoint& a, const endpoint& b, bool cut) {
  path(a, b).cut = cut;
  path(b, a).cut = cut;
}

void sim_network::use_current_link(sim_path& path) {
  if (path.has_link || path.link_version == link_version_)
    return;
  apply(path, link_);
  path.link_version = link_version_;
}

bool sim_network::loses(sim_path& path) {
  if (path.cut)
    return true;
  use_current_link(path);
  if (!path.bursts)
    return path.loss.draw(random_);
  if (path.in_burst)
    path.in_burst = !path.burst_ends.draw(random_);
  else
    path.in_burst = path.burst_begins.draw(random_);
  return path.in_burst;
}

duration sim_network::draw_delay(sim_path& path) {
  use_current_link(path);
  const auto [delay, jitter] = std::pair{path.link.delay, path.link.jitter};
  if (jitter == duration::zero())
    return delay;
  const auto spread = static_cast<uint64_t>(jitter.count()) * 2 + 1;
  const duration drawn{static_cast<int64_t>(random_.below(spread))};
  return std::max(duration::zero(), delay - jitter + drawn);
}

duration sim_network::mean_delay(sim_path& path) {
  use_current_link(path);
  return path.link.delay;
}

// -- hosts -----------------------------------------------------------------------

sim_host& sim_network::host(const endpoint& address) {
  const endpoint key = address.with_port(0);
  auto& slot = hosts_[key];
  if (!slot)
    slot = std::make_unique<sim_host>(key);
  return *slot;
}

sim_path& sim_network::path(const endpoint& from, const endpoint& to) {
  auto& slot = paths_[{from.with_port(0), to.with_port(0)}];
  if (!slot)
    slot = std::make_unique<sim_path>(host(from), host(to));
  return *slot;
}

void sim_network::kill_host(const endpoint& address) {
  sim_host& victim = host(address);
  record("kill", victim.address, victim.address, 0, 0);
  ++victim.generation;
  victim.up = false;
  victim.datagram_sockets.clear();
  victim.listeners.clear();
  victim.stream_ports.clear();
}

// -- events ----------------------------------------------------------------------

void sim_network::schedule(time_point at, sim_event event) {
  uint32_t slot = 0;
  if (free_slots_.empty()) {
    slot = static_cast<uint32_t>(slots_.size());
    slots_.push_back(std::move(event));
  } else {
    slot = free_slots_.back();
    free_slots_.pop_back();
    slots_[slot] = std::move(event);
  }
  queue_.push({at, order_++, slot});
}

time_point sim_network::next_event() {
  while (!queue_.empty() && streams_->is_over(slots_[queue_.top().slot])) {
    free_slots_.push_back(queue_.top().slot);
    queue_.pop();
  }
  return queue_.empty() ? time_point::max() : queue_.top().at;
}

bool sim_network::deliver() {
  const uint64_t bound = order_;
  bool any = false;
  while (!queue_.empty() && queue_.top().at <= now() && queue_.top().order < bound) {
    any = true;
    const uint32_t slot = queue_.top().slot;
    queue_.pop();
    sim_event event = std::move(slots_[slot]); // handlers schedule, and the slots move
    free_slots_.push_back(slot);
    dispatch(event);
    give_back(std::move(event.payload));
  }
  return any;
}

void sim_network::dispatch(sim_event& event) {
  switch (event.what) {
  case sim_event::kind::datagram:
    deliver_datagram(event);
    return;
  case sim_event::kind::unreachable:
    deliver_unreachable(event);
    return;
  default:
    streams_->handle(event);
  }
}

std::string sim_network::take_buffer(std::string_view bytes) {
  if (buffers_.empty())
    return std::string{bytes};
  std::string out = std::move(buffers_.back());
  buffers_.pop_back();
  out.assign(bytes);
  return out;
}

void sim_network::give_back(std::string buffer) {
  if (buffers_.size() < kept_buffers && buffer.capacity() <= kept_buffer_bytes &&
      buffer.capacity() > sizeof(std::string))
    buffers_.push_back(std::move(buffer));
}

// -- datagrams -------------------------------------------------------------------

result<std::unique_ptr<datagram_socket>>
sim_network::open_datagram(const endpoint& local, datagram_handler& handler,
                           const datagram_options& options) {
  const std::string place = "udp " + local.to_string();
  if (!local.valid() || local.is_unspecified())
    return fail(place, "a simulated socket is bound to the address of its host, not to any");
  sim_host& owner = host(local);
  const auto used = [&owner](uint16_t port) { return owner.datagram_sockets.contains(port); };
  endpoint bound = local;
  if (local.port() == 0)
    bound = local.with_port(sim_host::free_port(owner.last_datagram_port, used));
  if (bound.port() == 0 || used(bound.port()))
    return fail_errno(place, "cannot bind", EADDRINUSE);
  owner.up = true;
  auto made = std::make_unique<sim_datagram_socket>(*this, owner, bound, handler, options);
  if (options.connect_to.valid()) {
    if (auto connected = made->connect(options.connect_to); !connected)
      return tl::unexpected{std::move(connected.error())};
  }
  return made;
}

void sim_network::send(sim_path& path, const endpoint& from, const endpoint& to,
                       std::string_view bytes, bool from_connected) {
  ++health_.datagrams_out;
  const uint64_t digest = sim_digest(bytes);
  if (loses(path)) {
    record(path.cut ? "udp_cut" : "udp_lost", from, to, bytes.size(), digest);
    return;
  }
  const int copies = path.duplication.draw(random_) ? 2 : 1;
  for (int copy = 0; copy < copies; ++copy) {
    record(copy == 0 ? "udp_sent" : "udp_copied", from, to, bytes.size(), digest);
    sim_event event;
    event.from_connected = from_connected;
    event.path = &path;
    event.generation = path.to.generation;
    event.from = from;
    event.to = to;
    event.payload = take_buffer(bytes);
    event.digest = digest;
    schedule(now() + draw_delay(path), std::move(event));
  }
}

void sim_network::deliver_datagram(sim_event& event) {
  const auto outcome = [&](std::string_view kind) {
    record(kind, event.from, event.to, event.payload.size(), event.digest);
  };
  const sim_host& target = event.path->to;
  if (event.path->cut) {
    outcome("udp_cut");
    return;
  }
  if (!target.up || target.generation != event.generation) {
    outcome("udp_nobody");
    return;
  }
  const auto found = target.datagram_sockets.find(event.to.port());
  if (found == target.datagram_sockets.end() || !found->second->hears(event.from)) {
    outcome("udp_refused");
    refuse_datagram(event);
    return;
  }
  outcome("udp_received");
  ++health_.datagrams_in;
  found->second->take(event.from, event.payload);
}

void sim_network::refuse_datagram(const sim_event& event) {
  if (!event.from_connected)
    return; // nobody would hear it
  sim_path& back = path(event.to, event.from);
  if (loses(back))
    return;
  sim_event answer;
  answer.what = sim_event::kind::unreachable;
  answer.path = &back;
  answer.generation = back.to.generation;
  answer.from = event.to;
  answer.to = event.from;
  schedule(now() + draw_delay(back), std::move(answer));
}

void sim_network::deliver_unreachable(const sim_event& event) {
  const sim_host& target = event.path->to;
  if (event.path->cut || target.generation != event.generation)
    return;
  const auto found = target.datagram_sockets.find(event.to.port());
  if (found == target.datagram_sockets.end() || !found->second->hears_refusal_of(event.from))
    return;
  record("udp_unreachable", event.from, event.to, 0, 0);
  found->second->take_refusal(event.from);
}

} // namespace jackfield::lane

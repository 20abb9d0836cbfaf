#include "engine/lane/sim_streams.hpp"

#include <algorithm>
#include <cerrno>
#include <utility>

namespace jackfield::lane {

namespace {

/// The address from which a stream connects that was given none: the peer's own where that is
/// loopback.
endpoint source_for(const endpoint& remote) {
  if (remote.is_loopback())
    return remote.with_port(0);
  return endpoint::parse(remote.is_v4() ? "198.51.100.1" : "2001:db8:ffff::1", 0).value();
}

using namespace std::chrono_literals;

/// What the simulated system takes off an owner's hands before the peer has it: Linux's send
/// buffer before it grows.
constexpr size_t send_buffer = 1U << 18U;
constexpr size_t max_segment = 1U << 16U;

/// As Linux does it: SYNs after 1, 3, 7, 15, 31 and 63 s, given up after 127 s; data from 200 ms
/// (RTO_MIN) doubling to 120 s (RTO_MAX), given up after 15 times.
constexpr duration first_syn_timeout = 1s;
constexpr uint64_t syn_retries = 6;
constexpr duration least_timeout = 200ms;
constexpr duration longest_timeout = 120s;
constexpr int data_retries = 15;

error broken(const endpoint& remote, std::string_view what, int code) {
  return fail_errno("tcp " + remote.to_string(), std::string{what}, code).value();
}

} // namespace

size_t sim_stream_socket::queued() const noexcept {
  const auto* c = streams_.find(id_);
  return c == nullptr ? 0 : c->ends[side_].output.size();
}

// -- opening ---------------------------------------------------------------------

result<std::unique_ptr<stream_listener>> sim_streams::listen(const endpoint& local,
                                                             accept_handler& handler) {
  const std::string place = "tcp " + local.to_string();
  if (!local.valid() || local.is_unspecified())
    return fail(place, "a simulated socket is bound to the address of its host, not to any");
  sim_host& owner = network_.host(local);
  const auto used = [&owner](uint16_t port) {
    return owner.listeners.contains(port) || owner.stream_ports.contains(port);
  };
  endpoint bound = local;
  if (local.port() == 0)
    bound = local.with_port(sim_host::free_port(owner.last_stream_port, used));
  if (bound.port() == 0 || used(bound.port()))
    return fail_errno(place, "cannot bind", EADDRINUSE);
  owner.up = true;
  return std::make_unique<sim_listener>(owner, bound, handler);
}

result<std::unique_ptr<stream_socket>>
sim_streams::connect(const endpoint& remote, stream_handler& handler, const endpoint& local) {
  const std::string place = "tcp " + remote.to_string();
  if (remote.is_forbidden_destination())
    return fail_errno(place, "cannot connect", ENETUNREACH);
  endpoint source = local;
  if (!source.valid() || source.is_unspecified())
    source = source_for(remote).with_port(local.port());
  if (source.is_v4() != remote.is_v4())
    return fail_errno(place, "cannot connect", EAFNOSUPPORT);
  sim_host& owner = network_.host(source);
  const auto used = [&owner](uint16_t port) {
    return owner.listeners.contains(port) || owner.stream_ports.contains(port);
  };
  if (source.port() == 0)
    source = source.with_port(sim_host::free_port(owner.last_stream_port, used));
  if (source.port() == 0 || used(source.port()))
    return fail_errno("tcp " + source.to_string(), "cannot bind", EADDRINUSE);
  owner.up = true;
  owner.stream_ports.insert(source.port());

  auto made = std::make_unique<connection>();
  auto& c = *made;
  c.id = ++last_id_;
  connections_.emplace(c.id, std::move(made));
  stream_end& near = c.ends[0];
  near.host = &owner;
  near.generation = owner.generation;
  near.local = source;
  near.handler = &handler;
  near.now = state::connecting;
  stream_end& far = c.ends[1];
  far.host = &network_.host(remote);
  far.generation = far.host->generation;
  far.local = remote;
  auto socket = std::make_unique<sim_stream_socket>(*this, c.id, 0, source, remote);
  near.socket = socket.get();
  send_syn(c, 0);
  return socket;
}

// -- what owners do ----------------------------------------------------------------

bool sim_streams::write(uint64_t id, size_t side, std::string_view bytes) {
  connection* c = find(id);
  if (c == nullptr)
    return false;
  stream_end& e = c->ends[side];
  const bool takes = e.now == state::open || (e.now == state::connecting && e.handler != nullptr);
  if (!takes || e.dead() || bytes.size() > stream_socket::max_queued - e.output.size())
    return false;
  e.output += bytes;
  if (e.now == state::open)
    want_flush(*c, side);
  return true;
}

void sim_streams::finish(uint64_t id, size_t side) {
  connection* c = find(id);
  if (c == nullptr || c->ends[side].now == state::closed)
    return;
  stream_end& e = c->ends[side];
  e.handler = nullptr; // one that connects still comes up, delivers and ends
  if (e.now == state::open) {
    e.now = state::finishing;
    want_flush(*c, side);
  }
}

void sim_streams::release(uint64_t id, size_t side) {
  connection* c = find(id);
  if (c == nullptr)
    return;
  stream_end& e = c->ends[side];
  const bool finished = e.handler == nullptr && e.now == state::connecting;
  e.socket = nullptr;
  e.handler = nullptr;
  if (e.now == state::open || e.now == state::closed) {
    e.now = state::closed;
    e.output.clear();
    if (!e.dead())
      append(*c, side, segment::kind::end, {});
  } else if (e.now == state::connecting && !finished) {
    e.now = state::closed;
    e.output.clear();
    e.ended = true;
  }
  forget_if_over(id);
}

void sim_streams::want_flush(connection& c, size_t side) {
  if (std::exchange(c.ends[side].flush_wanted, true))
    return;
  to_flush_.emplace_back(c.id, side);
}

bool sim_streams::flush() {
  if (to_flush_.empty())
    return false;
  flushing_.swap(to_flush_);
  for (const auto& [id, side] : flushing_)
    flush_end(id, side);
  flushing_.clear();
  return true;
}

void sim_streams::flush_end(uint64_t id, size_t side) {
  connection* c = find(id);
  if (c == nullptr)
    return;
  stream_end& e = c->ends[side];
  e.flush_wanted = false;
  if ((e.now != state::open && e.now != state::finishing) || e.dead())
    return;
  size_t taken = 0;
  while (taken < e.output.size() && e.bytes_under_way < send_buffer) {
    const size_t count =
      std::min({e.output.size() - taken, max_segment, send_buffer - e.bytes_under_way});
    append(*c, side, segment::kind::data, e.output.substr(taken, count));
    taken += count;
  }
  e.output.erase(0, taken);
  if (!e.output.empty()) {
    e.blocked = true;
    return;
  }
  if (e.now == state::finishing)
    append(*c, side, segment::kind::end, {});
  if (std::exchange(e.blocked, false) && e.handler != nullptr)
    e.handler->on_drained();
}

// -- sending ---------------------------------------------------------------------

sim_streams::connection* sim_streams::find(uint64_t id) noexcept {
  const auto found = connections_.find(id);
  return found == connections_.end() ? nullptr : found->second.get();
}

sim_path& sim_streams::path_from(const connection& c, size_t side) {
  return network_.path(c.ends[side].local, c.ends[1 - side].local);
}

sim_event sim_streams::event_from(const connection& c, size_t side, sim_event::kind what) {
  sim_event event;
  event.what = what;
  event.side = static_cast<uint8_t>(side);
  event.stream = c.id;
  return event;
}

void sim_streams::record(std::string_view kind, const connection& c, size_t side,
                         const segment* s) {
  network_.record(kind, c.ends[side].local, c.ends[1 - side].local,
                  s == nullptr ? 0 : s->payload.size(), s == nullptr ? 0 : s->digest);
}

void sim_streams::send_syn(connection& c, uint64_t attempt) {
  sim_path& path = path_from(c, 0);
  const bool lost = network_.loses(path);
  record(lost ? "tcp_syn_lost" : "tcp_syn", c, 0);
  if (!lost)
    network_.schedule(network_.now() + network_.draw_delay(path),
                      event_from(c, 0, sim_event::kind::syn));
  sim_event retry = event_from(c, 0, sim_event::kind::retry_syn);
  retry.number = attempt + 1;
  network_.schedule(network_.now() + first_syn_timeout * (1U << attempt), std::move(retry));
}

void sim_streams::send_reset(connection& c, size_t side) {
  sim_path& path = path_from(c, side);
  if (!network_.loses(path))
    network_.schedule(network_.now() + network_.draw_delay(path),
                      event_from(c, side, sim_event::kind::reset));
}

void sim_streams::append(connection& c, size_t side, segment::kind what, std::string payload) {
  stream_end& e = c.ends[side];
  if (e.ended)
    return;
  e.ended = what == segment::kind::end;
  segment s{.what = what, .payload = std::move(payload)};
  s.digest = sim_digest(s.payload);
  e.bytes_under_way += s.payload.size();
  e.under_way.push_back(std::move(s));
  transmit(c, side, e.first_number + e.under_way.size() - 1);
}

void sim_streams::transmit(connection& c, size_t side, uint64_t number) {
  stream_end& e = c.ends[side];
  segment& s = e.under_way[number - e.first_number];
  sim_path& path = path_from(c, side);
  const bool lost = network_.loses(path);
  record(lost ? "tcp_lost" : "tcp_sent", c, side, &s);
  if (lost) {
    retry_later(c, side, number);
    return;
  }
  sim_event event = event_from(c, side, sim_event::kind::segment);
  event.number = number;
  network_.schedule(network_.now() + network_.draw_delay(path), std::move(event));
}

void sim_streams::retry_later(connection& c, size_t side, uint64_t number) {
  const stream_end& e = c.ends[side];
  const int attempts = e.under_way[number - e.first_number].attempts;
  const duration least = least_timeout + 2 * network_.mean_delay(path_from(c, side));
  const duration doubled = least * (int64_t{1} << std::min(attempts, 10));
  sim_event event = event_from(c, side, sim_event::kind::retry_segment);
  event.number = number;
  network_.schedule(network_.now() + std::max(least, std::min(longest_timeout, doubled)),
                    std::move(event));
}

// -- arriving --------------------------------------------------------------------

bool sim_streams::is_over(const sim_event& event) noexcept {
  if (event.what == sim_event::kind::datagram || event.what == sim_event::kind::unreachable)
    return false;
  const connection* c = find(event.stream);
  if (c == nullptr)
    return true;
  const stream_end& e = c->ends[event.side];
  if (event.what == sim_event::kind::retry_syn)
    return e.now != state::connecting || e.dead();
  if (event.what == sim_event::kind::retry_segment)
    return event.number < e.first_number || event.number - e.first_number >= e.under_way.size();
  return false;
}

void sim_streams::handle(const sim_event& event) {
  connection* c = find(event.stream);
  if (c == nullptr)
    return;
  switch (event.what) {
  case sim_event::kind::syn:
    on_syn(*c);
    break;
  case sim_event::kind::syn_ack:
    on_syn_ack(*c);
    break;
  case sim_event::kind::segment:
    on_segment(*c, event.side, event.number);
    break;
  case sim_event::kind::reset:
    on_reset(*c, 1U - event.side);
    break;
  case sim_event::kind::retry_syn:
    retry_syn(*c, event.number);
    break;
  case sim_event::kind::retry_segment:
    retry_segment(*c, event.side, event.number);
    break;
  case sim_event::kind::datagram:
  case sim_event::kind::unreachable:
    break;
  }
  forget_if_over(event.stream);
}

void sim_streams::on_syn(connection& c) {
  stream_end& far = c.ends[1];
  sim_host& host = *far.host;
  if (!host.up || path_from(c, 0).cut || c.ends[0].now != state::connecting)
    return;
  if (far.now == state::closed || far.dead()) {
    if (!host.listeners.contains(far.local.port())) {
      record("tcp_refused", c, 1);
      send_reset(c, 1);
      return;
    }
    far.now = state::accepting;
    far.generation = host.generation;
  }
  sim_path& back = path_from(c, 1);
  if (!network_.loses(back))
    network_.schedule(network_.now() + network_.draw_delay(back),
                      event_from(c, 1, sim_event::kind::syn_ack));
}

void sim_streams::on_syn_ack(connection& c) {
  stream_end& near = c.ends[0];
  if (near.now != state::connecting || near.dead() || path_from(c, 1).cut)
    return;
  const bool finished = near.handler == nullptr;
  near.now = finished ? state::finishing : state::open;
  record("tcp_connected", c, 0);
  append(c, 0, segment::kind::confirmation, {});
  want_flush(c, 0);
  if (!finished)
    near.handler->on_connected();
}

void sim_streams::on_segment(connection& c, size_t side, uint64_t number) {
  stream_end& sender = c.ends[side];
  const stream_end& receiver = c.ends[1 - side];
  if (number < sender.first_number || number - sender.first_number >= sender.under_way.size())
    return; // given up meanwhile
  segment& s = sender.under_way[number - sender.first_number];
  const bool nobody = receiver.dead() ||
                      (receiver.now == state::closed && s.what != segment::kind::end) ||
                      (receiver.now == state::finishing && receiver.socket == nullptr &&
                       s.what == segment::kind::data);
  if (path_from(c, side).cut || nobody) {
    // Whoever is up answers what belongs to no connection of his.
    if (nobody && receiver.host->up && !path_from(c, side).cut)
      send_reset(c, 1 - side);
    retry_later(c, side, number);
    return;
  }
  s.arrived = true;
  deliver_in_order(c.id, side);
}

void sim_streams::deliver_in_order(uint64_t id, size_t side) {
  // Callees may destroy either end, and the connection with it.
  for (connection* c = find(id); c != nullptr; c = find(id)) {
    stream_end& sender = c->ends[side];
    stream_end& receiver = c->ends[1 - side];
    if (sender.under_way.empty() || !sender.under_way.front().arrived)
      break;
    const segment s = std::move(sender.under_way.front());
    sender.under_way.pop_front();
    ++sender.first_number;
    sender.bytes_under_way -= s.payload.size();
    if (!sender.output.empty())
      want_flush(*c, side);
    if (receiver.dead())
      continue;
    record("tcp_received", *c, side, &s);
    switch (s.what) {
    case segment::kind::confirmation:
      accept(*c);
      break;
    case segment::kind::data:
      if (receiver.handler != nullptr)
        receiver.handler->on_data(std::as_bytes(std::span{s.payload}));
      break;
    case segment::kind::end:
      if (receiver.now != state::closed && receiver.now != state::finishing)
        close(*c, 1 - side, {"tcp " + sender.local.to_string(), ""});
      break;
    }
  }
}

void sim_streams::accept(connection& c) {
  stream_end& far = c.ends[1];
  if (far.now != state::accepting)
    return;
  const auto found = far.host->listeners.find(far.local.port());
  if (found == far.host->listeners.end()) {
    far.now = state::closed;
    far.ended = true;
    send_reset(c, 1);
    return;
  }
  far.now = state::open;
  const uint64_t id = c.id;
  auto socket = std::make_unique<sim_stream_socket>(*this, id, 1, far.local, c.ends[0].local);
  far.socket = socket.get();
  stream_handler* handler = found->second->handler().on_accept(std::move(socket));
  connection* still = find(id);
  if (still != nullptr && still->ends[1].socket != nullptr && still->ends[1].now == state::open)
    still->ends[1].handler = handler;
}

void sim_streams::on_reset(connection& c, size_t side) {
  const stream_end& e = c.ends[side];
  if (e.dead() || path_from(c, 1 - side).cut)
    return;
  record("tcp_reset", c, 1 - side);
  const endpoint& remote = c.ends[1 - side].local;
  close(c, side,
        e.now == state::connecting ? broken(remote, "cannot connect", ECONNREFUSED)
                                   : broken(remote, "connection lost", ECONNRESET));
}

void sim_streams::retry_syn(connection& c, uint64_t attempt) {
  const stream_end& near = c.ends[0];
  if (near.now != state::connecting || near.dead())
    return;
  if (attempt > syn_retries)
    close(c, 0, broken(c.ends[1].local, "cannot connect", ETIMEDOUT));
  else
    send_syn(c, attempt);
}

void sim_streams::retry_segment(connection& c, size_t side, uint64_t number) {
  stream_end& e = c.ends[side];
  if (number < e.first_number || number - e.first_number >= e.under_way.size())
    return; // given up meanwhile
  const auto at = static_cast<std::ptrdiff_t>(number - e.first_number);
  if (e.dead()) {
    // Nobody sends it again, so those behind it will not be taken either.
    e.under_way.erase(e.under_way.begin() + at, e.under_way.end());
    return;
  }
  if (++e.under_way[number - e.first_number].attempts > data_retries)
    close(c, side, broken(c.ends[1 - side].local, "connection lost", ETIMEDOUT));
  else
    transmit(c, side, number);
}

// -- ending ----------------------------------------------------------------------

void sim_streams::close(connection& c, size_t side, const error& why) {
  stream_end& e = c.ends[side];
  e.output.clear();
  if (!why.cause.empty()) { // what is under way will not be taken, and the peer need not hear
    e.first_number += e.under_way.size();
    e.under_way.clear();
    e.bytes_under_way = 0;
    e.ended = true;
  }
  e.now = state::closed;
  if (auto* handler = std::exchange(e.handler, nullptr); handler != nullptr && !e.dead())
    handler->on_closed(why);
}

void sim_streams::forget_if_over(uint64_t id) {
  connection* c = find(id);
  if (c == nullptr)
    return;
  for (const stream_end& e : c->ends) {
    const bool waits = e.now == state::connecting || (e.now == state::finishing && !e.ended);
    if (e.socket != nullptr || !e.under_way.empty() || (waits && !e.dead()))
      return;
  }
  if (!c->ends[0].dead())
    c->ends[0].host->stream_ports.erase(c->ends[0].local.port());
  connections_.erase(id);
}

} // namespace jackfield::lane

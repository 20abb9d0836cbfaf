#include "engine/transport/transport_layer.hpp"

#include <algorithm>
#include <deque>
#include <unordered_map>
#include <utility>
#include <vector>

#include "engine/transport/connection.hpp"
#include "engine/transport/lingering_streams.hpp"
#include "engine/transport/udp_ports.hpp"

namespace jackfield::transport {

namespace {

/// Kernel buffers for a SIP socket: some 8,000 messages wait without loss.
constexpr size_t udp_buffer_bytes = 8U << 20U;

bool has_control_or_space(std::string_view text) {
  return std::any_of(text.begin(), text.end(),
                     [](char c) { return static_cast<unsigned char>(c) <= ' ' || c == 0x7f; });
}

std::string in_lower_case(std::string text) {
  for (char& c : text)
    if (c >= 'A' && c <= 'Z')
      c = static_cast<char>(c + 32);
  return text;
}

uint32_t next_generation(uint32_t generation) {
  return ++generation == 0 ? 1 : generation;
}

} // namespace

class transport_layer::implementation final : private connection_owner {
public:
  implementation(lane::lane& home, transport_handler& handler, splitter_factory splitter,
                 const transport_settings& settings)
      : home_(home), handler_(handler), make_splitter_(std::move(splitter)), settings_(settings),
        lane_(settings.lane.value_or(static_cast<uint8_t>(home.index()))),
        udp_(home, handler, counters_, settings.keep_alive.udp, lane_), lingering_(home),
        reaper_(&fire<&implementation::reap>, this),
        handshaker_(&fire<&implementation::resume_handshakes>, this) {}

  virtual ~implementation() = default;

  result<lane::endpoint> listen(protocol p, const lane::endpoint& local,
                                const listen_settings& settings);
  result<flow> open(protocol p, const lane::endpoint& remote, const open_settings& settings);
  bool send(const flow& to, std::string_view bytes, unsigned rank);
  void close(const flow& which);
  void close_all();

  [[nodiscard]] connection* find_connection(const flow& which) const {
    if (which.protocol == protocol::udp || which.lane != lane_ ||
        which.handle.index >= slots_.size())
      return nullptr;
    const slot& s = slots_[which.handle.index];
    return which.handle && s.generation == which.handle.generation ? s.used.get() : nullptr;
  }
  [[nodiscard]] udp_ports& udp() noexcept { return udp_; }
  [[nodiscard]] size_t connections() const noexcept { return in_use_; }
  [[nodiscard]] const transport_counters& counters() const noexcept { return counters_; }

private:
  struct stream_port final : lane::accept_handler {
    stream_port(implementation& owner, protocol of, std::shared_ptr<const listen_settings> as)
        : layer(owner), p(of), settings(std::move(as)) {}
    lane::stream_handler* on_accept(std::unique_ptr<lane::stream_socket> stream) override {
      return layer.accept(*this, std::move(stream));
    }
    implementation& layer;
    protocol p;
    std::shared_ptr<const listen_settings> settings;
    std::unique_ptr<lane::stream_listener> listener;
  };

  struct slot {
    std::unique_ptr<connection> used;
    uint32_t generation = 1;
    std::string pool_key; // of a connection that may be shared
  };

  /// A connection that is over; its object lives until the call that ended it has returned.
  struct dead_connection {
    std::unique_ptr<connection> object;
    error why;
    bool tell = false;
  };

  template <auto Member>
  static void fire(void* self) {
    (static_cast<implementation*>(self)->*Member)();
  }

  // -- connection_owner ------------------------------------------------------------
  void on_connection_up(connection& which) override { handler_.on_flow_up(which.name()); }
  void on_connection_message(connection& which, std::string_view bytes) override {
    ++counters_.messages_in;
    // A copy: the handler may keep the reference while it closes the flow.
    const flow from = which.name();
    handler_.on_message(from, bytes, home_.now());
  }
  void on_connection_over(connection& which, const error& why, bool orderly,
                          std::unique_ptr<lane::stream_socket> stream) override;
  void on_tls_up(bool resumed) override {
    ++counters_.tls_handshakes;
    counters_.tls_resumed += resumed ? 1 : 0;
  }
  bool handshake_allowed() override;
  void handshake_stepped() override { ++handshakes_in_pass_; }
  void handshake_waits(const connection& which) override;
  std::unique_ptr<stream_splitter> make_splitter() override { return make_splitter_(); }

  lane::stream_handler* accept(const stream_port& port,
                               std::unique_ptr<lane::stream_socket> stream);
  connection_handle add_connection();
  std::unique_ptr<connection> release(connection_handle handle);
  void forbid() { ++counters_.forbidden; }
  void reap();
  void resume_handshakes();

  lane::lane& home_;
  transport_handler& handler_;
  splitter_factory make_splitter_;
  const transport_settings settings_;
  transport_counters counters_;
  const uint8_t lane_;

  udp_ports udp_;
  lingering_streams lingering_;

  std::vector<std::unique_ptr<stream_port>> listeners_;
  std::vector<slot> slots_;
  std::vector<uint32_t> free_slots_;
  size_t in_use_ = 0;
  std::unordered_map<lane::endpoint, size_t> accepted_by_peer_; // by address, port 0
  std::unordered_map<std::string, connection_handle> pool_;
  std::vector<dead_connection> dead_;
  std::deque<flow> waiting_handshakes_;
  uint64_t handshake_pass_ = 0;
  size_t handshakes_in_pass_ = 0;
  bool closing_quietly_ = false;
  lane::timer reaper_;
  lane::timer handshaker_;
};

// -- beginning of connections ------------------------------------------------------

result<lane::endpoint> transport_layer::implementation::listen(protocol p,
                                                               const lane::endpoint& local,
                                                               const listen_settings& settings) {
  if (p == protocol::udp)
    return udp_.listen(local, udp_buffer_bytes, settings.sharing);
  const std::string place = in_lower_case(std::string{to_string(p)}) + ' ' + local.to_string();
  if (is_secure(p) && (!settings.tls || settings.tls->side() != tls_context::role::server))
    return fail(place, "needs a TLS server context (certificate and key)");
  auto port =
    std::make_unique<stream_port>(*this, p, std::make_shared<const listen_settings>(settings));
  auto listener = home_.listen(local, *port, settings.sharing);
  if (!listener)
    return tl::unexpected(std::move(listener.error()));
  port->listener = std::move(*listener);
  listeners_.push_back(std::move(port));
  return listeners_.back()->listener->local();
}

result<flow> transport_layer::implementation::open(protocol p, const lane::endpoint& remote,
                                                   const open_settings& settings) {
  flow made{{}, p, lane_, settings.local, remote};
  if (!remote.valid() || remote.is_forbidden_destination()) {
    forbid();
    return fail(made.to_string(), "nothing may be sent there (multicast, broadcast, this-network "
                                  "or port 0)");
  }
  if (p == protocol::udp)
    return udp_.open(remote, settings.local);
  if (is_secure(p) && (!settings.tls || settings.tls->side() != tls_context::role::client))
    return fail(made.to_string(), "needs a TLS client context");
  if (is_websocket(p) && (settings.ws.path.empty() || settings.ws.path.front() != '/' ||
                          has_control_or_space(settings.ws.path)))
    return fail(made.to_string(), "the websocket path must begin with \"/\" and have no spaces");
  if (has_control_or_space(settings.server_name) || has_control_or_space(settings.ws.origin))
    return fail(made.to_string(), "space or control character in the server's name or the origin");

  connection::client_settings client;
  client.server_name =
    settings.server_name.empty() ? remote.address() : in_lower_case(settings.server_name);
  client.tls = settings.tls;
  client.ws = settings.ws;
  if (const auto numeric = lane::endpoint::parse(client.server_name, remote.port()))
    client.host = numeric->host();
  else
    client.host = client.server_name;
  if (remote.port() != default_port(p))
    client.host += ':' + std::to_string(remote.port());

  std::string key;
  if (settings.share) {
    key = made.to_string() + ' ' + client.server_name;
    if (settings.local.valid())
      key += " from " + settings.local.to_string();
    if (is_secure(p))
      key += " by " + std::to_string(reinterpret_cast<uintptr_t>(settings.tls.get()));
    if (is_websocket(p))
      key += ' ' + settings.ws.path + ' ' + settings.ws.origin;
    if (const auto found = pool_.find(key); found != pool_.end()) {
      made.handle = found->second;
      return find_connection(made)->name();
    }
  }
  if (in_use_ >= settings_.max_connections) {
    ++counters_.refused;
    return fail(made.to_string(), std::to_string(in_use_) + " connections are open, the most "
                                                            "allowed");
  }
  made.handle = add_connection();
  if (auto started =
        slots_[made.handle.index].used->start_client(made, settings.local, std::move(client));
      !started) {
    release(made.handle);
    return tl::unexpected(std::move(started.error()));
  }
  ++counters_.opened;
  if (settings.share) {
    pool_.emplace(key, made.handle);
    slots_[made.handle.index].pool_key = std::move(key);
  }
  return slots_[made.handle.index].used->name();
}

lane::stream_handler*
transport_layer::implementation::accept(const stream_port& port,
                                        std::unique_ptr<lane::stream_socket> stream) {
  const lane::endpoint remote = stream->remote();
  size_t& of_peer = accepted_by_peer_[remote.with_port(0)];
  if (in_use_ >= settings_.max_connections || of_peer >= settings_.max_accepted_per_peer) {
    if (of_peer == 0)
      accepted_by_peer_.erase(remote.with_port(0));
    ++counters_.refused;
    return nullptr;
  }
  ++of_peer;
  ++counters_.accepted;
  const flow name{add_connection(), port.p, lane_, stream->local(), remote};
  connection& made = *slots_[name.handle.index].used;
  made.start_server(name, std::move(stream), port.settings);
  return find_connection(name); // null if it is over already
}

connection_handle transport_layer::implementation::add_connection() {
  uint32_t index = 0;
  if (free_slots_.empty()) {
    index = static_cast<uint32_t>(slots_.size());
    slots_.emplace_back();
  } else {
    index = free_slots_.back();
    free_slots_.pop_back();
  }
  ++in_use_;
  slot& s = slots_[index];
  s.used = std::make_unique<connection>(home_, static_cast<connection_owner&>(*this), settings_);
  return {index, s.generation};
}

std::unique_ptr<connection> transport_layer::implementation::release(connection_handle handle) {
  slot& s = slots_[handle.index];
  auto object = std::move(s.used);
  s.generation = next_generation(s.generation);
  if (!s.pool_key.empty())
    pool_.erase(std::exchange(s.pool_key, {}));
  free_slots_.push_back(handle.index);
  --in_use_;
  return object;
}

// -- use ----------------------------------------------------------------------------

bool transport_layer::implementation::send(const flow& to, std::string_view bytes, unsigned rank) {
  if (to.protocol == protocol::udp) {
    lane::datagram_socket* const socket = udp_.find(to);
    if (socket == nullptr)
      return false;
    if (to.remote.is_forbidden_destination()) {
      forbid();
      return false;
    }
    ++counters_.messages_out;
    socket->send(to.remote, bytes, rank);
    return true;
  }
  connection* const found = find_connection(to);
  if (found == nullptr || !found->send(bytes))
    return false;
  ++counters_.messages_out;
  return true;
}

void transport_layer::implementation::close(const flow& which) {
  if (which.protocol == protocol::udp) {
    udp_.stop_keep_alive(which);
    return;
  }
  if (connection* const found = find_connection(which)) {
    const bool outer = std::exchange(closing_quietly_, true);
    found->close(1000);
    closing_quietly_ = outer;
  }
}

// Nobody hears of it any more.
void transport_layer::implementation::close_all() {
  closing_quietly_ = true;
  for (size_t i = 0; i < slots_.size(); ++i)
    if (connection* const left = slots_[i].used.get())
      left->close(1001);
}

// -- TLS handshakes a pass -------------------------------------------------------------

bool transport_layer::implementation::handshake_allowed() {
  if (const uint64_t pass = home_.health().passes; pass != handshake_pass_) {
    handshake_pass_ = pass;
    handshakes_in_pass_ = 0;
  }
  return waiting_handshakes_.empty() && handshakes_in_pass_ < settings_.max_handshakes_per_pass;
}

void transport_layer::implementation::handshake_waits(const connection& which) {
  waiting_handshakes_.push_back(which.name());
  if (!handshaker_.armed())
    home_.arm_in(handshaker_, lane::timer_wheel::tick);
}

void transport_layer::implementation::resume_handshakes() {
  handshake_pass_ = home_.health().passes;
  handshakes_in_pass_ = 0;
  while (!waiting_handshakes_.empty() && handshakes_in_pass_ < settings_.max_handshakes_per_pass) {
    const flow next = waiting_handshakes_.front();
    waiting_handshakes_.pop_front();
    if (connection* const found = find_connection(next))
      found->resume_handshake();
  }
  if (!waiting_handshakes_.empty())
    home_.arm_in(handshaker_, lane::timer_wheel::tick);
}

// -- end of connections ---------------------------------------------------------------

void transport_layer::implementation::on_connection_over(
  connection& which, const error& why, bool orderly, std::unique_ptr<lane::stream_socket> stream) {
  const flow name = which.name();
  if (!which.is_client()) {
    const auto peer = accepted_by_peer_.find(name.remote.with_port(0));
    if (--peer->second == 0)
      accepted_by_peer_.erase(peer);
  }
  if (!orderly)
    ++counters_.failed;
  if (stream)
    lingering_.add(std::move(stream));
  dead_.push_back({release(name.handle), why, !closing_quietly_});
  if (!reaper_.armed())
    home_.arm(reaper_, home_.now());
}

void transport_layer::implementation::reap() {
  for (const dead_connection& dead : std::exchange(dead_, {}))
    if (dead.tell)
      handler_.on_flow_failed(dead.object->name(),
                              {dead.object->ended_during(), dead.why, dead.object->said_goodbye()});
}

// -- transport_layer -------------------------------------------------------------------

transport_layer::transport_layer(lane::lane& home, transport_handler& handler,
                                 splitter_factory splitter, const transport_settings& settings)
    : implementation_(
        std::make_unique<implementation>(home, handler, std::move(splitter), settings)) {}

transport_layer::~transport_layer() {
  implementation_->close_all();
}

result<lane::endpoint> transport_layer::listen(protocol p, const lane::endpoint& local,
                                               const listen_settings& settings) {
  return implementation_->listen(p, local, settings);
}

result<lane::endpoint> transport_layer::listen_udp(const lane::endpoint& local,
                                                   size_t buffer_bytes) {
  return implementation_->udp().listen(local, buffer_bytes, lane::port_sharing::none);
}

result<flow> transport_layer::open(protocol p, const lane::endpoint& remote,
                                   const open_settings& settings) {
  return implementation_->open(p, remote, settings);
}

bool transport_layer::send(const flow& to, std::string_view bytes, unsigned rank) {
  return implementation_->send(to, bytes, rank);
}

void transport_layer::close(const flow& which) {
  implementation_->close(which);
}

void transport_layer::keep_alive_udp(const flow& which) {
  implementation_->udp().start_keep_alive(which);
}

std::optional<flow> transport_layer::find(const flow& which) const {
  if (const connection* found = implementation_->find_connection(which))
    return found->name();
  if (const lane::datagram_socket* found = implementation_->udp().find(which))
    return flow{which.handle, protocol::udp, which.lane, found->local(), which.remote};
  return std::nullopt;
}

std::optional<flow> transport_layer::own(const flow& other) const {
  if (other.protocol != protocol::udp)
    return std::nullopt;
  auto mine = implementation_->udp().open(other.remote, other.local);
  return mine ? std::optional{*mine} : std::nullopt;
}

bool transport_layer::is_up(const flow& which) const {
  if (const connection* found = implementation_->find_connection(which))
    return found->is_up();
  return implementation_->udp().find(which) != nullptr;
}

std::optional<tls_summary> transport_layer::tls_of(const flow& which) const {
  const connection* found = implementation_->find_connection(which);
  if (found == nullptr || !found->is_up() || found->tls() == nullptr)
    return std::nullopt;
  return tls_summary{found->tls()->version(), found->tls()->cipher(), found->tls()->resumed()};
}

size_t transport_layer::connections() const noexcept {
  return implementation_->connections();
}

const transport_counters& transport_layer::counters() const noexcept {
  return implementation_->counters();
}

uint64_t transport_layer::udp_drops() const noexcept {
  return implementation_->udp().drops();
}

} // namespace jackfield::transport

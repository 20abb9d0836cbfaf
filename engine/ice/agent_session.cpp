#include "engine/ice/agent_session.hpp"

#include <algorithm>
#include <utility>

#include <fcntl.h>
#include <gio/gio.h>
#include <openssl/crypto.h>

#include "engine/ice/agent.hpp"
#include "engine/ice/nice_values.hpp"

namespace jackfield::ice {

namespace {

constexpr guint component = 1;
constexpr size_t most_turn_servers = 4;
constexpr size_t most_early_packets = 16;
constexpr size_t longest_early_packet = 2048;

constexpr int most_waiting_packets = 256;

NiceAgent* new_agent(GMainContext* context, bool controlling, bool may_relay) {
  // upnp would start a thread for each agent. After idle-timeout without news libnice stops its
  // 20 ms tick; checks that come later start it again. Consent is libnice's for relayed pairs
  // alone, which never leave it: asked for every 5 s, and lost after 10 s without an answer.
  return static_cast<NiceAgent*>(
    g_object_new(NICE_TYPE_AGENT, "compatibility", NICE_COMPATIBILITY_RFC5245, "main-context",
                 context, "reliable", FALSE, "full-mode", TRUE, "upnp", FALSE, "consent-freshness",
                 may_relay ? TRUE : FALSE, "ice-tcp", FALSE, "ice-udp", TRUE, "ice-trickle", TRUE,
                 "keepalive-conncheck", FALSE, "idle-timeout", 500U, "max-connectivity-checks", 32U,
                 "controlling-mode", controlling ? TRUE : FALSE, nullptr));
}

void ignore(NiceAgent* /*agent*/, guint /*stream*/, guint /*component*/, guint /*length*/,
            gchar* /*bytes*/, gpointer /*nobody*/) {}

} // namespace

agent_session::agent_session(std::shared_ptr<loop_core> core, agent_settings settings,
                             agent_observer& observer)
    : core_(std::move(core)), settings_(std::move(settings)), observer_(&observer) {}

agent_session::~agent_session() {
  for (auto& server : settings_.turn)
    OPENSSL_cleanse(server.password.data(), server.password.size());
}

void agent_session::warm_up(loop_core& core) {
  NiceAgent* agent = new_agent(core.context(), true, false);
  NiceAddress address = to_nice(lane::endpoint::loopback_v4(0));
  nice_agent_add_local_address(agent, &address);
  const guint stream = nice_agent_add_stream(agent, component);
  nice_agent_gather_candidates(agent, stream);
  nice_agent_remove_stream(agent, stream);
  g_object_unref(agent);
}

template <class Call>
void agent_session::tell(Call&& call) {
  const std::scoped_lock lock{mutex_};
  if (observer_ != nullptr)
    call(*observer_);
}

void agent_session::silence() {
  const std::scoped_lock lock{mutex_};
  observer_ = nullptr;
}

void agent_session::begin() {
  if (ended_)
    return;
  core_->keep(shared_from_this());
  if (!prepare())
    fail_with("ice gathering", "the local address or the ports cannot be used");
}

bool agent_session::prepare() {
  if (!settings_.local.valid() || !settings_.local_address.valid() ||
      settings_.first_port > settings_.last_port)
    return false;
  agent_ = new_agent(core_->context(), settings_.controlling, !settings_.turn.empty());
  if (settings_.relay_only)
    g_object_set(agent_, "force-relay", TRUE, nullptr);
  NiceAddress address = to_nice(settings_.local_address.with_port(0));
  nice_agent_add_local_address(agent_, &address);
  if (settings_.stun_server.valid()) {
    g_object_set(agent_, "stun-server", settings_.stun_server.address().c_str(), "stun-server-port",
                 static_cast<guint>(settings_.stun_server.port()), nullptr);
  }
  g_signal_connect(agent_, "component-state-changed", G_CALLBACK(state_changed), this);
  g_signal_connect(agent_, "new-candidate-full", G_CALLBACK(candidate_found), this);
  g_signal_connect(agent_, "candidate-gathering-done", G_CALLBACK(gathering_done), this);
  stream_ = nice_agent_add_stream(agent_, component);
  if (stream_ == 0 ||
      !nice_agent_set_local_credentials(agent_, stream_, settings_.local.ufrag.c_str(),
                                        settings_.local.pwd.c_str()))
    return false;
  if (settings_.last_port != 0)
    nice_agent_set_port_range(agent_, stream_, component, settings_.first_port,
                              settings_.last_port);
  for (size_t i = 0; i < std::min(settings_.turn.size(), most_turn_servers); ++i) {
    const auto& server = settings_.turn[i];
    const auto type =
      server.transport == turn_transport::udp ? NICE_RELAY_TYPE_TURN_UDP : NICE_RELAY_TYPE_TURN_TCP;
    nice_agent_set_relay_info(agent_, stream_, component, server.address.address().c_str(),
                              server.address.port(), server.user.c_str(), server.password.c_str(),
                              type);
  }
  nice_agent_attach_recv(agent_, stream_, component, core_->context(), received, this);
  return nice_agent_gather_candidates(agent_, stream_) != FALSE;
}

void agent_session::set_remote(const credentials& remote,
                               const std::vector<candidate>& candidates) {
  if (agent_ == nullptr || remote_known_)
    return;
  if (!remote.valid() || !nice_agent_set_remote_credentials(agent_, stream_, remote.ufrag.c_str(),
                                                            remote.pwd.c_str())) {
    fail_with("ice checks", "the peer's ufrag or password is not valid");
    return;
  }
  remote_known_ = true;
  const auto wait = std::clamp<int64_t>(settings_.patience.count(), 1, 3'600'000);
  patience_ = core_->after(static_cast<unsigned>(wait), [this] {
    fail_with("ice checks", "no pair of addresses worked in time");
  });
  add_remote(candidates);
}

void agent_session::add_remote(const std::vector<candidate>& candidates) {
  if (agent_ == nullptr || !remote_known_)
    return;
  GSList* list = nullptr;
  for (const auto& c : candidates) {
    if (!c.usable() || remote_candidates_ == agent::most_candidates)
      continue;
    ++remote_candidates_;
    list = g_slist_prepend(list, to_nice(c, stream_));
  }
  if (list == nullptr)
    return;
  list = g_slist_reverse(list);
  nice_agent_set_remote_candidates(agent_, stream_, component, list);
  g_slist_free_full(list, [](gpointer c) { nice_candidate_free(static_cast<NiceCandidate*>(c)); });
}

void agent_session::end_remote() {
  if (agent_ != nullptr && remote_known_)
    nice_agent_peer_candidate_gathering_done(agent_, stream_);
}

bool agent_session::take_place() noexcept {
  if (waiting_.fetch_add(1, std::memory_order_relaxed) < most_waiting_packets)
    return true;
  waiting_.fetch_sub(1, std::memory_order_relaxed);
  return false;
}

void agent_session::send(std::span<const std::byte> packet) {
  waiting_.fetch_sub(1, std::memory_order_relaxed);
  if (agent_ != nullptr && relayed_)
    nice_agent_send(agent_, stream_, component, static_cast<guint>(packet.size()),
                    reinterpret_cast<const gchar*>(packet.data()));
}

void agent_session::end() {
  if (std::exchange(ended_, true))
    return;
  const auto self = shared_from_this(); // the loop's share goes with `drop`
  loop_core::cancel(patience_);
  if (auto* agent = std::exchange(agent_, nullptr)) {
    g_signal_handlers_disconnect_by_data(agent, this);
    if (settings_.turn.empty()) {
      nice_agent_remove_stream(agent, stream_);
    } else {
      // Allocations are to be given back, which takes an answer, or a while without one: a socket
      // that was taken over is not libnice's to read any more.
      nice_agent_attach_recv(agent, stream_, component,
                             taken_ ? core_->unattended() : core_->context(), ignore, nullptr);
      core_->note_leaving();
      nice_agent_close_async(
        agent,
        [](GObject*, GAsyncResult*, gpointer core) { static_cast<loop_core*>(core)->note_left(); },
        core_.get());
    }
    g_object_unref(agent);
  }
  early_.clear();
  core_->drop(self);
}

void agent_session::state_changed(NiceAgent*, guint, guint, guint state, gpointer data) {
  auto& self = *static_cast<agent_session*>(data);
  if (state == NICE_COMPONENT_STATE_FAILED && self.relayed_) {
    self.core_->post([held = self.shared_from_this()] {
      held->fail_with("ice consent", "the peer has not answered for 10 s");
    });
    return;
  }
  // Else a state of FAILED is none: the peer's checks may still come, and wake libnice up.
  if (state != NICE_COMPONENT_STATE_READY || std::exchange(self.ready_, true))
    return;
  // Not within libnice's own call.
  self.core_->post([held = self.shared_from_this()] { held->take_over(); });
}

void agent_session::candidate_found(NiceAgent*, NiceCandidate* found, gpointer data) {
  auto& self = *static_cast<agent_session*>(data);
  const auto held = self.shared_from_this();
  // libnice finds peer-reflexive ones, too, which are nobody's business but its own.
  if (found->type != NICE_CANDIDATE_TYPE_PEER_REFLEXIVE &&
      found->transport == NICE_CANDIDATE_TRANSPORT_UDP)
    self.tell([&](agent_observer& o) { o.on_candidates({from_nice(*found)}, false); });
}

void agent_session::gathering_done(NiceAgent*, guint, gpointer data) {
  auto& self = *static_cast<agent_session*>(data);
  const auto held = self.shared_from_this();
  self.tell([](agent_observer& o) { o.on_candidates({}, true); });
}

void agent_session::received(NiceAgent*, guint, guint, guint length, gchar* bytes, gpointer data) {
  auto& self = *static_cast<agent_session*>(data);
  const auto held = self.shared_from_this();
  self.on_packet(std::as_bytes(std::span{bytes, length}));
}

void agent_session::on_packet(std::span<const std::byte> packet) {
  if (relayed_)
    tell([&](agent_observer& o) { o.on_packet(packet); });
  else if (early_.size() < most_early_packets && packet.size() <= longest_early_packet)
    early_.emplace_back(packet.begin(), packet.end());
}

void agent_session::take_over() {
  if (agent_ == nullptr)
    return;
  NiceCandidate* local = nullptr;
  NiceCandidate* remote = nullptr;
  if (!nice_agent_get_selected_pair(agent_, stream_, component, &local, &remote)) {
    ready_ = false;
    return;
  }
  loop_core::cancel(patience_);
  taken_socket out;
  out.remote = from_nice(remote->addr);
  GSocket* socket = nice_agent_get_selected_socket(agent_, stream_, component);
  if (socket == nullptr) {
    relayed_ = true;
    tell([&](agent_observer& o) { o.on_relayed_selected(out.remote); });
    for (const auto& packet : std::exchange(early_, {}))
      tell([&](agent_observer& o) { o.on_packet(packet); });
    return;
  }
  out.local = from_nice(local->base_addr);
  out.local_type = from_nice(local->type);
  out.remote_type = from_nice(remote->type);
  out.controlling = settings_.controlling;
  // GLib closes its own without a shutdown, so that the copy lives on.
  out.socket = unique_fd{fcntl(g_socket_get_fd(socket), F_DUPFD_CLOEXEC, 0)};
  g_object_unref(socket);
  if (out.socket.get() < 0) {
    fail_with("ice checks", "the selected socket cannot be copied: too many open files");
    return;
  }
  out.early = std::exchange(early_, {});
  taken_ = true;
  const auto held = shared_from_this();
  end();
  tell([&](agent_observer& o) { o.on_selected(std::move(out)); });
}

void agent_session::fail_with(const char* place, const char* cause) {
  const auto held = shared_from_this();
  end();
  tell([&](agent_observer& o) { o.on_failed({place, cause}); });
}

} // namespace jackfield::ice

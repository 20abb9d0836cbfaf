#include "actors/media/ice_link.hpp"

#include <array>
#include <chrono>
#include <string_view>
#include <utility>

#include "actors/media/webrtc_services.hpp"
#include "engine/ice/stun.hpp"

namespace jackfield {

namespace {

/// How long a description waits for what servers say of us, once it has an address to show.
constexpr std::chrono::milliseconds servers_have{30};

constexpr size_t most_early = 16;

std::string_view as_text(std::span<const std::byte> bytes) {
  return {reinterpret_cast<const char*>(bytes.data()), bytes.size()};
}

ice::credentials draw_credentials(lane::lane& home) {
  std::array<std::byte, ice::credential_bytes> random{};
  home.random_bytes(random);
  return ice::make_credentials(random);
}

} // namespace

ice_link::ice_link(media_plane& plane, ice_link_user& user, bool controlling)
    : plane_(plane), user_(user), local_(draw_credentials(plane.home())),
      timer_([](void* self) { static_cast<ice_link*>(self)->on_timer(); }, this),
      controlling_(controlling) {
  // nop
}

ice_link::~ice_link() {
  if (socket_)
    plane_.forget(*socket_);
}

void ice_link::gather() {
  ice::agent_settings settings;
  settings.local_address = plane_.address();
  settings.first_port = plane_.settings().first_port;
  settings.last_port = plane_.settings().last_port;
  settings.controlling = controlling_;
  settings.local = local_;
  const auto& wanted = plane_.webrtc()->settings();
  settings.stun_server = wanted.stun_server;
  settings.turn = wanted.turn;
  settings.relay_only = wanted.relay_only;
  finder_ = plane_.webrtc()->simulated()
              ? make_simulated_finder(plane_, settings, *this, *this)
              : make_network_finder(plane_, std::move(settings), *this, *this);
  finder_->gather();
}

void ice_link::check(const ice::credentials& remote,
                     const std::vector<ice::candidate>& candidates) {
  remote_ = remote;
  if (finder_)
    finder_->check(remote, candidates);
}

void ice_link::on_candidates(const std::vector<ice::candidate>& found, bool done) {
  if (described_)
    return;
  own_.insert(own_.end(), found.begin(), found.end());
  if (done)
    describe();
  else if (!own_.empty() && !timer_.armed())
    plane_.home().arm(timer_, plane_.home().now() + servers_have);
}

// What comes later is used, though not told: the peer learns it from the checks.
void ice_link::describe() {
  described_ = true;
  timer_.cancel();
  if (const auto own = std::exchange(own_, {}); !own.empty())
    user_.on_link_described(*this, own);
  else
    on_no_pair(error{"ice gathering", "no TURN server gave us an address"});
}

void ice_link::on_no_pair(const error& why) {
  lost_ = true;
  user_.on_link_down(*this, why);
}

void ice_link::on_pair(found_pair pair) {
  if (!pair.socket) {
    relayed_ = true;
    user_.on_link_up(*this);
    return;
  }
  socket_ = std::move(pair.socket);
  ice::connectivity_settings settings;
  settings.local = local_;
  settings.remote = remote_;
  settings.remote_address = pair.remote;
  settings.tie_breaker = plane_.home().random();
  settings.controlling = pair.controlling;
  connectivity_.emplace(settings, plane_.home().now(), ice::system_random());
  schedule();
  const auto finished = std::move(finder_); // it told this, and goes when this returns
  user_.on_link_up(*this);
  for (const auto& packet : pair.early)
    user_.on_link_datagram(*this, packet, plane_.home().now());
  for (const auto& [from, bytes] : std::exchange(early_, {}))
    on_datagram(from, bytes, plane_.home().now());
}

void ice_link::on_relayed(std::span<const std::byte> packet) {
  if (!packet.empty())
    user_.on_link_datagram(*this, packet, plane_.home().now());
}

void ice_link::on_timer() {
  if (!connectivity_) {
    describe();
    return;
  }
  connectivity_->on_timer(plane_.home().now(), *this);
  schedule();
}

void ice_link::schedule() {
  if (lost_)
    return;
  if (const auto next = connectivity_->deadline(); next != lane::time_point::max())
    plane_.home().arm(timer_, next);
}

void ice_link::on_datagram(const lane::endpoint& from, std::span<const std::byte> bytes,
                           lane::time_point arrived) {
  ++heard_;
  if (bytes.empty())
    return;
  if (!connectivity_) { // in simulated time there is a socket before
    if (early_.size() < most_early && !ice::is_stun(bytes))
      early_.push_back({from, {bytes.begin(), bytes.end()}});
    return;
  }
  if (ice::is_stun(bytes)) {
    connectivity_->on_stun(from, bytes, plane_.home().now(), *this);
    schedule();
  } else if (connectivity_->on_media_heard(from, plane_.home().now())) {
    user_.on_link_datagram(*this, bytes, arrived);
  }
}

void ice_link::send(std::span<const std::byte> datagram) {
  if (connectivity_ && !lost_)
    socket_->send(connectivity_->remote(), as_text(datagram));
  else if (relayed_)
    finder_->send(datagram);
}

void ice_link::send_soon(size_t size) {
  if (connectivity_ && !lost_)
    plane_.send_soon(*socket_, connectivity_->remote(), size);
  else
    send(plane_.sending_room().first(size));
}

void ice_link::send(const lane::endpoint& to, std::span<const std::byte> message) {
  socket_->send(to, as_text(message));
}

void ice_link::on_remote_changed(const lane::endpoint& /*remote*/) {
  // Asked for with each packet.
}

void ice_link::on_consent_lost() {
  lost_ = true;
  timer_.cancel();
  user_.on_link_down(*this, error{"ice consent", "the peer has not answered for 30 s"});
}

void ice_link::read_at_once(bool at_once) {
  if (at_once == std::exchange(at_once_, at_once) || !socket_)
    return;
  socket_->receive_pending();
  if (!socket_->set_on_demand(!at_once))
    at_once_ = false;
}

void ice_link::read_soon() {
  if (socket_ && !at_once_)
    plane_.read_soon(*socket_);
}

void ice_link::read_rest() {
  constexpr int most_reads = 16;
  auto before = heard_ + 1;
  for (int i = 0; socket_ && i < most_reads && before != heard_; ++i) {
    before = heard_;
    socket_->receive_pending();
  }
}

} // namespace jackfield

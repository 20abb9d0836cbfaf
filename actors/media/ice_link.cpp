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
  if (plane_.webrtc()->settings().lite) {
    listen();
    return;
  }
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

void ice_link::check(const ice::credentials& remote, const std::vector<ice::candidate>& candidates,
                     bool peer_is_lite, bool complete) {
  remote_ = remote;
  peer_known_ = true;
  if (finder_)
    finder_->check(remote, candidates, complete);
  else if (connectivity_ && !lost_)
    wait_for_checks(candidates, peer_is_lite);
}

void ice_link::add(const std::vector<ice::candidate>& candidates, bool complete) {
  if (finder_ && peer_known_ && !up_ && !lost_)
    finder_->add(candidates, complete);
}

// A lite end has one address, and checks are answered from now on: they may be here before the
// description that says who makes them.
void ice_link::listen() {
  auto socket = plane_.open_rtp(*this, false);
  if (!socket) {
    on_no_pair(error{"ice gathering", socket.error().to_string()});
    return;
  }
  socket_ = std::move(*socket);
  start_lite({});
  on_candidates({ice::host_candidate(socket_->local())}, true);
}

// Between two lite ends nobody checks: there is the one pair that both descriptions make (RFC 8445
// §8.2).
void ice_link::wait_for_checks(const std::vector<ice::candidate>& candidates, bool peer_is_lite) {
  if (peer_is_lite) {
    const auto* const theirs = ice::best_from(socket_->local(), candidates);
    if (theirs == nullptr) {
      on_no_pair(error{"ice checks", "the peer is lite and has no address that we could send to"});
      return;
    }
    start_lite(theirs->address);
  }
  if (connectivity_->remote().valid())
    come_up({});
  else
    plane_.home().arm(timer_, plane_.home().now() + ice::agent_settings::usual_patience);
}

void ice_link::start_lite(const lane::endpoint& remote) {
  ice::connectivity_settings settings;
  settings.local = local_;
  settings.remote_address = remote;
  settings.lite = true;
  start(settings);
}

void ice_link::start(const ice::connectivity_settings& settings) {
  connectivity_.emplace(settings, plane_.home().now(), ice::system_random());
  schedule();
}

void ice_link::come_up(const std::vector<ice::early_packet>& early) {
  up_ = true;
  user_.on_link_up(*this);
  for (const auto& packet : early)
    user_.on_link_datagram(*this, packet, plane_.home().now());
  for (const auto& [from, bytes] : std::exchange(early_, {}))
    on_datagram(from, bytes, plane_.home().now());
}

void ice_link::on_candidates(const std::vector<ice::candidate>& found, bool done) {
  own_.insert(own_.end(), found.begin(), found.end());
  complete_ = complete_ || done;
  if (described_)
    user_.on_link_found(*this);
  else if (done)
    describe();
  else if (!own_.empty() && !timer_.armed())
    plane_.home().arm(timer_, plane_.home().now() + servers_have);
}

// What comes later is used all the same. A peer that takes no INFO learns it from the checks.
void ice_link::describe() {
  described_ = true;
  described_short_ = !complete_;
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
    up_ = relayed_ = true;
    user_.on_link_up(*this);
    return;
  }
  socket_ = std::move(pair.socket);
  if (!std::exchange(complete_, true)) // whoever gathered goes
    user_.on_link_found(*this);
  ice::connectivity_settings settings;
  settings.local = local_;
  settings.remote = remote_;
  settings.remote_address = pair.remote;
  settings.tie_breaker = plane_.home().random();
  settings.controlling = pair.controlling;
  start(settings);
  const auto finished = std::move(finder_); // it told this, and goes when this returns
  come_up(pair.early);
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
  if (!connectivity_->remote().valid()) {
    on_no_pair(error{"ice checks", "we are lite, and no check of the peer's came in time"});
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
  if (ice::is_stun(bytes)) {
    if (!connectivity_ || lost_) // in simulated time there is a socket before
      return;
    connectivity_->on_stun(from, bytes, plane_.home().now(), *this);
    schedule();
    if (!up_ && peer_known_ && connectivity_->remote().valid())
      come_up({});
  } else if (!up_) {
    if (early_.size() < most_early)
      early_.push_back({from, {bytes.begin(), bytes.end()}});
  } else if (connectivity_->on_media_heard(from, plane_.home().now())) {
    user_.on_link_datagram(*this, bytes, arrived);
  }
}

void ice_link::send(std::span<const std::byte> datagram) {
  if (relayed_)
    finder_->send(datagram);
  else if (up_ && !lost_)
    socket_->send(connectivity_->remote(), as_text(datagram));
}

void ice_link::send_soon(size_t size) {
  if (up_ && !relayed_ && !lost_)
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
  user_.on_link_down(*this, error{"ice consent", plane_.webrtc()->settings().lite
                                                   ? "nothing came from the peer for 30 s"
                                                   : "the peer has not answered for 30 s"});
}

void ice_link::count(path_counters& to) const noexcept {
  if (!connectivity_)
    return;
  const auto& counts = connectivity_->counts();
  to.strangers += counts.strange_media;
  to.malformed += counts.malformed;
  to.unauthenticated += counts.unauthenticated + counts.unmatched;
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

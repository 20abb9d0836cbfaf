#include "actors/media/webrtc_path.hpp"

#include <algorithm>
#include <string>
#include <utility>

#include "actors/media/webrtc_services.hpp"
#include "engine/dtls/record.hpp"

namespace jackfield {

namespace {

/// What the peer sent by the old way before it sent by the new one has come within this.
constexpr std::chrono::seconds overtaken{1};

/// In whatever order they are said.
bool same(const std::vector<sdp::fingerprint>& a, const std::vector<sdp::fingerprint>& b) {
  return std::ranges::is_permutation(a, b);
}

} // namespace

webrtc_path::webrtc_path(media_plane& plane, bool controlling)
    : plane_(plane), timer_(
                       [](void* self) {
                         if (auto& association = static_cast<webrtc_path*>(self)->association_)
                           association->on_timer();
                       },
                       this),
      sweep_(
        [](void* self) {
          auto& path = *static_cast<webrtc_path*>(self);
          for (const auto& link : path.old_)
            link->count(path.before_);
          path.old_.clear();
        },
        this) {
  if (plane.webrtc() != nullptr) {
    ice_link_user& self = *this;
    link_ = std::make_unique<ice_link>(plane, self, controlling);
  }
}

webrtc_path::~webrtc_path() {
  packet_opener& self = *this;
  plane_.forget(self);
  if (association_)
    association_->leave();
}

void webrtc_path::open(media_path_user& user) {
  user_ = &user;
  phase_began_ = plane_.home().now();
  if (link_)
    link_->gather();
  else
    user.on_path_failed(error{"webrtc", "this engine was started without it"});
}

lane::duration webrtc_path::end_phase() {
  const auto now = plane_.home().now();
  return now - std::exchange(phase_began_, now);
}

void webrtc_path::on_link_described(ice_link& from, const std::vector<ice::candidate>& candidates) {
  auto own = std::make_shared<sdp::stream_transport>();
  const auto print = plane_.webrtc()->identity()->fingerprint().to_string();
  const auto space = print.find(' ');
  own->fingerprints.push_back({print.substr(0, space), print.substr(space + 1)});
  own->role = sdp::setup::actpass;
  auto& ice = own->ice.emplace();
  ice.ufrag = from.credentials().ufrag;
  ice.pwd = from.credentials().pwd;
  ice.lite = plane_.webrtc()->settings().lite;
  ice.trickles = !ice.lite; // the peer's checks tell a lite end all
  ice.complete = from.complete();
  for (const auto& candidate : candidates)
    ice.candidates.push_back(candidate.to_string());
  if (candidates.front().address.address() != plane_.address().address())
    own->host = candidates.front().address.address();
  if (&from == next_.get()) {
    user_->on_path_restarted(candidates.front().address, own);
    return;
  }
  took_.gathering = end_phase();
  user_->on_path_opened(candidates.front().address, std::move(own));
}

bool webrtc_path::restart(bool controlling) {
  if (!remote_ || next_checks_)
    return false;
  if (next_) // came to nothing, as the peer refused the offer
    leave(std::move(next_));
  ice_link_user& self = *this;
  next_ = std::make_unique<ice_link>(plane_, self, controlling);
  next_->gather();
  return true;
}

void webrtc_path::connect(const media_remote& remote) {
  if (remote_) {
    reconnect(remote);
    return;
  }
  if (!remote.transport || !remote.transport->ice) {
    user_->on_path_failed(error{"ice checks", "the peer's description has no a=ice-ufrag"});
    return;
  }
  remote_ = remote.transport;
  phase_began_ = plane_.home().now();
  role_ = remote.role;
  check(*link_);
}

void webrtc_path::check(ice_link& link) {
  std::vector<ice::candidate> candidates;
  for (const auto& text : remote_->ice->candidates)
    if (auto read = ice::candidate::parse(text))
      candidates.push_back(std::move(*read));
  const ice::credentials theirs{remote_->ice->ufrag, remote_->ice->pwd};
  if (theirs.valid())
    link.check(theirs, candidates, remote_->ice->lite, remote_->ice->complete);
  else
    user_->on_path_failed(error{"ice checks",
                                "the peer's a=ice-ufrag or a=ice-pwd is none, expected 4 and 22 "
                                "characters at least"});
}

ice_link* webrtc_path::checked() const noexcept {
  if (!remote_)
    return nullptr;
  return next_checks_ ? next_.get() : link_.get();
}

// Each fragment repeats those before it, and some repeat the description: what is known is not new.
void webrtc_path::take_candidates(const sdp::ice_fragment& told) {
  auto* const link = checked();
  if (link == nullptr || link->up())
    return;
  auto grown = std::make_shared<sdp::stream_transport>(*remote_);
  auto& known = *grown->ice;
  std::vector<ice::candidate> found;
  for (const auto& stream : told.streams) {
    if (!sdp::is_about(stream, *remote_->ice))
      continue;
    for (const auto& text : stream.candidates) {
      if (known.candidates.size() >= sdp::max_candidates ||
          std::ranges::count(known.candidates, text) != 0)
        continue;
      known.candidates.push_back(text);
      if (auto read = ice::candidate::parse(text))
        found.push_back(std::move(*read));
    }
    known.complete = known.complete || stream.complete;
  }
  const bool ends = known.complete && !remote_->ice->complete;
  if (known.candidates.size() == remote_->ice->candidates.size() && !ends)
    return;
  remote_ = std::move(grown);
  link->add(found, ends);
}

std::optional<sdp::ice_fragment::stream> webrtc_path::later_candidates() const {
  const auto* const link = checked();
  const auto* const later = link != nullptr ? link->later() : nullptr;
  if (later == nullptr)
    return std::nullopt;
  const auto& own = link->credentials();
  sdp::ice_fragment::stream told{own.ufrag, own.pwd, remote_->ice->mid, {}, link->complete()};
  for (const auto& candidate : *later)
    told.candidates.push_back(candidate.to_string());
  return told;
}

void webrtc_path::on_link_found(ice_link& from) {
  if (&from == checked())
    user_->on_path_candidates();
}

// After a re-offer, or an answer that repeats an early one. Of another fork's nothing would be
// heard: better said than silent.
void webrtc_path::reconnect(const media_remote& remote) {
  const bool anew = remote.transport && remote.transport->ice &&
                    remote.transport->ice->ufrag != remote_->ice->ufrag;
  if (anew && (!next_ || next_checks_)) {
    user_->on_path_failed(
      error{"ice checks", "the peer began ICE anew, or another fork answered: not followed"});
    return;
  }
  if (anew) {
    other_end_ = other_end_ || !same(remote.transport->fingerprints, remote_->fingerprints);
    remote_ = remote.transport;
    role_ = remote.role;
    next_checks_ = true;
    check(*next_);
  }
  if (protection_.ready() && !awaits_keys_)
    user_->on_path_connected(true);
}

void webrtc_path::on_link_up(ice_link& from) {
  if (&from == link_.get()) {
    took_.checks = end_phase();
    shake_hands();
    return;
  }
  if (&from != next_.get()) // left before it was up
    return;
  old_.push_back(std::exchange(link_, std::move(next_)));
  next_checks_ = false;
  ++took_.restarts;
  link_->read_at_once(at_once_);
  const bool other_end = std::exchange(other_end_, false);
  if (other_end && association_)
    end_association();
  if (other_end && protection_.ready())
    user_->on_path_connected(false); // it has none of the keys in force
  if (!association_ && (other_end || !protection_.ready()))
    shake_hands();
}

void webrtc_path::leave(std::unique_ptr<ice_link> link) {
  old_.push_back(std::move(link));
  plane_.home().arm(sweep_, plane_.home().now());
}

void webrtc_path::shake_hands() {
  dtls::fingerprint_list expected;
  for (const auto& each : remote_->fingerprints)
    if (auto added = expected.add(each.hash, each.value); !added) {
      user_->on_path_failed(error{"dtls fingerprint", added.error().cause});
      return;
    }
  const bool client = role_ == sdp::setup::active;
  dtls_association_user& self = *this;
  association_ = std::make_shared<dtls_association>(
    *plane_.webrtc(), plane_.home(), self, client ? dtls::role::client : dtls::role::server,
    std::move(expected));
  awaits_keys_ = true;
  association_->start();
}

void webrtc_path::on_link_down(ice_link& from, const error& why) {
  if (&from == next_.get()) { // the old way may still do
    other_end_ = false;
    if (!std::exchange(next_checks_, false))
      user_->on_path_restarted(tl::unexpected{why}, nullptr);
    leave(std::move(next_));
    if (link_->lost())
      user_->on_path_failed(why);
  } else if (&from == link_.get() && !next_checks_) {
    user_->on_path_failed(why);
  }
}

void webrtc_path::on_link_datagram(ice_link& from, std::span<const std::byte> bytes,
                                   lane::time_point arrived) {
  if (!old_.empty() && &from == link_.get() && !sweep_.armed())
    plane_.home().arm(sweep_, plane_.home().now() + overtaken);
  if (dtls::is_dtls(bytes.front())) {
    if (association_)
      association_->on_datagram(bytes);
  } else if (!plane_.open(*this, bytes, arrived)) {
    protection_.note_malformed();
  }
}

void webrtc_path::open_packet(std::span<std::byte> packet, lane::time_point arrived) {
  const auto clear = protection_.open(packet);
  if (clear.empty())
    return;
  // Who sends by its keys has them: nobody will ask for our last flight again.
  if (association_ && !awaits_keys_)
    end_association();
  user_->on_path_packet(clear, arrived);
}

void webrtc_path::end_association() {
  timer_.cancel();
  std::exchange(association_, nullptr)->leave();
}

void webrtc_path::on_dtls_send(std::span<const std::byte> datagram) {
  link_->send(datagram);
}

void webrtc_path::on_dtls_keys(const dtls_keys& keys) {
  if (auto used = protection_.use(keys.ours, keys.theirs); !used) {
    user_->on_path_failed(used.error());
    return;
  }
  awaits_keys_ = false;
  if (!took_.handshake)
    took_.handshake = end_phase();
  link_->read_at_once(at_once_);
  user_->on_path_connected(true);
}

void webrtc_path::on_dtls_failed(const error& why) {
  timer_.cancel();
  user_->on_path_failed(why);
}

void webrtc_path::on_dtls_closed() {
  timer_.cancel();
}

void webrtc_path::on_dtls_deadline(lane::time_point when) {
  if (when == lane::time_point::max())
    timer_.cancel();
  else
    plane_.home().arm(timer_, when);
}

void webrtc_path::send_rtp(std::span<const std::byte> packet) {
  send(packet, false);
}

void webrtc_path::send_rtcp(std::span<const std::byte> packet) {
  send(packet, true);
}

void webrtc_path::send(std::span<const std::byte> packet, bool rtcp) {
  if (const auto sent = protection_.protect(packet, rtcp, plane_.sending_room()); !sent.empty())
    link_->send_soon(sent.size());
}

// Until there are keys, checks and handshakes are answered as they come.
void webrtc_path::read_at_once(bool at_once) {
  at_once_ = at_once;
  if (link_ && protection_.ready())
    link_->read_at_once(at_once);
}

void webrtc_path::read_soon() {
  if (link_)
    link_->read_soon();
  for (const auto& link : old_)
    link->read_soon();
}

void webrtc_path::read_rest() {
  for (const auto& link : old_)
    link->read_rest();
  if (link_ && link_->up())
    link_->read_rest();
}

path_counters webrtc_path::counted() const {
  auto made = before_;
  if (link_)
    link_->count(made);
  for (const auto& link : old_)
    link->count(made);
  protection_.count(made);
  return made;
}

} // namespace jackfield

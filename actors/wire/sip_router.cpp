#include "actors/wire/sip_router.hpp"

#include <algorithm>
#include <utility>

#include "actors/wire/sip_splitter.hpp"
#include "engine/sip/invite_server.hpp"
#include "engine/sip/request_check.hpp"

namespace jackfield {

namespace {

transport::transport_settings at_position(transport::transport_settings settings,
                                          uint8_t position) {
  settings.lane = position;
  return settings;
}

/// Has no meaning outside a dialog.
bool is_within_dialog(sip::method m) noexcept {
  return m == sip::method::bye || m == sip::method::prack || m == sip::method::update ||
         m == sip::method::info;
}

report::counted_method counted(sip::method m) noexcept {
  using report::counted_method;
  switch (m) {
  case sip::method::invite:
    return counted_method::invite;
  case sip::method::ack:
    return counted_method::ack;
  case sip::method::bye:
    return counted_method::bye;
  case sip::method::cancel:
    return counted_method::cancel;
  case sip::method::options:
    return counted_method::options;
  case sip::method::register_:
    return counted_method::register_;
  case sip::method::prack:
    return counted_method::prack;
  case sip::method::update:
    return counted_method::update;
  case sip::method::info:
    return counted_method::info;
  case sip::method::message:
    return counted_method::message;
  case sip::method::refer:
    return counted_method::refer;
  case sip::method::subscribe:
    return counted_method::subscribe;
  case sip::method::notify:
    return counted_method::notify;
  case sip::method::publish:
    return counted_method::publish;
  default:
    return counted_method::other;
  }
}

} // namespace

sip_router::sip_router(lane::lane& home, const router_settings& settings)
    : home_(home), settings_(settings), seed_(settings.seed != 0 ? settings.seed : home.random()),
      peers_(*this, settings.position.value_or(static_cast<uint8_t>(home.index()))),
      transport_(home, *this, make_sip_splitter,
                 at_position(settings.transport, peers_.position())),
      hops_(home, transport_, settings.resolver, settings.timers.transaction_limit()),
      released_timer_([](void* self) { static_cast<sip_router*>(self)->forget_released(); }, this),
      refusals_timer_([](void* self) { static_cast<sip_router*>(self)->tell_refusals(); }, this),
      linger_(settings.linger_capacity, settings.timers.transaction_limit(), seed_),
      linger_timer_(
        [](void* self) {
          auto& router = *static_cast<sip_router*>(self);
          router.linger_.on_time(router.home_.now(), router);
          router.arm_linger();
        },
        this),
      legs_(home, peers_.position(), settings.leg_capacity) {
  capabilities_.extensions = {"100rel"}; // RFC 3262: our legs acknowledge and repeat
}

// -- identity ------------------------------------------------------------------

void sip_router::set_public_address(transport::protocol p, const lane::endpoint& address) {
  public_addresses_[p] = address;
}

const sip::ua_profile& sip_router::profile(const transport::flow& f) {
  auto shown = f.local;
  if (const auto fixed = public_addresses_.find(f.protocol); fixed != public_addresses_.end())
    shown = fixed->second;
  else if (transport::is_websocket(f.protocol))
    shown = {}; // connections that we opened share one name, by which none of them can be reached
  for (const auto& known : profiles_)
    if (known.protocol == f.protocol && known.local == shown)
      return known.profile;
  // Legs keep their profile's address, so entries are only ever added: one a listener, not one a
  // connection.
  profiles_.push_back({f.protocol, shown, make_profile(f.protocol, shown)});
  return profiles_.back().profile;
}

sip::ua_profile sip_router::make_profile(transport::protocol p, const lane::endpoint& shown) {
  std::string host;
  if (shown.valid()) {
    host = shown.to_string();
  } else { // RFC 7118 §5.2.1: a client that cannot be reached shows a name that resolves to nothing
    static constexpr std::string_view letters = "abcdefghijklmnopqrstuvwxyz234567";
    for (auto bits = home_.random(); host.size() < 12; bits >>= 5U)
      host += letters[bits & 31U];
    host += ".invalid";
  }
  sip::ua_profile made;
  made.via = "SIP/2.0/" + std::string{transport::to_string(p)} + " " + host;
  made.contact = "<sip:" + host;
  switch (p) {
  case transport::protocol::udp:
    break;
  case transport::protocol::tcp:
    made.contact += ";transport=tcp";
    break;
  case transport::protocol::tls:
    made.contact += ";transport=tls";
    break;
  case transport::protocol::ws:
  case transport::protocol::wss: // one parameter for both (RFC 7118 §5.2)
    made.contact += ";transport=ws";
    break;
  }
  made.contact += '>';
  made.secure_contact = made.contact;
  made.secure_contact.insert(4, "s");
  // TLS is what the scheme says (§26.2.2).
  if (const auto tls = made.secure_contact.find(";transport=tls"); tls != std::string::npos)
    made.secure_contact.erase(tls, 14);
  made.user_agent = settings_.user_agent;
  made.reliable = transport::is_reliable(p);
  made.rport = !made.reliable;
  made.timers = settings_.timers;
  return made;
}

// -- server transactions of INVITEs -------------------------------------------------

void sip_router::bind_invite(uint64_t transaction, const sip::leg_id& leg) {
  if (const auto known = invites_.find(transaction); known != invites_.end())
    known->second.leg = leg;
}

void sip_router::confirm_invite(uint64_t transaction) noexcept {
  if (const auto known = invites_.find(transaction); known != invites_.end())
    release(known->second);
}

void sip_router::release(bound_invite& large) noexcept {
  large_invites_ -= std::exchange(large.large, 0U);
}

void sip_router::unbind_invite(uint64_t transaction) noexcept {
  const auto bound = invites_.find(transaction);
  if (bound != invites_.end() && bound->second.placed)
    peers_.post(bound->second.lane,
                [transaction](sip_router& home) { home.on_released(transaction); });
  forget_invite(transaction);
}

void sip_router::forget_invite(uint64_t transaction) noexcept {
  const auto bound = invites_.find(transaction);
  if (bound == invites_.end())
    return;
  if (const auto merged = merges_.find(bound->second.merge);
      merged != merges_.end() && merged->second == transaction)
    merges_.erase(merged);
  release(bound->second);
  invites_.erase(bound);
}

void sip_router::lingered() {
  // Most leave what expires after all else; only a BYE on its way is due before.
  if (!linger_timer_.armed() || linger_.next_deadline() < linger_timer_.deadline())
    arm_linger();
}

void sip_router::arm_linger() {
  if (const auto next = linger_.next_deadline(); next != sip::never)
    home_.arm(linger_timer_, next);
}

// -- receiving -----------------------------------------------------------------

void sip_router::on_message(const transport::flow& from, std::string_view bytes,
                            lane::time_point arrived) {
  ++counters_.messages_in;
  const auto arrival = sip_arrival::make(from, bytes, arrived);
  unshown_ = arrival.get();
  on_arrival(arrival);
  show_at_hand();
}

void sip_router::on_arrival(const sip_arrival_ptr& arrival) {
  const auto& m = arrival->message();
  switch (arrival->verdict()) {
  case sip::parse_verdict::keep_alive:
    return;
  case sip::parse_verdict::garbage:
    ++counters_.malformed;
    return;
  case sip::parse_verdict::faulty:
    if (m.is_request() && m.answerable()) {
      ++counters_.refused;
      answer(*arrival, m.fault().status);
    } else {
      ++counters_.malformed;
    }
    return;
  case sip::parse_verdict::good:
    break;
  }
  if (m.is_response())
    on_response(arrival, way::wire);
  else
    on_request(arrival, way::wire);
}

void sip_router::show_at_hand() {
  const auto* const shown = std::exchange(unshown_, nullptr);
  if (tap_ != nullptr && shown != nullptr) [[unlikely]]
    tap_->on_message(wire_direction::received, shown->from(), shown->arrived(), shown->bytes());
}

void sip_router::on_response(const sip_arrival_ptr& arrival, way came) {
  const auto& m = arrival->message();
  if (const auto branch = sip::branch_id::parse(m.via().branch); branch && !sip::is_misrouted(m)) {
    if (came == way::wire && peers_.knows(branch->leg.lane)) {
      hand(branch->leg.lane, *arrival, errand::handle);
      return;
    }
    if (const auto* owner = legs_.find(branch->leg)) {
      lane::tell(home_, *owner, arrival);
      return;
    }
    if (lingering(arrival))
      return;
  }
  ++counters_.unexpected;
}

void sip_router::on_request(const sip_arrival_ptr& arrival, way came) {
  const auto& m = arrival->message();
  if (!m.to_tag().empty()) {
    const auto leg = sip::leg_id::parse(m.to_tag());
    if (leg) {
      if (came == way::wire && peers_.knows(leg->lane)) {
        hand(leg->lane, *arrival, errand::handle);
        return;
      }
      if (const auto* owner = legs_.find(*leg)) {
        lane::tell(home_, *owner, arrival);
        return;
      }
    }
    if (lingering(arrival))
      return;
    ++counters_.unexpected;
    if (m.request_method() != sip::method::ack)
      answer(*arrival, 481);
    return;
  }
  const auto method = m.request_method();
  if (method == sip::method::invite || method == sip::method::cancel ||
      method == sip::method::ack) {
    if (came == way::wire && peers_.count() > 1)
      if (const auto home = peers_.home_of(sip::attempt_key(m, seed_)); home != peers_.position()) {
        hand(home, *arrival, errand::handle);
        return;
      }
    const auto transaction = sip::transaction_key(m, seed_);
    if (const auto bound = invites_.find(transaction); bound != invites_.end()) {
      if (bound->second.lane != peers_.position() && !bound->second.placed) {
        hand(bound->second.lane, *arrival, errand::place);
        return;
      }
      if (method == sip::method::invite)
        ++counters_.retransmissions_received;
      if (const auto* owner = legs_.find(bound->second.leg))
        lane::tell(home_, *owner, arrival);
      return;
    }
    if (lingering(arrival))
      return;
    if (method == sip::method::invite) {
      on_new_invite(arrival, transaction, came);
    } else {
      ++counters_.unexpected;
      if (method == sip::method::cancel)
        answer(*arrival, 481);
    }
    return;
  }
  if (is_within_dialog(method)) { // and belongs to none (RFC 3261 §15.1.2)
    ++counters_.unexpected;
    answer(*arrival, 481);
    return;
  }
  if (const auto refusal = sip::check_request(m, capabilities_)) {
    ++counters_.refused;
    answer(*arrival, refusal->status, refusal->lines);
    return;
  }
  if (service_ != nullptr)
    service_->on_request(arrival);
  else
    answer(*arrival, 480);
}

void sip_router::on_new_invite(const sip_arrival_ptr& arrival, uint64_t transaction, way came) {
  const auto& m = arrival->message();
  const auto merge = sip::merge_key(m, seed_);
  const bool placed = came == way::placed; // all has been looked at by the home lane
  if (!placed) {
    if (merges_.contains(merge)) {
      answer(*arrival, 482);
      return;
    }
    if (const auto refusal = sip::check_request(m, capabilities_)) {
      ++counters_.refused;
      answer(*arrival, refusal->status, refusal->lines);
      return;
    }
    if (!has_room()) {
      place_elsewhere(*arrival, transaction);
      return;
    }
  }
  const auto home = placed ? peers_.home_of(sip::attempt_key(m, seed_)) : peers_.position();
  const auto size = arrival->bytes().size();
  const auto large = size > large_invite ? static_cast<uint32_t>(size) : 0U;
  const bool too_much = large_invites_ + large > settings_.large_invite_bytes && large != 0;
  if (service_ == nullptr || too_much) {
    counters_.overload_refusals += too_much ? 1 : 0;
    answer(*arrival, too_much ? 503 : 480, too_much ? "Retry-After: 5\r\n" : "");
    if (placed)
      peers_.post(home, [transaction](sip_router& router) { router.on_released(transaction); });
    return;
  }
  // From now on, since a copy may stand in the same batch.
  invites_[transaction] = {{}, merge, home, placed, large};
  large_invites_ += large;
  merges_[merge] = transaction;
  show_at_hand();
  service_->on_invite(arrival, transaction);
}

void sip_router::place_elsewhere(const sip_arrival& invite, uint64_t transaction) {
  const auto lane = peers_.with_room();
  if (!lane || !hand(*lane, invite, errand::place)) {
    ++counters_.overload_refusals;
    answer(invite, 503, "Retry-After: 5\r\n");
    return;
  }
  const auto merge = sip::merge_key(invite.message(), seed_);
  invites_[transaction] = {{}, merge, *lane, false, 0};
  merges_[merge] = transaction;
}

bool sip_router::lingering(const sip_arrival_ptr& arrival) {
  answering_ = arrival.get();
  const bool known =
    linger_.on_message(home_.now(), arrival->message(), profile(arrival->from()), *this);
  answering_ = nullptr;
  if (known) {
    ++counters_.retransmissions_received;
    arm_linger();
  }
  return known;
}

void sip_router::on_flow_failed(const transport::flow& gone, const transport::flow_end& how) {
  const auto shared = std::make_shared<const transport::flow_end>(how);
  on_flow_over(gone, shared);
  peers_.on_flow_failed(gone, shared);
}

// All legs are asked whether it is their peer, so not for each datagram that was refused.
void sip_router::on_peer_refused(const transport::flow& to) {
  constexpr size_t most = 64; // of others the next retransmission tells
  const auto known = std::find_if(refusals_.begin(), refusals_.end(),
                                  [&](const peer_refused& one) { return one.which == to; });
  if (known != refusals_.end())
    known->at = home_.now();
  else if (refusals_.size() < most)
    refusals_.push_back({to, home_.now()});
  constexpr std::chrono::milliseconds pause{250};
  if (!refusals_.empty() && !refusals_timer_.armed())
    home_.arm(refusals_timer_, std::max(home_.now(), refusals_told_ + pause));
}

void sip_router::tell_refusals() {
  refusals_told_ = home_.now();
  for (const auto& by : std::exchange(refusals_, {}))
    legs_.on_peer_refused(by);
}

void sip_router::on_flow_over(const transport::flow& gone,
                              const std::shared_ptr<const transport::flow_end>& how) {
  legs_.on_flow_failed(gone, how);
  if (watcher_ != nullptr)
    watcher_->on_flow_over(gone);
}

void sip_router::await_client(const client_name& who, const sip::leg_id& leg) {
  awaited_.add(who, leg);
  if (watcher_ != nullptr)
    watcher_->on_client_awaited(who);
}

void sip_router::client_is_back(const client_name& who, const transport::flow& before,
                                const transport::flow& now) {
  const client_back back{std::make_shared<const client_name>(who), now};
  tell_legs(back, before);
  peers_.post_to_all(
    [back, before](sip_router& router) { router.tell_legs(back, before); },
    [&](const sip_router& router) { return before.valid() || router.awaiting() > 0; });
}

void sip_router::tell_legs(const client_back& back, const transport::flow& before) {
  if (before.valid())
    for (const auto& who : legs_.attached_to(before))
      lane::tell(home_, who, back);
  for (const auto& leg : awaited_.of(*back.who))
    if (const auto* who = legs_.find(leg))
      lane::tell(home_, *who, back);
}

void sip_router::attach(const sip::leg_id& leg, const transport::flow& f) {
  legs_.attach(leg, f);
  watch(f);
}

void sip_router::watch(const transport::flow& f) {
  if (f.lane != peers_.position() && transport::is_reliable(f.protocol))
    peers_.borrow(f);
}

// -- what is counted -------------------------------------------------------------

void sip_router::count_sent(const sip::outgoing& message) {
  if (message.retransmission) {
    ++counters_.retransmissions;
  } else if (message.status == 0) {
    ++counters_.requests_sent;
    counters_.sent.count_request(counted(message.what));
  } else if (message.status >= 200) {
    counters_.served.count_request(counted(message.what));
    counters_.served.count_response(counted(message.what), message.status);
  }
}

void sip_router::count_response(sip::method what, int status) {
  counters_.sent.count_response(counted(what), status);
}

// -- other lanes ---------------------------------------------------------------

bool sip_router::hand(uint8_t lane, const sip_arrival& arrival, errand what) {
  if (!peers_.hand(lane, arrival, what))
    return false;
  unshown_ = nullptr; // the other lane shows it
  ++counters_.handed_over;
  return true;
}

void sip_router::hand_over(uint8_t lane, const sip_arrival& request) {
  hand(lane, request, errand::handle);
}

void sip_router::on_handed(const transport::flow& from, std::string_view bytes,
                           lane::time_point arrived, errand what) {
  // Over UDP each lane answers by its own socket, which has the same address.
  const auto arrival = sip_arrival::make(transport_.own(from).value_or(from), bytes, arrived);
  unshown_ = arrival.get();
  if (arrival->message().is_response())
    on_response(arrival, way::handed);
  else
    on_request(arrival, what == errand::place ? way::placed : way::handed);
  show_at_hand();
}

void sip_router::on_released(uint64_t transaction) {
  released_.push_back({home_.now() + settings_.timers.transaction_limit(), transaction});
  if (!released_timer_.armed())
    home_.arm(released_timer_, released_.front().until);
}

void sip_router::forget_released() {
  while (!released_.empty() && released_.front().until <= home_.now()) {
    forget_invite(released_.front().transaction);
    released_.pop_front();
  }
  if (!released_.empty())
    home_.arm(released_timer_, released_.front().until);
}

// -- sending -------------------------------------------------------------------

sip::packet_source sip_router::source_of(const transport::flow& f) const {
  if (shown_source_ != f.remote) {
    shown_source_ = f.remote;
    shown_source_text_ = f.remote.address();
  }
  return {shown_source_text_, f.remote.port()};
}

sip::packet_source sip_router::source() const {
  return answering_ != nullptr ? source_of(answering_->from()) : sip::packet_source{};
}

void sip_router::answer(const sip_arrival& request, int status, std::string_view headers) {
  const auto* const outer = std::exchange(answering_, &request);
  sip::reject_statelessly(request.message(), status, profile(request.from()), *this, headers);
  answering_ = outer;
}

void sip_router::send(const sip::outgoing& message) {
  show_at_hand(); // before what it causes
  count_sent(message);
  // What lingers answers its sender; a late 2xx is ACKed and hung up towards its Contact, which
  // only if it takes a look-up is assumed to be where the 2xx came from.
  if (answering_ == nullptr) {
    if (const auto f = hops_.remembered(message.next_hop))
      (void)send(*f, message.text, message.rank);
    return;
  }
  auto to = answering_->from();
  if (message.to == sip::send_to::next_hop || message.to == sip::send_to::aside)
    if (const auto found = hops_.locate_now(message.next_hop, to, {}); found && *found)
      to = **found;
  (void)send(to, message.text, message.rank);
}

} // namespace jackfield

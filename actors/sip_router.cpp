#include "actors/sip_router.hpp"

#include <utility>

#include "actors/sip_splitter.hpp"
#include "engine/sip/invite_server.hpp"
#include "engine/sip/request_check.hpp"
#include "engine/sip/uri.hpp"

namespace jackfield {

namespace {

/// URIs whose targets are remembered; when full all are forgotten, which costs a parse each.
constexpr size_t most_located = 4096;

uint64_t key_of(const transport::connection_handle& h) noexcept {
  return (uint64_t{h.generation} << 32U) | h.index;
}

/// The part of a message that a look-up needs: "host:port;transport" is in the URI itself.
std::optional<transport::resolve_request> request_for(std::string_view text) {
  const auto uri = sip::uri::parse(text);
  if (!uri || !uri->is_sip())
    return std::nullopt;
  transport::resolve_request out;
  out.host = std::string{uri->host()};
  out.port = uri->port();
  out.secure = uri->kind() == sip::scheme::sips;
  if (const auto name = uri->parameter("transport"))
    out.protocol = transport::parse_protocol(*name);
  if (const auto maddr = uri->parameter("maddr"))
    out.host = std::string{*maddr};
  return out;
}

} // namespace

sip_router::sip_router(lane::lane& home, const router_settings& settings)
    : home_(home), settings_(settings), seed_(home.random()),
      transport_(home, *this, make_sip_splitter, settings.transport),
      resolver_(home, settings.resolver),
      linger_(settings.linger_capacity, settings.timers.transaction_limit(), seed_),
      linger_timer_(
        [](void* self) {
          auto& router = *static_cast<sip_router*>(self);
          router.linger_.on_time(router.home_.now(), router);
          router.arm_linger();
        },
        this) {
  // nop
}

sip_router::~sip_router() {
  // Legs that are still open close themselves as their actors go, which needs the tables.
  for (auto& s : slots_)
    const auto released = std::exchange(s.owner, nullptr);
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
  made.user_agent = settings_.user_agent;
  made.reliable = transport::is_reliable(p);
  made.rport = !made.reliable;
  made.timers = settings_.timers;
  return made;
}

// -- legs ----------------------------------------------------------------------

std::optional<sip::leg_id> sip_router::open_leg(lane::lane_actor& owner) {
  uint32_t index = 0;
  // Slots rest before they are used again, so that a generation lasts.
  constexpr size_t resting = 1024;
  if (free_.size() > resting || (!free_.empty() && slots_.size() > sip::leg_id::max_slot)) {
    index = free_.front();
    free_.pop_front();
  } else if (slots_.size() <= sip::leg_id::max_slot) {
    index = static_cast<uint32_t>(slots_.size());
    slots_.emplace_back();
    slots_.back().id.lane = static_cast<uint8_t>(home_.index());
    slots_.back().id.slot = index;
  } else {
    return std::nullopt;
  }
  auto& s = slots_[index];
  s.owner = caf::strong_actor_ptr{owner.ctrl()};
  s.id.generation += 1;
  s.id.nonce = home_.random();
  ++open_;
  return s.id;
}

void sip_router::close_leg(const sip::leg_id& leg) noexcept {
  auto* s = find(leg);
  if (s == nullptr)
    return;
  detach(*s, leg.slot);
  s->owner = nullptr;
  s->id.nonce = 0;
  free_.push_back(leg.slot);
  --open_;
}

sip_router::slot* sip_router::find(const sip::leg_id& leg) noexcept {
  if (leg.slot >= slots_.size())
    return nullptr;
  auto& s = slots_[leg.slot];
  return s.owner && s.id == leg ? &s : nullptr;
}

void sip_router::attach(const sip::leg_id& leg, const transport::flow& f) {
  auto* s = find(leg);
  if (s == nullptr || !transport::is_reliable(f.protocol) || s->attached == f.handle)
    return;
  detach(*s, leg.slot);
  s->attached = f.handle;
  const auto [first, fresh] = attached_.try_emplace(key_of(f.handle), leg.slot);
  if (!fresh) {
    s->next = first->second;
    slots_[first->second].previous = leg.slot;
    first->second = leg.slot;
  }
}

void sip_router::detach(slot& s, uint32_t /*index*/) noexcept {
  if (!s.attached)
    return;
  if (s.next != no_slot)
    slots_[s.next].previous = s.previous;
  if (s.previous != no_slot)
    slots_[s.previous].next = s.next;
  else if (s.next != no_slot)
    attached_[key_of(s.attached)] = s.next;
  else
    attached_.erase(key_of(s.attached));
  s.attached = {};
  s.next = s.previous = no_slot;
}

void sip_router::bind_invite(uint64_t transaction, const sip::leg_id& leg) {
  if (const auto known = invites_.find(transaction); known != invites_.end())
    known->second.leg = leg;
}

void sip_router::unbind_invite(uint64_t transaction) noexcept {
  const auto bound = invites_.find(transaction);
  if (bound == invites_.end())
    return;
  if (const auto merged = merges_.find(bound->second.merge);
      merged != merges_.end() && merged->second == transaction)
    merges_.erase(merged);
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
    on_response(arrival);
  else
    on_request(arrival);
}

void sip_router::on_response(const sip_arrival_ptr& arrival) {
  const auto& m = arrival->message();
  if (const auto branch = sip::branch_id::parse(m.via().branch); branch && !sip::is_misrouted(m)) {
    if (auto* s = find(branch->leg)) {
      deliver(*s, arrival);
      return;
    }
    if (lingering(arrival))
      return;
  }
  ++counters_.unexpected;
}

void sip_router::on_request(const sip_arrival_ptr& arrival) {
  const auto& m = arrival->message();
  if (!m.to_tag().empty()) {
    const auto leg = sip::leg_id::parse(m.to_tag());
    if (leg) {
      if (auto* s = find(*leg)) {
        deliver(*s, arrival);
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
    const auto transaction = sip::transaction_key(m, seed_);
    if (const auto bound = invites_.find(transaction); bound != invites_.end()) {
      if (method == sip::method::invite)
        ++counters_.retransmissions_received;
      if (auto* s = find(bound->second.leg))
        deliver(*s, arrival);
      return;
    }
    if (lingering(arrival))
      return;
    if (method == sip::method::invite) {
      on_new_invite(arrival, transaction);
    } else {
      ++counters_.unexpected;
      if (method == sip::method::cancel)
        answer(*arrival, 481);
    }
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

void sip_router::on_new_invite(const sip_arrival_ptr& arrival, uint64_t transaction) {
  const auto& m = arrival->message();
  if (merges_.contains(sip::merge_key(m, seed_))) {
    answer(*arrival, 482);
    return;
  }
  if (const auto refusal = sip::check_request(m, capabilities_)) {
    ++counters_.refused;
    answer(*arrival, refusal->status, refusal->lines);
    return;
  }
  if (home_.overloaded()) {
    ++counters_.overload_refusals;
    answer(*arrival, 503, "Retry-After: 5\r\n");
    return;
  }
  if (service_ != nullptr) {
    // From now on, since a copy may stand in the same batch.
    const auto merge = sip::merge_key(m, seed_);
    invites_[transaction] = {{}, merge};
    merges_[merge] = transaction;
    service_->on_invite(arrival, transaction);
  } else
    answer(*arrival, 480);
}

void sip_router::deliver(slot& to, const sip_arrival_ptr& arrival) {
  lane::tell(home_, to.owner, arrival);
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

void sip_router::on_flow_failed(const transport::flow& gone, const error& /*why*/) {
  const auto first = attached_.find(key_of(gone.handle));
  if (first == attached_.end())
    return;
  auto index = first->second;
  while (index != no_slot) {
    auto& s = slots_[index];
    index = s.next;
    s.attached = {};
    s.next = s.previous = no_slot;
    lane::tell(home_, s.owner, flow_lost{gone});
  }
  attached_.erase(first);
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
  // What lingers answers its sender; a late 2xx is ACKed and hung up towards its Contact, which
  // only if it takes a look-up is assumed to be where the 2xx came from.
  if (answering_ == nullptr) {
    if (const auto known = located_.find(message.next_hop); known != located_.end())
      if (const auto f = open(known->second, {}, {}))
        (void)transport_.send(*f, message.text, static_cast<unsigned>(message.rank));
    return;
  }
  auto to = answering_->from();
  if (message.to == sip::send_to::next_hop || message.to == sip::send_to::aside)
    if (const auto found = locate_now(message.next_hop, to, {}); found && *found)
      to = **found;
  (void)transport_.send(to, message.text, static_cast<unsigned>(message.rank));
}

result<transport::flow> sip_router::open(const transport::target& to, std::string_view server_name,
                                         const transport::open_settings& connections) {
  if (to.protocol == transport::protocol::udp && !connections.local.valid())
    return transport_.open(to.protocol, to.remote);
  auto settings = connections;
  if (settings.server_name.empty())
    settings.server_name = std::string{server_name};
  return transport_.open(to.protocol, to.remote, settings);
}

result<std::optional<transport::flow>>
sip_router::locate_now(std::string_view uri, const transport::flow& current,
                       const transport::open_settings& connections) {
  // A peer behind a WebSocket, or one that connected to us, is reached over its connection only.
  if (current.valid() && transport::is_websocket(current.protocol))
    return current;
  const transport::target* known = nullptr;
  if (const auto found = located_.find(uri); found != located_.end()) {
    known = &found->second;
  } else {
    const auto request = request_for(uri);
    if (!request)
      return fail(std::string{uri}, "expected a sip: or sips: URI");
    if (!lane::endpoint::parse(request->host, 5060))
      return std::optional<transport::flow>{};
    result<transport::target_selection> selected = fail("", "");
    auto pending = resolver_.resolve(*request, [&](auto r) { selected = std::move(r); });
    if (pending.active())
      return std::optional<transport::flow>{};
    if (!selected)
      return tl::unexpected{std::move(selected.error())};
    if (located_.size() >= most_located)
      located_.clear();
    known = &located_.emplace(uri, selected->current()).first->second;
  }
  // The peer of the connection at hand, though its URI does not say the transport.
  if (current.valid() && known->remote == current.remote &&
      (known->protocol == current.protocol || known->protocol == transport::protocol::udp))
    return current;
  return open(*known, {}, connections).map([](auto f) { return std::optional{f}; });
}

void sip_router::locate(std::string_view uri, const transport::open_settings& connections,
                        lane::lane_actor& owner, uint64_t ticket) {
  caf::strong_actor_ptr asker{owner.ctrl()};
  const auto request = request_for(uri);
  if (!request) {
    lane::tell(home_, asker,
               flow_located{ticket, fail(std::string{uri}, "expected a sip: or sips: URI")});
    return;
  }
  const auto lookup = next_lookup_++;
  auto pending = resolver_.resolve(*request, [this, lookup, ticket, asker, connections,
                                              name = request->host](
                                               result<transport::target_selection> selected) {
    if (selected) {
      lane::tell(home_, asker, flow_located{ticket, open(selected->current(), name, connections)});
    } else {
      lane::tell(home_, asker, flow_located{ticket, tl::unexpected{std::move(selected.error())}});
    }
    // Destroying the look-up destroys this function: last.
    home_.post([this, lookup] { lookups_.erase(lookup); });
  });
  if (pending.active())
    lookups_.emplace(lookup, std::move(pending));
}

} // namespace jackfield

#include "actors/wire/leg_wire.hpp"

#include <functional>
#include <utility>

namespace jackfield {

namespace {

/// Messages of one leg that may wait for a look-up; a leg retransmits what it needs.
constexpr size_t most_waiting = 8;
/// A request that was sent again so often without an answer, 1.5 s after it was sent first: later
/// ones try other servers before.
constexpr uint8_t suspicious = 2;

/// Never 0.
uint64_t hash_of(std::string_view next_hop) noexcept {
  return std::hash<std::string_view>{}(next_hop) | 1U;
}

} // namespace

const transport::open_settings& leg_wire::connections() const noexcept {
  static const transport::open_settings none;
  return connections_ ? *connections_ : none;
}

result<void> leg_wire::open(const transport::target_selection& servers,
                            std::shared_ptr<const transport::open_settings> connections) {
  connections_ = std::move(connections);
  servers_ = router_.hops().servers().order(servers, owner_.home().now());
  auto first = open_next();
  if (!first)
    return tl::unexpected{std::move(first.error())};
  if (!open(*first, connections_))
    return fail("lane " + std::to_string(owner_.home().index()), "has no room for another leg");
  pinned_ = given_ = opens_ = true;
  return {};
}

bool leg_wire::open(const transport::flow& source,
                    std::shared_ptr<const transport::open_settings> connections) {
  const auto id = router_.legs().open(owner_);
  if (id)
    begin(*id, source, std::move(connections));
  return id.has_value();
}

result<void> leg_wire::open_over(const transport::flow& connection,
                                 std::shared_ptr<const transport::open_settings> connections) {
  if (connection.lane == router_.peers().position() && !router_.transport().find(connection))
    return fail(connection.to_string(), "is over");
  if (!open(connection, std::move(connections)))
    return fail("lane " + std::to_string(owner_.home().index()), "has no room for another leg");
  pinned_ = true;
  return {};
}

result<void> leg_wire::adopt(const sip::leg_id& id, const transport::target_selection& servers,
                             std::shared_ptr<const transport::open_settings> connections) {
  connections_ = std::move(connections);
  servers_ = router_.hops().servers().order(servers, owner_.home().now());
  auto first = open_next();
  if (!first)
    return tl::unexpected{std::move(first.error())};
  return take_up(id, *first).map([this] { pinned_ = given_ = opens_ = true; });
}

result<void> leg_wire::adopt_waiting(const sip::leg_id& id, transport::protocol p,
                                     std::shared_ptr<const transport::open_settings> connections) {
  connections_ = std::move(connections);
  transport::flow none;
  none.protocol = p;
  return take_up(id, none).map([this] { lost_ = true; });
}

result<void> leg_wire::take_up(const sip::leg_id& id, const transport::flow& way) {
  if (!router_.legs().adopt(owner_, id))
    return fail("lane " + std::to_string(owner_.home().index()),
                "cannot take up leg " + std::string{id.text().data(), sip::leg_id::text_size});
  begin(id, way, connections_);
  return {};
}

void leg_wire::begin(const sip::leg_id& id, const transport::flow& source,
                     std::shared_ptr<const transport::open_settings> connections) {
  id_ = id;
  out_ = source;
  connections_ = std::move(connections);
  open_ = true;
  if (out_.valid())
    router_.attach(id_, out_);
}

void leg_wire::close() noexcept {
  await_no_longer();
  if (!std::exchange(open_, false))
    return;
  router_.legs().close(id_);
  close_own();
}

void leg_wire::close_own() noexcept {
  if (opens_ && !connections().share && !lost_ && transport::is_reliable(out_.protocol))
    router_.transport().close(out_);
}

void leg_wire::await(client_name who) {
  await_no_longer();
  awaited_ = std::make_unique<client_name>(std::move(who));
  router_.await_client(*awaited_, id_);
}

void leg_wire::await_no_longer() noexcept {
  if (const auto who = std::exchange(awaited_, nullptr))
    router_.forget_client(*who, id_);
}

bool leg_wire::come_back(const transport::flow& way) {
  if (!open_ || way.protocol != out_.protocol || way == out_)
    return false;
  go_by(way);
  return true;
}

// Its Contact may be of the connection that it had before, or of none (RFC 5626 §5.3).
void leg_wire::go_by(const transport::flow& client) {
  pinned_ = true;
  use(client);
}

const transport::flow& leg_wire::request_source() const noexcept {
  return sources_ ? sources_->request : out_;
}

leg_wire::sources& leg_wire::own_sources() {
  if (!sources_)
    sources_ = std::make_unique<sources>(sources{out_, out_});
  return *sources_;
}

void leg_wire::hear(const sip_arrival* arrival) {
  hearing_ = nullptr;
  if (arrival == nullptr)
    return;
  const auto& m = arrival->message();
  if (m.is_request()) {
    // A CANCEL comes the way of its INVITE, where it is answered.
    if (m.request_method() != sip::method::cancel && arrival->from() != request_source())
      own_sources().request = arrival->from();
    if (lost_ && transport::is_reliable(arrival->from().protocol)) // who came back is reached so
      go_by(arrival->from());
    return;
  }
  hearing_ = &arrival->from();
  unanswered_ = 0;
  asked_ = {};
  const auto which = uint64_t{m.cseq_number()} << 16U |
                     static_cast<uint64_t>(m.cseq_method()) << 10U |
                     static_cast<uint64_t>(m.status());
  if (std::exchange(heard_response_, which) == which)
    router_.count_repeated_response();
  else
    router_.count_response(m.cseq_method(), m.status());
  if (auto& resting = router_.hops().servers();
      resting.size() > 0 && !servers_.exhausted() && m.status() != 503)
    resting.answered(servers_.current(), m.status());
}

bool leg_wire::lost(const transport::flow& gone,
                    std::shared_ptr<const transport::flow_end> how) noexcept {
  if (gone != out_)
    return false;
  lost_ = true;
  if (how)
    failure_ = std::move(how);
  return true;
}

bool leg_wire::refused(const peer_refused& by) {
  if (!open_ || asked_ == lane::time_point{} || asked_ > by.at || by.which != out_)
    return false;
  asked_ = {};
  fail_for({by.which.to_string(), "nobody is at that port (ICMP)"},
           transport::flow_end::stage::connecting);
  return true;
}

void leg_wire::fail_for(error why, transport::flow_end::stage during) {
  failure_ =
    std::make_shared<const transport::flow_end>(transport::flow_end{during, std::move(why), false});
}

void leg_wire::send(const sip::outgoing& message) {
  router_.count_sent(message);
  if (message.retransmission)
    ++counters_.retransmissions;
  else if (message.status == 0) {
    ++counters_.requests;
    asked_ = message.what != sip::method::ack ? owner_.home().now() : lane::time_point{};
  }
  switch (message.to) {
  case sip::send_to::invite_source:
    send_over(sources_ ? sources_->invite : out_, message.text, message.rank);
    return;
  case sip::send_to::request_source:
    send_over(hearing_ != nullptr ? *hearing_ : request_source(), message.text, message.rank);
    return;
  case sip::send_to::again:
    if (look_up_)
      return;
    if (message.retransmission && message.status == 0 && message.what != sip::method::ack)
      suspect();
    send_over(out_, message.text, message.rank);
    return;
  case sip::send_to::aside:
    send_aside(message);
    return;
  case sip::send_to::next_hop:
    send_to_hop(message);
    return;
  }
}

// The transaction goes on (RFC 3261 §17.1), but those that begin before it is over would wait as
// long.
void leg_wire::suspect() {
  if (++unanswered_ == suspicious && servers_.all().size() > 1 && !servers_.exhausted())
    router_.hops().servers().failed(servers_.current(), owner_.home().now(),
                                    server_memory::failure::unreachable);
}

void leg_wire::send_to_hop(const sip::outgoing& message) {
  unanswered_ = 0;
  const auto hop = hash_of(message.next_hop);
  if (std::exchange(pinned_, false))
    hop_ = hop;
  if (transport::is_websocket(out_.protocol)) {
    // All goes by the server that we had connected to, as we had: what its URI says of itself is
    // the same for WS and WSS. Who had connected to us is waited for (RFC 7118 §5).
    if (lost_ && given_ && !servers_.exhausted())
      if (const auto way = router_.hops().open(servers_, connections()))
        use(*way);
    if (lost_)
      failed_ = true;
    else
      send_over(out_, message.text, message.rank);
    return;
  }
  if (hop == hop_ && !servers_.exhausted()) {
    // To the same server, whatever becomes of that: whether there is another is for the machine to
    // ask, since it may have to write for another transport.
    if (lost_)
      if (const auto way = router_.hops().open(servers_, connections()))
        use(*way);
    send_over(out_, message.text, message.rank);
    return;
  }
  if (hop == hop_ && !lost_) {
    send_over(out_, message.text, message.rank);
    return;
  }
  const auto found =
    router_.hops().locate_now(message.next_hop, lost_ ? transport::flow{} : out_, connections());
  if (!found) {
    fail_for(found.error(), transport::flow_end::stage::connecting);
    failed_ = true;
  } else if (*found) {
    servers_ = {};
    given_ = false;
    hop_ = hop;
    use(**found);
    send_over(out_, message.text, message.rank);
  } else {
    if (!look_up_) {
      look_up_ = std::make_unique<look_up>(look_up{hop, router_.hops().next_ticket(), {}});
      router_.hops().locate(message.next_hop, owner_, look_up_->ticket);
    }
    if (look_up_->texts.size() < most_waiting)
      look_up_->texts.push_back({std::string{message.text}, message.rank});
  }
}

void leg_wire::send_aside(const sip::outgoing& message) {
  if (!open_)
    return;
  // Where that takes a look-up, whoever passed the answer on is asked to pass this on too.
  const auto found = router_.hops().locate_now(message.next_hop, out_, connections());
  if (found)
    (void)router_.send(*found ? **found : out_, message.text, message.rank);
}

void leg_wire::on_located(servers_located& found) {
  if (!look_up_ || found.ticket != look_up_->ticket)
    return;
  const auto done = std::exchange(look_up_, nullptr);
  hop_ = 0;
  servers_ = {};
  given_ = false;
  if (found.where)
    servers_ = router_.hops().servers().order(*found.where, owner_.home().now());
  else
    fail_for(found.where.error(), transport::flow_end::stage::lookup);
  if (!reopen()) {
    failed_ = true;
    return;
  }
  hop_ = done->hop;
  for (const auto& w : done->texts)
    send_over(out_, w.text, w.rank);
}

result<transport::flow> leg_wire::open_next() {
  auto& hops = router_.hops();
  result<transport::flow> way = fail("next hop", "has no address");
  for (; !servers_.exhausted(); servers_.advance()) {
    way = hops.open(servers_, connections());
    if (way) {
      hops.servers().tries(servers_.current());
      break;
    }
    fail_for(way.error(), transport::flow_end::stage::connecting);
    hops.servers().failed(servers_.current(), owner_.home().now(),
                          server_memory::failure::unreachable);
  }
  return way;
}

bool leg_wire::reopen() {
  const auto way = open_next();
  if (way)
    use(*way);
  return way.has_value();
}

void leg_wire::use(const transport::flow& f) {
  failure_ = nullptr;
  await_no_longer();
  if (f != out_)
    close_own();
  lost_ = false;
  if (f == out_)
    return;
  own_sources();
  out_ = f;
  router_.attach(id_, out_);
}

const sip::ua_profile* leg_wire::next_server(lane::duration rest) {
  if (!open_ || hop_ == 0 || look_up_ || servers_.all().size() < 2 || servers_.exhausted())
    return nullptr;
  const auto now = owner_.home().now();
  auto& hops = router_.hops();
  using failure = server_memory::failure;
  hops.servers().failed(servers_.current(), now,
                        hearing_ != nullptr ? failure::refused : failure::unreachable, rest);
  servers_.advance();
  if (reopen()) {
    ++counters_.failovers;
    router_.count_failover();
    return &profile();
  }
  // All were tried. What comes later, such as a REGISTER after a pause, begins anew.
  if (!given_) {
    hop_ = 0;
    return nullptr;
  }
  servers_.restart();
  servers_ = hops.servers().order(servers_, now);
  // The machine goes on writing for the transport that it had last.
  while (servers_.current().protocol != out_.protocol)
    servers_.advance();
  lost_ = true;
  return nullptr;
}

const sip::ua_profile* leg_wire::restore() {
  if (!open_ || !lost_ || !given_ || servers_.exhausted())
    return nullptr;
  const auto way = router_.hops().open(servers_, connections());
  if (!way)
    return nullptr;
  use(*way);
  return &profile();
}

void leg_wire::send_over(const transport::flow& to, std::string_view text, sip::send_rank rank) {
  if (open_ && router_.send(to, text, rank))
    return;
  failed_ = true;
  lost_ = lost_ || (to == out_ && transport::is_reliable(to.protocol));
}

} // namespace jackfield

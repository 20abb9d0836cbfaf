#include "actors/call/call_leg.hpp"

#include <algorithm>
#include <utility>
#include <vector>

#include <caf/behavior.hpp>

#include "actors/call/call_leg_parts.hpp"
#include "actors/call/leg_messages.hpp"
#include "engine/sip/fields.hpp"

namespace jackfield {

namespace {

/// Early dialogs whose answers are kept apart.
constexpr size_t most_forks = 16;

/// RFC 3261 §20.43, of why a description is refused.
std::string_view warning_code(const error& why) {
  const std::string_view place = why.place;
  return place.ends_with(sdp::network_fault)     ? "300"
         : place.ends_with(sdp::address_fault)   ? "301"
         : place.ends_with(sdp::multicast_fault) ? "330"
                                                 : "305";
}

/// The cause may quote what the peer sent.
std::string warning_line(const error& why) {
  std::string line{"Warning: "};
  line += warning_code(why);
  line += " jackfield \"";
  for (const char c : why.to_string())
    line += c >= ' ' && c <= '~' && c != '"' && c != '\\' ? c : ' ';
  line += "\"\r\n";
  return line;
}

} // namespace

// -- the user's own defaults -------------------------------------------------------

void leg_user::on_incoming(call_leg& leg, const leg_incoming& /*call*/) {
  (void)leg.refuse(480);
}

void leg_user::on_offer(call_leg& leg, const leg_offer& offer) {
  (void)leg.answer_offer(offer.number);
}

void leg_user::on_command(call_leg& /*leg*/, leg_command& /*command*/) {
  // nop
}

// -- the actor ---------------------------------------------------------------------

call_leg::call_leg(caf::actor_config& config, lane::lane& home, sip_router& router,
                   std::unique_ptr<leg_user> user)
    : leg_actor(config, home, router), user_(std::move(user)), user_timer_(*this, user_clock) {
  // nop
}

call_leg::call_leg(caf::actor_config& config, lane::lane& home, sip_router& router,
                   std::unique_ptr<leg_user> user, sip_arrival_ptr invite, uint64_t transaction,
                   std::shared_ptr<const transport::open_settings> connections)
    : leg_actor(config, home, router), user_(std::move(user)), invite_(std::move(invite)),
      connections_(std::move(connections)), transaction_(transaction),
      user_timer_(*this, user_clock), called_(true) {
  // nop
}

call_leg::~call_leg() = default;

caf::behavior call_leg::make_behavior() {
  begin();
  return behavior_with(
    [this](const recorded& answer) {
      user_->on_recorded(*this, answer);
      settle();
    },
    [this](const media_opened& opened) {
      user_->on_media_opened(*this, opened);
      settle();
    },
    [this](const media_restarted& begun) {
      on_ice_begun(begun);
      settle();
    },
    [this](const media_candidates& found) {
      on_candidates(found);
      settle();
    },
    [this](const media_parted& parted) {
      user_->on_media_parted(*this, parted);
      settle();
    },
    [this](const media_silent& silent) {
      user_->on_media_silent(*this, silent);
      settle();
    },
    [this](const media_closed& closed) {
      user_->on_media_closed(*this, closed);
      settle();
    },
    [this](const client_back& back) {
      on_client_back(back);
      settle();
    },
    [this](const struct hang_up&) {
      user_->on_hang_up(*this);
      settle();
    },
    [this](leg_command& command) {
      user_->on_command(*this, command);
      settle();
    });
}

void call_leg::begin() {
  if (invite_)
    take_invite();
  else
    user_->on_start(*this);
  settle();
}

void call_leg::take_invite() {
  const auto invite = std::exchange(invite_, nullptr);
  if (!wire_.open(invite->from(), std::exchange(connections_, nullptr))) {
    router_.answer(*invite, 503, "Retry-After: 5\r\n");
    over_ = true;
    const sip::ua_event none{.kind = sip::event_kind::ended, .status = 503};
    user_->on_start(*this);
    user_->on_ended(*this, {sip::end_cause::none, none});
    return;
  }
  router_.bind_invite(transaction_, wire_.id());
  auto& machine = start_machine();
  user_->on_start(*this);
  machine.start(invite->arrived(), invite->message(), transaction_, {}, *this);
}

void call_leg::on_exit() {
  leg_actor::on_exit();
  user_timer_.cancel();
  if (called_)
    router_.unbind_invite(transaction_);
  stream_ = nullptr;
  invite_ = nullptr;
  user_.reset();
}

void call_leg::on_lost() {
  user_->on_lost(*this);
  hang_up(); // once, unrepeated: better than a call left up
}

// Behind a WebSocket is a client that nobody can connect to (RFC 7118 §5): it comes back, after a
// change of its network, or has said that it does not.
void call_leg::on_connection_lost(const flow_lost& lost) {
  const bool websocket = transport::is_websocket(lost.which.protocol);
  if (websocket && lost.how && lost.how->said_goodbye) { // it does not come back
    machine_->on_transport_failed(home().now(), *this);
    return;
  }
  machine_->on_connection_lost(home().now(), *this);
  if (over_)
    return;
  if (websocket) {
    if (!extra_)
      extra_ = std::make_unique<extra>();
    if (!extra_->return_timer)
      extra_->return_timer.emplace(*this, return_clock).arm(home().now() + return_patience);
  }
  await_client();
  user_->on_cut_off(*this);
}

// RFC 3261 §18.4. A call that is up, and its BYE, outlive a peer that is away for a moment; and
// anybody can say that it is.
void call_leg::on_peer_refused() {
  if (machine_->current() == sip::leg::phase::calling)
    machine_->on_transport_failed(home().now(), *this);
}

std::optional<client_name> call_leg::client() const {
  const auto dialog = record();
  const auto party = sip::parse_name_addr(dialog.remote_party);
  auto address = user_address_ ? std::optional{*user_address_}
                 : party       ? address_of_record(party->uri)
                               : std::nullopt;
  return address ? client_name::of(std::move(*address), dialog.remote_target) : std::nullopt;
}

void call_leg::note_user(std::string_view registered_as) {
  if (auto address = address_of_record(registered_as))
    user_address_ = std::make_unique<const std::string>(std::move(*address));
}

// A phone behind a connection that it made is found by its registration (RFC 5626 §5.3).
void call_leg::await_client() {
  if (auto who = client())
    wire_.await(std::move(*who));
}

void call_leg::on_client_back(const client_back& back) {
  if (!over_ && machine_ && client() == *back.who && wire_.come_back(back.way))
    on_way_back();
}

void call_leg::on_way_back() {
  if (over_)
    return;
  if (extra_)
    extra_->return_timer.reset();
  user_->on_way_back(*this);
}

void call_leg::on_send_failed() {
  if (wire_.is_cut_off()) // it was lost before anybody said so
    on_connection_lost({wire_.current(), nullptr});
  else
    machine_->on_transport_failed(home().now(), *this);
}

void call_leg::on_clock(unsigned id) {
  if (id == user_clock) {
    user_->on_wake(*this);
    return;
  }
  extra_->return_timer.reset();
  if (machine_ && wire_.is_cut_off())
    machine_->on_transport_failed(home().now(), *this);
}

void call_leg::finish() {
  finished_ = true;
  if (machine_ && machine_->current() != sip::leg::phase::over)
    hang_up();
  else
    over_ = true;
}

void call_leg::on_over() {
  if (!finished_)
    return;
  if (machine_) {
    machine_->leave(home().now(), router_.linger());
    router_.lingered();
  }
  quit();
}

result<void> call_leg::usable(std::string_view command) const {
  if (over_)
    return tl::unexpected{not_now(command, "a leg that is not over")};
  if (!machine_)
    return tl::unexpected{not_now(command, "a leg that was prepared")};
  return {};
}

std::string call_leg::call_id() const {
  return machine_ ? machine_->call_id() : std::string{};
}

sip::leg::phase call_leg::phase() const noexcept {
  return machine_ ? machine_->current() : over_ ? sip::leg::phase::over : sip::leg::phase::idle;
}

// -- media ---------------------------------------------------------------------------

void call_leg::describe(std::shared_ptr<const sdp::offer_template> media, uint16_t port) {
  wanted_ = media->capabilities().wanted;
  negotiation_.emplace(std::move(media), port, wire_.id().nonce);
}

result<void> call_leg::describe(std::shared_ptr<const sdp::offer_template> media, uint16_t port,
                                const sdp::negotiation_record& agreed) {
  describe(std::move(media), port);
  return negotiation_->take_up(agreed);
}

std::optional<sdp::negotiation_record> call_leg::described() const {
  return negotiation_ ? negotiation_->record() : std::nullopt;
}

void call_leg::use_stream(caf::strong_actor_ptr stream, uint16_t port,
                          std::shared_ptr<const sdp::stream_transport> transport) {
  stream_ = std::move(stream);
  negotiation_->set_port(port);
  negotiation_->set_transport(std::move(transport));
}

sdp::protection call_leg::offered_protection() const noexcept {
  return negotiation_ ? negotiation_->offered_protection() : sdp::protection::none;
}

bool call_leg::controls_ice() const noexcept {
  return !negotiation_ || negotiation_->controls_ice();
}

std::vector<sdp::codec> call_leg::offered_codecs() const {
  return negotiation_ ? negotiation_->offered_codecs() : std::vector<sdp::codec>{};
}

result<void> call_leg::narrow(std::shared_ptr<const sdp::offer_template> media) {
  if (auto can = usable("narrow"); !can)
    return can;
  return negotiation_->narrow(std::move(media));
}

void call_leg::connect(const sdp::negotiated_audio& audio, bool unconfirmed) {
  if (!stream_)
    return;
  lane::tell(home(), stream_, media_connect{audio, unconfirmed});
  connect_trickle();
}

void call_leg::hear_early(const sdp::negotiated_audio& audio) {
  connect(audio);
}

result<void> call_leg::dial(const std::string& digits, media_dial::way by) {
  if (!stream_)
    return fail("dial", "not now, expected a leg with a media stream");
  lane::tell(home(), stream_, media_dial{digits, by});
  return {};
}

// -- a call that goes out --------------------------------------------------------------

result<void> call_leg::open(const transport::target_selection& servers,
                            std::shared_ptr<const transport::open_settings> connections) {
  return wire_.open(servers, std::move(connections));
}

result<void> call_leg::open_over(const transport::flow& connection,
                                 std::shared_ptr<const transport::open_settings> connections,
                                 std::string_view registered_as) {
  note_user(registered_as);
  return wire_.open_over(connection, std::move(connections));
}

result<void> call_leg::prepare(sip::call_options options, bool delayed_offer) {
  if (machine_)
    return fail("prepare", "was done before");
  auto& machine = start_machine();
  std::string body;
  if (!delayed_offer) {
    auto made = negotiation_->offer(wanted_);
    if (!made)
      return tl::unexpected{std::move(made.error())};
    body = std::move(made->text);
    open_offer_ = made->number;
  }
  options.body = body;
  std::string headers;
  if (const auto lines = trickle_lines(); !lines.empty()) {
    headers.append(options.headers).append(lines);
    options.headers = headers;
  }
  hold_ack_ = options.hold_ack;
  if (auto prepared = machine.prepare(options); !prepared)
    return prepared;
  user_->on_prepared(*this);
  return {};
}

result<void> call_leg::send_invite() {
  if (auto can = usable("send"); !can)
    return can;
  return machine_->send(home().now(), *this);
}

result<void> call_leg::acknowledge() {
  if (auto can = usable("acknowledge"); !can)
    return can;
  const auto answer = extra_ ? std::exchange(extra_->held_answer, {}) : std::string{};
  if (!machine_->acknowledge(home().now(), answer, *this))
    return tl::unexpected{not_now("acknowledge", "a 2xx whose ACK waits")};
  return {};
}

// -- a dialog from a store --------------------------------------------------------------

result<void> call_leg::adopt(const sip::dialog_record& record,
                             const transport::target_selection& servers,
                             std::shared_ptr<const transport::open_settings> connections,
                             std::span<const sip::credential> credentials, uint32_t skip) {
  return identity_for("adopt", record.leg)
    .and_then(
      [&](const sip::leg_id& id) { return wire_.adopt(id, servers, std::move(connections)); })
    .and_then([&] { return start_machine().adopt(record, credentials, skip); });
}

result<void> call_leg::adopt_waiting(const sip::dialog_record& record, transport::protocol p,
                                     std::shared_ptr<const transport::open_settings> connections,
                                     std::span<const sip::credential> credentials, uint32_t skip,
                                     std::string_view registered_as) {
  note_user(registered_as);
  return identity_for("adopt", record.leg)
    .and_then(
      [&](const sip::leg_id& id) { return wire_.adopt_waiting(id, p, std::move(connections)); })
    .and_then([&] { return start_machine().adopt(record, credentials, skip); })
    .map([this] { await_client(); });
}

result<void> call_leg::take_back(const sip::attempt_record& record,
                                 const transport::target_selection& servers,
                                 std::shared_ptr<const transport::open_settings> connections) {
  return identity_for("take back", record.leg)
    .and_then(
      [&](const sip::leg_id& id) { return wire_.adopt(id, servers, std::move(connections)); })
    .and_then([&] { return start_machine().take_back(home().now(), record, *this); });
}

result<sip::leg_id> call_leg::identity_for(std::string_view command,
                                           const std::string& text) const {
  if (machine_)
    return tl::unexpected{not_now(command, "a leg that has not begun")};
  const auto id = sip::leg_id::parse(text);
  if (!id)
    return fail(std::string{command}, "\"" + text + "\" names no leg");
  return *id;
}

std::optional<sip::attempt_record> call_leg::attempt() const {
  return machine_ ? machine_->attempt() : std::nullopt;
}

sip::dialog_record call_leg::record() const {
  return machine_ ? machine_->record() : sip::dialog_record{};
}

void call_leg::on_provisional(const sip::ua_event& event) {
  user_->on_progress(*this, {event.status, event.fork});
  if (event.body.empty() || !stream_ || open_offer_ == 0 || over_)
    return;
  note_trickle(event.source);
  if (!extra_)
    extra_ = std::make_unique<extra>();
  auto& forks = extra_->forks;
  auto known =
    std::find_if(forks.begin(), forks.end(), [&](const auto& f) { return f.fork == event.fork; });
  if (known == forks.end()) {
    if (forks.size() >= most_forks)
      return;
    known = forks.insert(forks.end(), {event.fork, *negotiation_});
  }
  // One that cannot be used is passed over: the answer in the 2xx may be another.
  if (const auto heard = known->state.preview(open_offer_, event.body))
    user_->on_early_media(*this, {event.fork, *heard});
}

void call_leg::on_answered(const sip::ua_event& event) {
  const auto now = home().now();
  if (extra_) { // each early dialog has been told something of its own
    for (auto& f : extra_->forks)
      if (f.fork == event.fork)
        negotiation_ = std::move(f.state);
    extra_->forks.clear();
    if (!extra_->trickle)
      extra_.reset();
  }
  note_trickle(event.source);
  std::optional<error> unusable;
  std::optional<sdp::negotiated_audio> audio;
  if (event.needs_answer) {
    auto made = negotiation_->take_offer(event.body).and_then([&](uint32_t number) {
      return negotiation_->answer(number, wanted_);
    });
    const auto text = made ? std::string_view{made->text} : std::string_view{};
    if (hold_ack_ && made) {
      if (!extra_)
        extra_ = std::make_unique<extra>();
      extra_->held_answer = text;
    } else {
      machine_->acknowledge(now, text, *this);
    }
    if (made)
      audio = std::move(made->audio);
    else
      unusable = std::move(made.error());
  } else if (stream_) {
    auto agreed = negotiation_->take_answer(open_offer_, event.body);
    if (agreed)
      audio = std::move(*agreed);
    else
      unusable = std::move(agreed.error());
  } else {
    negotiation_->rollback();
  }
  if (audio)
    connect(*audio);
  open_offer_ = 0;
  user_->on_answered(*this,
                     {event.status, unusable ? &*unusable : nullptr, audio ? &*audio : nullptr});
  if (unusable)
    hang_up(warning_line(*unusable));
  send_candidates();
}

// -- a call that came in ------------------------------------------------------------------

void call_leg::on_incoming(const sip::ua_event& event) {
  const bool has_offer = !event.body.empty();
  note_trickle(event.source);
  if (has_offer) {
    auto taken = negotiation_->take_offer(event.body);
    if (taken) {
      open_offer_ = *taken;
    } else {
      if (!extra_)
        extra_ = std::make_unique<extra>();
      extra_->unacceptable = std::make_unique<error>(std::move(taken.error()));
    }
  }
  user_->on_incoming(*this,
                     {*event.source, has_offer, extra_ ? extra_->unacceptable.get() : nullptr});
}

result<void> call_leg::ring(int status) {
  if (auto can = usable("ring"); !can)
    return can;
  if (!machine_->progress(home().now(), status, *this, {}, {}, trickle_lines()))
    return tl::unexpected{not_now("ring", "a call that came in and is not answered, and 101-199")};
  return {};
}

result<std::string> call_leg::describe_acceptance() {
  if (extra_ && extra_->unacceptable)
    return tl::unexpected{*extra_->unacceptable};
  if (open_offer_ == 0) {
    auto made = negotiation_->offer(wanted_);
    if (!made)
      return tl::unexpected{std::move(made.error())};
    open_offer_ = made->number;
    return std::move(made->text);
  }
  auto made = negotiation_->answer(open_offer_, wanted_);
  if (!made)
    return tl::unexpected{std::move(made.error())};
  open_offer_ = 0;
  connect(made->audio, true);
  return std::move(made->text);
}

result<void> call_leg::send_early_media(int status) {
  if (auto can = usable("early media"); !can)
    return can;
  if (!called_ || phase() != sip::leg::phase::ringing || open_offer_ == 0)
    return tl::unexpected{not_now("early media", "a call that came in with an offer")};
  auto made = negotiation_->early_answer(open_offer_, wanted_);
  if (!made)
    return tl::unexpected{std::move(made.error())};
  if (!machine_->progress(home().now(), status, *this, made->text, sdp_type, trickle_lines()))
    return tl::unexpected{not_now("early media", "a status of 101-199")};
  connect(made->audio);
  return {};
}

result<void> call_leg::accept() {
  if (auto can = usable("accept"); !can)
    return can;
  if (!called_ || phase() != sip::leg::phase::ringing)
    return tl::unexpected{not_now("accept", "a call that came in and is not answered")};
  auto text = describe_acceptance();
  if (!text) {
    machine_->reject(home().now(), 488, *this, warning_line(text.error()));
    return tl::unexpected{std::move(text.error())};
  }
  machine_->answer(home().now(), *text, *this, sdp_type, trickle_lines());
  return {};
}

result<void> call_leg::refuse(int status, std::string_view headers) {
  if (auto can = usable("refuse"); !can)
    return can;
  std::string why;
  if (status == 488 && headers.empty() && extra_ && extra_->unacceptable)
    headers = why = warning_line(*extra_->unacceptable);
  if (!machine_->reject(home().now(), status, *this, headers))
    return tl::unexpected{
      not_now("refuse", "a call that came in and is not answered, and 300-699")};
  return {};
}

result<void> call_leg::redirect(const std::vector<std::string>& uris) {
  std::string headers;
  for (const auto& uri : uris)
    headers += "Contact: <" + uri + ">\r\n";
  if (headers.empty())
    return fail("redirect", "expected a URI at least");
  return refuse(302, headers);
}

void call_leg::on_acknowledged(const sip::ua_event& event) {
  router_.confirm_invite(transaction_);
  if (const auto ours = std::exchange(open_offer_, 0); ours != 0) {
    auto agreed = negotiation_->take_answer(ours, event.body);
    if (!agreed) {
      user_->on_hang_up(*this); // without an answer there is no call
      return;
    }
    connect(*agreed);
  } else if (stream_) {
    lane::tell(home(), stream_, media_confirmed{});
  }
  user_->on_confirmed(*this);
  send_candidates();
}

// -- the end ------------------------------------------------------------------------------------

// Media stop with our BYE (RFC 3261 §15.1.1), whoever or whatever had it sent.
void call_leg::send(const sip::outgoing& message) {
  if (message.what == sip::method::bye && message.status == 0 && !message.retransmission &&
      message.to != sip::send_to::aside && stream_)
    lane::tell(home(), stream_, media_stop{});
  leg_actor::send(message);
}

void call_leg::hang_up(std::string_view headers) {
  if (machine_ && !over_)
    machine_->hang_up(home().now(), *this, headers);
}

void call_leg::on_ended(const sip::ua_event& event) {
  over_ = true;
  extra_.reset();
  user_->on_ended(*this, {event.cause, event});
}

void call_leg::on_event(const sip::ua_event& event) {
  switch (event.kind) {
  case sip::event_kind::provisional:
    on_provisional(event);
    break;
  case sip::event_kind::retrying:
    user_->on_retrying(*this, event.status);
    break;
  case sip::event_kind::answered:
    on_answered(event);
    break;
  case sip::event_kind::incoming:
    on_incoming(event);
    break;
  case sip::event_kind::acknowledged:
    on_acknowledged(event);
    break;
  case sip::event_kind::offer:
    on_peer_offer(event);
    break;
  case sip::event_kind::offer_confirmed:
    on_peer_answer(event);
    break;
  case sip::event_kind::offer_withdrawn:
    on_withdrawn();
    break;
  case sip::event_kind::request:
    if (event.number != 0) // else it has been answered
      on_request(event);
    break;
  case sip::event_kind::response:
    on_response(event);
    break;
  case sip::event_kind::ended:
    on_ended(event);
    break;
  default:
    break;
  }
}

} // namespace jackfield

#include "actors/call/call_leg.hpp"

#include <algorithm>
#include <utility>
#include <vector>

#include <caf/behavior.hpp>

#include "actors/call/leg_messages.hpp"

namespace jackfield {

namespace {

/// Early dialogs whose answers are kept apart.
constexpr size_t most_forks = 16;
/// Numbers of offers that the peer asks for, beside those of the negotiation.
constexpr uint32_t asked_for = 0x8000'0000;

error not_now(std::string_view command, std::string_view expected) {
  return {std::string{command}, "not now, expected " + std::string{expected}};
}

/// RFC 3261 §20.43: why a description is refused. The cause may quote what the peer sent.
std::string warning_line(const error& why) {
  std::string line{"Warning: 305 jackfield \""};
  for (const char c : why.to_string())
    line += c >= ' ' && c <= '~' && c != '"' && c != '\\' ? c : ' ';
  line += "\"\r\n";
  return line;
}

} // namespace

struct call_leg::extra {
  std::unique_ptr<error> unacceptable; // the INVITE's offer
  struct early_fork {
    unsigned fork;
    sdp::negotiation state;
  };
  std::vector<early_fork> forks; // whose answers came in provisional responses
  struct ice_restart {
    uint32_t number; // of the peer's offer, 0: for one of ours
    sdp::direction wanted;
  };
  std::optional<ice_restart> restart; // the stream makes its new description
  struct description {
    uint16_t port;
    std::shared_ptr<const sdp::stream_transport> transport;
  };
  std::optional<description> before; // the restart that we offer
};

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
    [this](const media_opened& opened) {
      user_->on_media_opened(*this, opened);
      settle();
    },
    [this](const media_restarted& begun) {
      on_ice_begun(begun);
      settle();
    },
    [this](const media_parted& parted) {
      user_->on_media_parted(*this, parted);
      settle();
    },
    [this](const media_closed& closed) {
      user_->on_media_closed(*this, closed);
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

void call_leg::on_clock(unsigned /*id*/) {
  user_->on_wake(*this);
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

sip::leg::phase call_leg::phase() const noexcept {
  return machine_ ? machine_->current() : over_ ? sip::leg::phase::over : sip::leg::phase::idle;
}

// -- media ---------------------------------------------------------------------------

void call_leg::describe(std::shared_ptr<const sdp::offer_template> media, uint16_t port) {
  wanted_ = media->capabilities().wanted;
  negotiation_.emplace(std::move(media), port, wire_.id().nonce);
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

std::vector<sdp::codec> call_leg::offered_codecs() const {
  return negotiation_ ? negotiation_->offered_codecs() : std::vector<sdp::codec>{};
}

result<void> call_leg::narrow(std::shared_ptr<const sdp::offer_template> media) {
  if (auto can = usable("narrow"); !can)
    return can;
  return negotiation_->narrow(std::move(media));
}

void call_leg::connect(const sdp::negotiated_audio& audio) {
  if (stream_)
    lane::tell(home(), stream_, media_connect{audio});
}

void call_leg::hear_early(const sdp::negotiated_audio& audio) {
  connect(audio);
}

result<void> call_leg::dial(const std::string& digits) {
  if (!stream_)
    return fail("dial", "not now, expected a leg with a media stream");
  lane::tell(home(), stream_, media_dial{digits});
  return {};
}

// -- a call that goes out --------------------------------------------------------------

result<void> call_leg::open(const transport::target_selection& servers,
                            std::shared_ptr<const transport::open_settings> connections) {
  return wire_.open(servers, std::move(connections));
}

result<void> call_leg::open_over(const transport::flow& connection,
                                 std::shared_ptr<const transport::open_settings> connections) {
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

// -- a dialog from a store --------------------------------------------------------------

result<void> call_leg::adopt(const sip::dialog_record& record,
                             const transport::target_selection& servers,
                             std::shared_ptr<const transport::open_settings> connections,
                             std::span<const sip::credential> credentials) {
  if (machine_)
    return fail("adopt", "not now, expected a leg that has not begun");
  const auto id = sip::leg_id::parse(record.leg);
  if (!id)
    return fail("adopt", "\"" + record.leg + "\" names no leg");
  if (auto taken = wire_.adopt(*id, servers, std::move(connections)); !taken)
    return taken;
  return start_machine().adopt(record, credentials);
}

sip::dialog_record call_leg::record() const {
  return machine_ ? machine_->record() : sip::dialog_record{};
}

void call_leg::on_provisional(const sip::ua_event& event) {
  user_->on_progress(*this, {event.status, event.fork});
  if (event.body.empty() || !stream_ || open_offer_ == 0 || over_)
    return;
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
    extra_.reset();
  }
  std::optional<error> unusable;
  std::optional<sdp::negotiated_audio> audio;
  if (event.needs_answer) {
    auto made = negotiation_->take_offer(event.body).and_then([&](uint32_t number) {
      return negotiation_->answer(number, wanted_);
    });
    machine_->acknowledge(now, made ? std::string_view{made->text} : std::string_view{}, *this);
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
}

// -- a call that came in ------------------------------------------------------------------

void call_leg::on_incoming(const sip::ua_event& event) {
  const bool has_offer = !event.body.empty();
  if (has_offer) {
    auto taken = negotiation_->take_offer(event.body);
    if (taken) {
      open_offer_ = *taken;
    } else {
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
  if (!machine_->progress(home().now(), status, *this))
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
  connect(made->audio);
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
  if (!machine_->progress(home().now(), status, *this, made->text))
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
  machine_->answer(home().now(), *text, *this);
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
  if (const auto ours = std::exchange(open_offer_, 0); ours != 0) {
    auto agreed = negotiation_->take_answer(ours, event.body);
    if (!agreed) {
      user_->on_hang_up(*this); // without an answer there is no call
      return;
    }
    connect(*agreed);
  }
  user_->on_confirmed(*this);
}

// -- within the dialog ----------------------------------------------------------------------

void call_leg::on_peer_offer(const sip::ua_event& event) {
  leg_offer offer{.what = event.what, .has_offer = !event.body.empty()};
  if (offer.has_offer) {
    // One of ours that waits for its time after a glare is void: the peer's stands first.
    if (offer_request_ != 0)
      roll_back();
    auto taken = negotiation_->take_offer(event.body);
    if (!taken) {
      machine_->refuse_offer(home().now(), 488, *this);
      return;
    }
    offer.number = open_offer_ = *taken;
    offer.way = negotiation_->offered_way();
  } else {
    offer.number = asked_ = asked_for | ++times_asked_;
  }
  user_->on_offer(*this, offer);
}

result<void> call_leg::answer_offer(uint32_t number, sdp::direction wanted) {
  if (auto can = usable("answer an offer"); !can)
    return can;
  const auto now = home().now();
  if (negotiation_->current() == sdp::negotiation::state::remote_offer) {
    if (number != open_offer_ || !stream_ || !negotiation_->offers_ice_restart())
      return answer_peer(number, wanted);
    begin_ice(number, wanted);
    return {};
  }
  if (number != asked_ || asked_ == 0)
    return tl::unexpected{not_now("answer an offer", "one that is open")};
  auto made = negotiation_->offer(wanted);
  if (!made)
    return tl::unexpected{std::move(made.error())};
  if (!machine_->answer_offer(now, made->text, *this)) {
    negotiation_->rollback();
    return tl::unexpected{not_now("answer an offer", "one that is open")};
  }
  open_offer_ = made->number;
  asked_ = 0;
  return {};
}

result<void> call_leg::answer_peer(uint32_t number, sdp::direction wanted) {
  auto made = negotiation_->answer(number, wanted);
  if (!made)
    return tl::unexpected{std::move(made.error())};
  open_offer_ = 0;
  if (!machine_->answer_offer(home().now(), made->text, *this))
    return tl::unexpected{not_now("answer an offer", "one that is open")};
  connect(made->audio);
  return {};
}

result<void> call_leg::refuse_offer(uint32_t number, int status) {
  if (auto can = usable("refuse an offer"); !can)
    return can;
  const bool asked = number == asked_ && asked_ != 0;
  const bool theirs =
    number == open_offer_ && negotiation_->current() == sdp::negotiation::state::remote_offer;
  if (!(asked || theirs) || !machine_->refuse_offer(home().now(), status, *this))
    return tl::unexpected{not_now("refuse an offer", "one that is open, and 400-699")};
  if (theirs) {
    negotiation_->rollback();
    open_offer_ = 0;
  }
  asked_ = 0;
  return {};
}

void call_leg::on_peer_answer(const sip::ua_event& event) {
  const auto ours = std::exchange(open_offer_, 0);
  if (ours == 0)
    return;
  leg_settled settled{.status = 200};
  const auto agreed = negotiation_->take_answer(ours, event.body);
  if (agreed) {
    connect(*agreed);
  } else {
    negotiation_->rollback();
    settled.unsettled = &agreed.error();
  }
  user_->on_settled(*this, settled);
}

void call_leg::on_withdrawn() {
  const auto number = asked_ != 0 ? std::exchange(asked_, 0) : std::exchange(open_offer_, 0);
  negotiation_->rollback();
  if (extra_ && extra_->restart && extra_->restart->number == number)
    extra_->restart.reset();
  user_->on_offer_withdrawn(*this, number);
}

result<uint32_t> call_leg::offer(sdp::direction wanted, sip::method what) {
  if (auto can = usable("offer"); !can)
    return tl::unexpected{std::move(can.error())};
  if (what != sip::method::invite && what != sip::method::update)
    return fail("offer", "goes in INVITE or UPDATE");
  auto made = negotiation_->offer(wanted);
  if (!made)
    return tl::unexpected{std::move(made.error())};
  const auto number = machine_->send_request(home().now(), what, made->text, *this);
  if (number == 0) {
    negotiation_->rollback();
    return tl::unexpected{not_now("offer", "an established dialog without another offer")};
  }
  open_offer_ = made->number;
  offer_request_ = number;
  return number;
}

result<uint32_t> call_leg::request(sip::method what, std::string_view body,
                                   std::string_view content_type, std::string_view headers) {
  if (auto can = usable("request"); !can)
    return tl::unexpected{std::move(can.error())};
  if (what == sip::method::invite)
    return fail("request", "a re-INVITE is an offer");
  const auto number =
    machine_->send_request(home().now(), what, body, *this, content_type, headers);
  if (number == 0)
    return tl::unexpected{
      not_now("request", "an established dialog, few requests on their way, whole header lines")};
  return number;
}

result<void> call_leg::answer_request(uint32_t number, int status, std::string_view headers,
                                      std::string_view body, std::string_view content_type) {
  if (auto can = usable("answer a request"); !can)
    return can;
  if (!machine_->answer_request(home().now(), number, status, *this, headers, body, content_type))
    return tl::unexpected{not_now("answer a request", "one that waits, and 200-699")};
  return {};
}

result<void> call_leg::defer_request(uint32_t number) {
  if (auto can = usable("defer a request"); !can)
    return can;
  if (!machine_->defer_request(home().now(), number, *this))
    return tl::unexpected{not_now("defer a request", "one that is being told of, and room")};
  return {};
}

void call_leg::on_response(const sip::ua_event& event) {
  if (event.number == 0 || event.number != offer_request_) {
    user_->on_response(*this, {event.number, event.status, event.content_type, event.body});
    return;
  }
  leg_settled settled{.request = std::exchange(offer_request_, 0),
                      .status = event.status,
                      .ice_restart = extra_ && extra_->before};
  const auto ours = std::exchange(open_offer_, 0);
  std::optional<error> why;
  if (event.status >= 200 && event.status < 300) {
    auto agreed = negotiation_->take_answer(ours, event.body);
    if (agreed)
      connect(*agreed);
    else
      why = std::move(agreed.error());
  } else {
    why = error{"offer", event.status == 0 ? "was not answered"
                                           : "was refused with " + std::to_string(event.status)};
  }
  if (why) {
    roll_back();
    settled.unsettled = &*why;
  } else if (extra_) {
    extra_->before.reset();
  }
  user_->on_settled(*this, settled);
}

// -- ICE anew ------------------------------------------------------------------------------------

result<void> call_leg::restart_ice(sdp::direction wanted) {
  if (auto can = usable("restart ICE"); !can)
    return can;
  if (!stream_ || phase() != sip::leg::phase::established || open_offer_ != 0 || asked_ != 0 ||
      (extra_ && extra_->restart))
    return tl::unexpected{
      not_now("restart ICE", "an established dialog with a stream and without an offer")};
  begin_ice(0, wanted);
  return {};
}

void call_leg::begin_ice(uint32_t number, sdp::direction wanted) {
  if (!extra_)
    extra_ = std::make_unique<extra>();
  extra_->restart = extra::ice_restart{number, wanted};
  lane::tell_from(*this, stream_, media_restart{number == 0});
}

void call_leg::on_ice_begun(const media_restarted& begun) {
  if (over_ || !extra_ || !extra_->restart)
    return;
  const auto [number, wanted] = *std::exchange(extra_->restart, std::nullopt);
  const auto settle_with = [&](const error& why) {
    user_->on_settled(*this, {.unsettled = &why, .ice_restart = true});
  };
  if (!begun.local) {
    if (number != 0)
      (void)refuse_offer(number, 500);
    else
      settle_with(begun.local.error());
    return;
  }
  extra::description before{negotiation_->port(), negotiation_->transport()};
  negotiation_->set_port(begun.local->port());
  negotiation_->set_transport(begun.transport);
  if (number != 0) {
    (void)answer_peer(number, wanted);
    return;
  }
  extra_->before = std::move(before);
  if (const auto sent = offer(wanted); !sent) {
    roll_back();
    settle_with(sent.error());
  }
}

void call_leg::roll_back() {
  negotiation_->rollback();
  if (!extra_ || !extra_->before)
    return;
  const auto before = std::exchange(extra_->before, std::nullopt);
  negotiation_->set_port(before->port);
  negotiation_->set_transport(before->transport);
}

// -- the end ------------------------------------------------------------------------------------

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
      user_->on_request(*this,
                        {event.number, event.what, event.content_type, event.body, *event.source});
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

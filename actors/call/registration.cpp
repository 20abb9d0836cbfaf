#include "actors/call/registration.hpp"

#include <algorithm>
#include <chrono>
#include <utility>

#include <caf/behavior.hpp>

#include "actors/call/failure_detail.hpp"
#include "actors/call/failure_of.hpp"
#include "actors/call/leg_messages.hpp"
#include "engine/sip/fields.hpp"
#include "engine/sip/uri.hpp"

namespace jackfield {

// What it says of a moment is not for good: 408, 423, 429, 480, 491, 494, and what a server says of
// itself.
bool refuses_for_good(int status) noexcept {
  switch (status) {
  case 408:
  case 423:
  case 429:
  case 480:
  case 491:
  case 494:
    return false;
  case 501:
  case 505:
  case 513:
    return true;
  default:
    return (status >= 400 && status < 500) || status >= 600;
  }
}

registration::registration(caf::actor_config& config, lane::lane& home, sip_router& router,
                           std::shared_ptr<const call_manner> manner,
                           std::shared_ptr<const call_target> target, const plan& p,
                           kept_registration kept, caf::strong_actor_ptr owner)
    : leg_actor(config, home, router), owner_(std::move(owner)), manner_(std::move(manner)),
      target_(std::move(target)), stay_timer_(*this, stay_clock), plan_(p), kept_(kept) {
  // nop
}

caf::behavior registration::make_behavior() {
  begin();
  return behavior_with(
    [this](const hang_up&) {
      leave();
      settle();
    },
    [this](const recorded& answer) {
      on_recorded(answer);
      settle();
    });
}

void registration::on_exit() {
  leg_actor::on_exit();
  stay_timer_.cancel();
}

void registration::on_clock(unsigned /*id*/) {
  stayed_ = true;
  leave_if_due();
}

void registration::begin() {
  if (const auto opened = wire_.open(manner_->servers, manner_->connections); !opened) {
    failure_ = report::failure_cause::connect_failed;
    detail_ = opened.error().cause;
    finish();
    return;
  }
  auto& machine = start_machine();
  const auto uri = sip::uri::parse(target_->uri);
  const auto from = sip::parse_name_addr(target_->from);
  if (!uri || !from) {
    failure_ = report::failure_cause::internal;
    finish();
    return;
  }
  // The registrar is the domain of the target: its URI without user (RFC 3261 §10.2).
  std::string registrar{uri->scheme_name()};
  registrar += ':';
  const auto at = uri->opaque().find('@');
  registrar += uri->opaque().substr(at == std::string_view::npos ? 0 : at + 1);
  sip::registration_options options;
  options.registrar = registrar;
  options.aor = from->uri;
  options.contact_user = target_->contact_user;
  options.route = target_->route;
  options.headers = target_->headers;
  options.expires = plan_.expires;
  options.credentials = target_->credentials;
  options.random = home().random();
  options.jitter = home().random_unit();
  sent_ = plan_.due;
  if (!machine.prepare(options)) {
    failure_ = report::failure_cause::internal;
    finish();
    return;
  }
  if (kept_) {
    started_ = home().wall_now();
    expect_binding();
    auto made = record();
    ++made.cseq; // which it will have
    kept_.write(made, caf::strong_actor_ptr{ctrl()});
    return;
  }
  machine.begin(home().now(), *this);
  settle();
}

void registration::on_recorded(const recorded& answer) {
  if (over_ || !machine_)
    return;
  if (answer.not_yet) {
    failure_ = report::failure_cause::not_recorded;
    over_ = true;
  } else {
    machine_->begin(home().now(), *this);
  }
}

storage::registration_record registration::record() const {
  const auto id = wire_.id().text();
  storage::registration_record made;
  made.aor = target_->from_uri();
  made.contact = machine_->contact();
  made.leg.assign(id.data(), id.size());
  made.call_id = made.leg;
  made.cseq = machine_->cseq();
  made.registrar = machine_->target();
  made.route = target_->route;
  made.target = wire_.current().to_string();
  made.host = wire_.host();
  made.local = wire_.current().local.to_string();
  made.expires = machine_->expires();
  made.started = started_;
  made.registered = registered_;
  made.until = until_;
  return made;
}

void registration::expect_binding() {
  constexpr auto on_its_way = sip::timer_values{}.transaction_limit();
  until_ = std::max<storage::wall_time>(
    until_, home().wall_now() + std::chrono::seconds{machine_->expires()} + on_its_way);
}

void registration::leave() {
  if (leaving_ || over_ || !machine_)
    return;
  leaving_ = true;
  stay_timer_.cancel();
  machine_->unregister(home().now(), *this);
}

void registration::leave_if_due() {
  if (plan_.leave && stayed_ && successes_ > plan_.refreshes)
    leave();
}

// The Contact may be of the connection: over a new one it is another.
void registration::before_time() {
  if (const auto* const profile = wire_.restore())
    machine_->use_profile(*profile);
}

void registration::send(const sip::outgoing& message) {
  if (!message.retransmission && successes_ > 0)
    sent_ = home().now();
  wire_.send(message);
  if (kept_ && !message.retransmission && machine_->cseq() != kept_.cseq()) {
    expect_binding();
    kept_.write(record());
  }
}

void registration::on_event(const sip::ua_event& event) {
  switch (event.kind) {
  case sip::event_kind::registered: {
    if (kept_) {
      if (!registered_)
        registered_ = home().wall_now();
      until_ = home().wall_now() + std::chrono::seconds{event.seconds};
      kept_.write(record());
    }
    if (leaving_)
      break;
    const auto took = home().now() - sent_;
    status_ = event.status;
    detail_.clear();
    if (successes_ == 0)
      first_took_ = took;
    tell_owner(successes_ == 0 ? registration_report::kind::registered
                               : registration_report::kind::refreshed,
               {}, event.status, took);
    machine_->set_jitter(home().random_unit());
    const auto servers = wire_.counters().failovers + 1; // that it was at
    if (std::exchange(kept_alive_, servers) != servers &&
        !transport::is_reliable(wire_.current().protocol))
      router_.transport().keep_alive_udp(wire_.current());
    ++successes_;
    if (successes_ == 1 && plan_.leave) {
      stayed_ = plan_.stay <= lane::duration::zero();
      if (!stayed_)
        stay_timer_.arm(home().now() + plan_.stay);
    }
    leave_if_due();
    break;
  }
  case sip::event_kind::registration_failed:
    machine_->set_jitter(home().random_unit());
    status_ = event.status;
    detail_ = failure_detail(event, wire_.failure().get());
    tell_owner(registration_report::kind::failed, failure_of(event, wire_.failure().get()),
               event.status);
    give_up_if_due(failure_of(event, wire_.failure().get()), event.status);
    break;
  case sip::event_kind::ended:
    over_ = true;
    if (event.cause != sip::end_cause::unregistered) {
      failure_ = failure_of(event, wire_.failure().get());
      detail_ = failure_detail(event, wire_.failure().get());
    }
    break;
  default:
    break;
  }
}

void registration::give_up_if_due(report::failure_cause why, int status) {
  if (successes_ > 0) {
    if (!missed_.failed())
      missed_ = why;
    if (!plan_.retries || !refuses_for_good(status))
      return;
  } else if (!plan_.retries || failures_++ < *plan_.retries) {
    return;
  }
  failure_ = why;
  over_ = true;
}

void registration::tell_owner(registration_report::kind what, report::failure_cause failure,
                              int status, lane::duration took) {
  registration_report report;
  report.number = plan_.number;
  report.what = what;
  report.failure = failure;
  report.status = status;
  report.took = took;
  report.had_registered = successes_ > 0;
  report.left = leaving_;
  report.missed = missed_;
  report.detail = failure.failed() || missed_.failed() ? detail_ : std::string{};
  report.due = plan_.due;
  report.refreshes = successes_ > 1 ? successes_ - 1 : 0;
  report.first_took = first_took_;
  report.target = target_;
  report.wire = wire_.counters();
  lane::tell(home(), owner_, std::move(report));
}

void registration::on_over() {
  kept_.erase();
  finish();
}

// Its record stays: what came over the actor is no end of the binding.
void registration::on_lost() {
  failure_ = report::failure_cause::internal;
  finish();
}

void registration::finish() {
  finished_ = true;
  tell_owner(registration_report::kind::over, failure_, status_);
  quit();
}

} // namespace jackfield

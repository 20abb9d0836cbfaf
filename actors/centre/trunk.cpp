#include "actors/centre/trunk.hpp"

#include <utility>

#include <caf/actor_cast.hpp>
#include <caf/behavior.hpp>

#include "engine/sip/uri.hpp"

namespace jackfield {

namespace {

constexpr unsigned look_clock = 0;
constexpr unsigned limit_clock = 1;

/// Its server, as requests that are to the server itself name it, and ourselves there.
std::shared_ptr<const call_target> target_at(const trunk_profile& profile) {
  auto made = std::make_shared<call_target>();
  made->uri = profile.uri;
  const auto uri = sip::uri::parse(profile.uri);
  const auto host = uri && uri->host_is_ipv6() ? "[" + std::string{uri->host()} + "]"
                    : uri                      ? std::string{uri->host()}
                                               : std::string{};
  const auto user = sip::escape_user(profile.user.empty() ? "jackfield" : profile.user);
  made->from = "<sip:" + user + "@" + host + ">";
  made->contact_user = user;
  made->credentials = profile.credentials;
  return made;
}

} // namespace

trunk::trunk(caf::actor_config& config, lane::lane& home, lane_context& context,
             std::shared_ptr<const trunk_book> book, size_t place, caf::strong_actor_ptr watcher)
    : lane::lane_actor(config, home), context_(context), book_(std::move(book)),
      line_(*book_->lines.at(place)), watcher_(std::move(watcher)),
      target_(target_at(line_.profile())), look_timer_(*this, look_clock),
      limit_timer_(*this, limit_clock) {
  // nop
}

caf::behavior trunk::make_behavior() {
  if (profile().registers || profile().options_every > lane::duration::zero())
    look_timer_.arm(home().now()); // the lane may not run yet
  return {
    [this](const lane::timer_fired& fired) { on_timer(fired.id); },
    [this](const servers_located& found) { on_located(found); },
    [this](const request_finished& finished) { on_asked(finished); },
    [this](const registration_report& report) { on_registration(report); },
    [this](const hang_up&) { leave(); },
  };
}

void trunk::on_exit() {
  look_timer_.cancel();
  limit_timer_.cancel();
  if (registration_)
    lane::tell(home(), registration_, hang_up{});
  registration_ = nullptr;
  watcher_ = nullptr;
}

void trunk::on_timer(unsigned id) {
  if (id == look_clock) {
    look();
  } else if (asked_ != 0 && !leaving_) { // it may answer yet
    answers_ = false;
    settle("is silent");
  }
}

void trunk::look() {
  look_up_ = context_.router.hops().next_ticket();
  context_.router.hops().locate(profile().uri, *this, look_up_);
}

void trunk::on_located(const servers_located& found) {
  if (found.ticket != look_up_ || leaving_)
    return;
  if (!found.where) {
    answers_ = false;
    settle(found.where.error().to_string());
    look_timer_.arm(home().now() + locate_again);
    return;
  }
  auto manner = std::make_shared<call_manner>();
  manner->servers = context_.router.hops().servers().order(*found.where, home().now());
  manner->connections = profile().connections;
  manner_ = std::move(manner);
  if (profile().registers && !registration_) {
    registration::plan plan;
    plan.due = home().now();
    plan.expires = profile().expires;
    registration_ = caf::actor_cast<caf::strong_actor_ptr>(home().spawn<registration>(
      context_.router, manner_, target_, plan, kept_registration{}, caf::strong_actor_ptr{ctrl()}));
  }
  if (profile().options_every > lane::duration::zero()) {
    look_timer_.arm(home().now() + profile().options_every);
    ask();
  } else {
    answers_ = true; // its calls will tell
    settle({});
  }
}

void trunk::ask() {
  if (asked_ != 0) // it has not answered the last one
    return;
  asked_ = ++questions_;
  limit_timer_.arm(home().now() + answer_limit);
  home().spawn<out_of_dialog_request>(context_.router, manner_, target_, asked_, home().now(),
                                      caf::strong_actor_ptr{ctrl()});
}

void trunk::on_asked(const request_finished& finished) {
  if (finished.number != asked_ || leaving_)
    return;
  asked_ = 0;
  limit_timer_.cancel();
  // Whatever it says, it is there; but for 503 (RFC 3261 §21.5.4).
  answers_ = finished.status != 0 && finished.status != 503;
  settle(!answers_ ? finished.failure.text() : std::string{});
}

void trunk::on_registration(const registration_report& report) {
  using kind = registration_report::kind;
  registered_ = report.what == kind::registered || report.what == kind::refreshed;
  if (report.what == kind::over) {
    registration_ = nullptr;
    if (leaving_) {
      line_.set_state(false, false);
      quit();
      return;
    }
  }
  if (!leaving_)
    settle("is not registered: " + report.failure.text());
}

void trunk::settle(std::string why) {
  const bool before = line_.in_service();
  const bool now = answers_ && (registered_ || !profile().registers);
  line_.set_state(now, registered_);
  if (before == now || !watcher_)
    return;
  centre_event event;
  event.what = centre_event::kind::trunk_state;
  event.at = home().wall_now();
  event.trunk = profile().name;
  event.detail = now ? "in_service" : "out_of_service";
  event.reason = now ? std::string{} : std::move(why);
  lane::tell_from(*this, watcher_, std::move(event));
}

void trunk::leave() {
  if (std::exchange(leaving_, true))
    return;
  look_timer_.cancel();
  limit_timer_.cancel();
  if (!registration_) {
    line_.set_state(false, false);
    quit();
    return;
  }
  lane::tell(home(), registration_, hang_up{});
}

} // namespace jackfield

#include "actors/request_probe.hpp"

#include <utility>

#include <caf/behavior.hpp>

#include "actors/failure_of.hpp"
#include "actors/outgoing_call.hpp"

namespace jackfield {

request_probe::request_probe(caf::actor_config& config, lane::lane& home, sip_router& router,
                             std::shared_ptr<const call_manner> manner,
                             std::shared_ptr<const call_target> target, uint64_t number,
                             lane::time_point due, caf::strong_actor_ptr owner)
    : lane::lane_actor(config, home), manner_(std::move(manner)), target_(std::move(target)),
      owner_(std::move(owner)), wire_(router, *this), timer_(*this, 0), due_(due), number_(number) {
  // nop
}

caf::behavior request_probe::make_behavior() {
  begin();
  return {
    [this](const sip_arrival_ptr& arrival) {
      if (machine_)
        machine_->on_message(arrival->arrived(), arrival->message(), *this);
      settle();
    },
    [this](const lane::timer_fired&) {
      if (machine_)
        machine_->on_time(home().now(), *this);
      settle();
    },
    [this](const hang_up&) {
      failure_ = report::failure_cause::stopped;
      over_ = true;
      settle();
    },
    [this](const flow_lost&) {
      if (machine_)
        machine_->on_transport_failed(home().now(), *this);
      settle();
    },
    [this](flow_located& found) {
      wire_.on_located(found);
      settle();
    },
  };
}

void request_probe::on_exit() {
  timer_.cancel();
  wire_.close();
  machine_.reset();
  owner_ = nullptr;
}

void request_probe::begin() {
  if (!wire_.open(manner_->target, manner_->connections)) {
    failure_ = report::failure_cause::connect_failed;
    finish();
    return;
  }
  machine_.emplace(wire_.profile(), wire_.id());
  sip::request_options options;
  options.uri = target_->uri;
  options.from = target_->from;
  options.to = target_->to;
  options.route = target_->route;
  options.headers = target_->headers;
  options.contact = true;
  options.credentials = target_->credentials;
  options.random = home().random();
  if (!machine_->start(home().now(), options, *this)) {
    failure_ = report::failure_cause::internal;
    over_ = true;
  }
  settle();
}

void request_probe::on_event(const sip::ua_event& event) {
  if (event.kind != sip::event_kind::ended)
    return;
  over_ = true;
  status_ = event.status;
  failure_ = failure_of(event);
}

void request_probe::settle() {
  while (!over_ && machine_ && wire_.take_failure())
    machine_->on_transport_failed(home().now(), *this);
  if (over_)
    finish();
  else if (!machine_)
    return;
  else if (const auto next = machine_->next_deadline(); next == sip::never)
    timer_.cancel();
  else
    timer_.arm(next);
}

void request_probe::finish() {
  lane::tell(home(), owner_,
             probe_finished{number_, status_, failure_, home().now() - due_, wire_.counters()});
  quit();
}

} // namespace jackfield

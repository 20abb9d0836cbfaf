#include "actors/call/out_of_dialog_request.hpp"

#include <utility>

#include <caf/behavior.hpp>

#include "actors/call/failure_detail.hpp"
#include "actors/call/failure_of.hpp"
#include "actors/call/leg_messages.hpp"

namespace jackfield {

out_of_dialog_request::out_of_dialog_request(caf::actor_config& config, lane::lane& home,
                                             sip_router& router,
                                             std::shared_ptr<const call_manner> manner,
                                             std::shared_ptr<const call_target> target,
                                             uint64_t number, lane::time_point due,
                                             caf::strong_actor_ptr owner)
    : leg_actor(config, home, router), owner_(std::move(owner)), manner_(std::move(manner)),
      target_(std::move(target)), due_(due), number_(number) {
  // nop
}

caf::behavior out_of_dialog_request::make_behavior() {
  begin();
  return behavior_with([this](const hang_up&) {
    failure_ = report::failure_cause::stopped;
    over_ = true;
    settle();
  });
}

void out_of_dialog_request::begin() {
  if (const auto opened = wire_.open(manner_->servers, manner_->connections); !opened) {
    failure_ = report::failure_cause::connect_failed;
    detail_ = opened.error().cause;
    finish();
    return;
  }
  auto& machine = start_machine();
  sip::request_options options;
  options.uri = target_->uri;
  options.from = target_->from;
  options.to = target_->to;
  options.route = target_->route;
  options.headers = target_->headers;
  options.contact = true;
  options.credentials = target_->credentials;
  options.random = home().random();
  if (!machine.start(home().now(), options, *this)) {
    failure_ = report::failure_cause::internal;
    over_ = true;
  }
  settle();
}

void out_of_dialog_request::on_event(const sip::ua_event& event) {
  if (event.kind != sip::event_kind::ended)
    return;
  over_ = true;
  status_ = event.status;
  failure_ = failure_of(event, wire_.failure().get());
  if (failure_.failed())
    detail_ = failure_detail(event, wire_.failure().get());
}

void out_of_dialog_request::on_lost() {
  failure_ = report::failure_cause::internal;
  finish();
}

void out_of_dialog_request::finish() {
  finished_ = true;
  lane::tell(home(), owner_,
             request_finished{number_, status_, failure_, std::move(detail_), home().now() - due_,
                              wire_.counters(), due_, target_});
  quit();
}

} // namespace jackfield

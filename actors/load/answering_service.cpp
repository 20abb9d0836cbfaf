#include "actors/load/answering_service.hpp"

#include <algorithm>
#include <utility>
#include <vector>

#include <caf/behavior.hpp>

#include "actors/call/leg_messages.hpp"
#include "actors/load/media_metrics.hpp"

namespace jackfield {

answering_service::answering_service(caf::actor_config& config, lane::lane& home,
                                     lane_context& context,
                                     std::shared_ptr<const answer_manner> manner,
                                     std::shared_ptr<const registrar_settings> registrations,
                                     unsigned source, std::shared_ptr<registrar_shards> shards,
                                     std::shared_ptr<const trace_settings> trace)
    : lane::lane_actor(config, home), context_(context), manner_(std::move(manner)),
      registrar_(context.router, std::move(registrations), std::move(shards)),
      trace_settings_(std::move(trace)), source_(source) {
  // nop
}

caf::behavior answering_service::make_behavior() {
  context_.router.set_service(this);
  if (trace_settings_)
    trace_ = std::make_unique<call_trace>(context_.router, trace_settings_);
  return {
    [this](const served_call& served) { on_served(served); },
    [this](metrics_request) {
      take_snapshot();
      send(caf::actor_cast<caf::actor>(current_sender()),
           metrics_snapshot{source_, std::make_shared<report::run_metrics>(metrics_)});
    },
    [this](service_drain) { stop(false); },
    [this](service_stop) { stop(true); },
  };
}

void answering_service::on_exit() {
  context_.router.set_service(nullptr);
  trace_ = nullptr;
  for (const auto& [id, call] : calls_) // an error ended us: nobody would end them
    lane::tell(home(), call, hang_up{});
  calls_.clear();
}

void answering_service::stop(bool hang_up_calls) {
  stop_asked_by_ = current_sender();
  stopping_ = true;
  context_.router.set_service(nullptr);
  if (hang_up_calls) {
    // In the order in which they came: a simulated run is to be the same each time.
    std::vector<caf::strong_actor_ptr> calls;
    calls.reserve(calls_.size());
    for (const auto& [id, call] : calls_)
      calls.push_back(call);
    std::sort(calls.begin(), calls.end(),
              [](const auto& a, const auto& b) { return a->id() < b->id(); });
    for (const auto& call : calls)
      lane::tell(home(), call, hang_up{});
  }
  if (calls_.empty())
    finish();
}

void answering_service::finish() {
  take_snapshot();
  if (trace_)
    trace_->finish();
  if (stop_asked_by_)
    send(caf::actor_cast<caf::actor>(stop_asked_by_),
         service_stopped{source_, std::make_shared<report::run_metrics>(metrics_)});
  stop_asked_by_ = nullptr;
  quit();
}

void answering_service::on_invite(const sip_arrival_ptr& invite, uint64_t transaction) {
  metrics_.calls.offer();
  metrics_.calls.start();
  auto script =
    std::make_unique<answer_script>(context_.media, manner_, caf::strong_actor_ptr{ctrl()});
  auto call = caf::actor_cast<caf::strong_actor_ptr>(home().spawn<call_leg>(
    context_.router, std::move(script), invite, transaction, manner_->connections));
  if (trace_)
    trace_->adopt(invite->message().call_id(), call->id());
  calls_.emplace(call->id(), std::move(call));
}

void answering_service::on_request(const sip_arrival_ptr& request) {
  switch (request->message().request_method()) {
  case sip::method::register_:
    registrar_.on_register(*request);
    break;
  case sip::method::options:
    context_.router.answer(*request, 200, "Accept: application/sdp\r\n");
    break;
  default:
    context_.router.answer(*request, 405,
                           "Allow: " + sip::allowed_out_of_dialog.to_string() + "\r\n");
  }
}

void answering_service::on_served(const served_call& served) {
  calls_.erase(served.call);
  if (served.answered)
    metrics_.calls.answer();
  if (served.failure.failed())
    metrics_.calls.fail(served.failure);
  else
    metrics_.calls.complete();
  if (trace_)
    trace_->on_call_over(served.call, served.failure.failed() ? served.failure.name() : "");
  metrics_.retransmissions += served.wire.retransmissions;
  if (served.media) {
    add_received(metrics_.media.received, *served.media);
    add_refused(metrics_.media, *served.media);
    add_phases(metrics_.times, *served.media);
    metrics_.media.dtmf_sent += served.media->digits_sent;
    metrics_.media.dtmf_received += served.media->digits_received.size();
  }
  if (stopping_ && calls_.empty())
    finish();
}

void answering_service::take_snapshot() {
  take_health(metrics_, home(), context_.media);
  metrics_.health.socket_drops += context_.router.peers().drops();
  const auto& router = context_.router.counters();
  metrics_.malformed = router.malformed;
  metrics_.unexpected = router.unexpected;
  metrics_.retransmissions_received = router.retransmissions_received;
  metrics_.registrations.current = registrar_.bindings(home().now());
}

} // namespace jackfield

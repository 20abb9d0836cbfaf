#include "actors/live/live_callers.hpp"

#include <charconv>
#include <utility>
#include <vector>

#include <caf/behavior.hpp>
#include <fmt/format.h>

#include "actors/call/leg_messages.hpp"
#include "engine/sip/uri.hpp"

namespace jackfield {

namespace {

constexpr uint64_t first_caller_id = 9'000'000'000;
constexpr size_t caller_id_digits = 10;
/// Nobody talks for longer: the caller is told when to hang up.
constexpr std::chrono::hours longest_call{24 * 365};

std::string host_in(std::string_view from) {
  const auto uri = sip::uri::parse(from);
  return uri ? std::string{uri->host()} : "invalid";
}

} // namespace

std::string caller_id_of(uint64_t ticket) {
  return std::to_string(first_caller_id + ticket % 1'000'000'000);
}

uint64_t ticket_of(std::string_view caller_id) noexcept {
  if (caller_id.size() < caller_id_digits)
    return 0;
  const auto digits = caller_id.substr(caller_id.size() - caller_id_digits);
  uint64_t number = 0;
  const auto* const end = digits.data() + digits.size();
  const auto read = std::from_chars(digits.data(), end, number);
  return read.ec == std::errc{} && read.ptr == end && number > first_caller_id
           ? number - first_caller_id
           : 0;
}

live_callers::live_callers(caf::actor_config& config, lane::lane& home, lane_context& context,
                           std::shared_ptr<const call_manner> manner,
                           std::shared_ptr<const call_target> who, unsigned source,
                           caf::strong_actor_ptr listener)
    : lane::lane_actor(config, home), context_(context), manner_(std::move(manner)),
      who_(std::move(who)), domain_(host_in(who_->from_uri())), listener_(std::move(listener)),
      source_(source) {
  // nop
}

caf::behavior live_callers::make_behavior() {
  return {
    [this](const place_caller& wanted) { place(wanted); },
    [this](const hang_up_caller& wanted) {
      if (const auto found = callers_.find(wanted.ticket); found != callers_.end())
        hang_up(found->second);
    },
    [this](const call_answered& call) {
      metrics_.on_answered(call);
      if (listener_)
        lane::tell_from(*this, listener_, caller_answered{call.number});
    },
    [this](const call_finished& call) { on_finished(call); },
    [this](callers_go) {
      stop_asked_by_ = current_sender();
      go();
    },
  };
}

void live_callers::on_exit() {
  for (auto& [ticket, who] : callers_) // an error ended us: nobody would end them
    hang_up(who);
  callers_.clear();
  listener_ = stop_asked_by_ = nullptr;
}

void live_callers::place(const place_caller& wanted) {
  if (going_ || callers_.contains(wanted.ticket))
    return;
  metrics_.measured.calls.offer();
  metrics_.measured.calls.start();
  metrics_.measured.health.start_lateness.record(home().now() - wanted.due);
  auto target = std::make_shared<call_target>(*who_);
  target->from = fmt::format("<sip:{}@{}>", caller_id_of(wanted.ticket), domain_);
  auto script =
    std::make_unique<load_script>(context_.media, manner_, std::move(target),
                                  load_script::plan{wanted.ticket, wanted.due, longest_call},
                                  kept_call{}, caf::strong_actor_ptr{ctrl()});
  callers_.emplace(wanted.ticket,
                   caller{caf::actor_cast<caf::strong_actor_ptr>(
                            home().spawn<call_leg>(context_.router, std::move(script))),
                          false});
}

void live_callers::hang_up(caller& who) {
  if (!std::exchange(who.hung_up, true))
    lane::tell(home(), who.leg, jackfield::hang_up{});
}

void live_callers::on_finished(call_finished call) {
  const auto found = callers_.find(call.number);
  if (found == callers_.end())
    return;
  const bool answered = call.times.answered.has_value();
  constexpr report::failure_cause stopped{report::failure_cause::stopped};
  constexpr report::failure_cause cancelled{report::failure_cause::cancelled};
  if (found->second.hung_up && (call.failure == stopped || call.failure == cancelled))
    call.failure = report::failure_cause::none;
  callers_.erase(found);
  if (answered || call.failure.failed())
    metrics_.on_finished(call);
  else
    metrics_.measured.calls.leave_unanswered();
  if (listener_)
    lane::tell_from(*this, listener_, caller_gone{call.number, answered});
  if (going_ && callers_.empty())
    finish();
}

void live_callers::go() {
  going_ = true;
  for (auto& [ticket, who] : callers_)
    hang_up(who);
  if (callers_.empty())
    finish();
}

void live_callers::finish() {
  metrics_.take_lane(context_);
  if (stop_asked_by_)
    send(caf::actor_cast<caf::actor>(std::exchange(stop_asked_by_, nullptr)),
         service_stopped{source_, std::make_shared<report::run_metrics>(metrics_.measured)});
  quit();
}

} // namespace jackfield

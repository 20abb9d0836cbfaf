#include "engine/sip/leg.hpp"

#include "engine/sip/request_text.hpp"

namespace jackfield::sip {
namespace {

/// A variant of two that always has a value: `std::visit` without the exception.
template <class Machines, class F>
decltype(auto) either(Machines& machines, F&& f) {
  if (auto* calling = std::get_if<0>(&machines))
    return f(*calling);
  return f(*std::get_if<1>(&machines));
}

} // namespace

leg::leg(const ua_profile& profile, const leg_id& id)
    : profile_(&profile), machine_(std::in_place_type<invite_client>, profile, id) {}

const leg_core& leg::core() const noexcept {
  return either(machine_, [](const leg_core& l) -> const leg_core& { return l; });
}

leg_core& leg::core() noexcept {
  return either(machine_, [](leg_core& l) -> leg_core& { return l; });
}

bool leg::become_called() {
  if (current() != phase::idle)
    return false;
  if (is_caller())
    machine_.emplace<invite_server>(*profile_, leg_id(id()));
  return true;
}

// -- how it begins --------------------------------------------------------------------------

result<void> leg::prepare(const call_options& options) {
  auto* l = calling();
  return l ? l->prepare(options) : fail("call", "is one that was received");
}

result<void> leg::send(time_point now, ua_sink& sink) {
  auto* l = calling();
  return l ? l->send(now, sink) : fail("call", "is one that was received");
}

void leg::start(time_point now, const message& invite, uint64_t transaction,
                const answer_options& options, ua_sink& sink) {
  if (become_called())
    called()->start(now, invite, transaction, options, sink);
}

result<void> leg::adopt(const dialog_record& record, std::span<const credential> credentials,
                        uint32_t skip) {
  if (current() != phase::idle)
    return fail("call", "was started before");
  if (record.is_caller)
    return core().adopt(record, credentials, skip);
  invite_server taken_up(*profile_, id());
  auto done = taken_up.adopt(record, credentials, skip);
  if (done)
    machine_ = std::move(taken_up);
  return done;
}

result<void> leg::take_back(time_point now, const attempt_record& record, ua_sink& sink,
                            std::span<const credential> credentials) {
  auto* l = calling();
  return l ? l->take_back(now, record, sink, credentials) : fail("call", "was started before");
}

// -- input ----------------------------------------------------------------------------------

void leg::on_message(time_point now, const message& m, ua_sink& sink) {
  either(machine_, [&](auto& l) { l.on_message(now, m, sink); });
}

void leg::on_time(time_point now, ua_sink& sink) {
  either(machine_, [&](auto& l) { l.on_time(now, sink); });
}

void leg::on_transport_failed(time_point now, ua_sink& sink) {
  either(machine_, [&](auto& l) { l.on_transport_failed(now, sink); });
}

void leg::on_connection_lost(time_point now, ua_sink& sink) {
  const auto now_is = current();
  // Answered, but its ACK has not come: that is a request of its own, which may come any way.
  const bool answered =
    now_is == phase::answered || now_is == phase::established || now_is == phase::ending;
  if (!answered || !core().outlive_connection(now, sink))
    on_transport_failed(now, sink);
}

time_point leg::next_deadline() const noexcept {
  return either(machine_, [](const auto& l) { return l.next_deadline(); });
}

// -- commands -------------------------------------------------------------------------------

void leg::hang_up(time_point now, ua_sink& sink, std::string_view headers) {
  either(machine_, [&](auto& l) { l.hang_up(now, sink, headers); });
}

bool leg::progress(time_point now, int status, ua_sink& sink, std::string_view body,
                   std::string_view content_type, std::string_view headers) {
  auto* l = called();
  return l != nullptr && l->progress(now, status, sink, body, content_type, headers);
}

bool leg::answer(time_point now, std::string_view body, ua_sink& sink,
                 std::string_view content_type, std::string_view headers) {
  auto* l = called();
  return l != nullptr && l->answer(now, body, sink, content_type, headers);
}

bool leg::reject(time_point now, int status, ua_sink& sink, std::string_view headers) {
  auto* l = called();
  return l != nullptr && l->reject(now, status, sink, headers);
}

uint32_t leg::send_request(time_point now, method what, std::string_view body, ua_sink& sink,
                           std::string_view content_type, std::string_view headers, unsigned fork) {
  if (auto* l = calling())
    return l->send_request(now, what, body, sink, content_type, headers, fork);
  return core().send_request(now, what, body, sink, content_type, headers);
}

bool leg::answer_request(time_point now, uint32_t number, int status, ua_sink& sink,
                         std::string_view headers, std::string_view body,
                         std::string_view content_type) {
  return either(machine_, [&](auto& l) {
    return l.answer_request(now, number, status, sink, headers, body, content_type);
  });
}

bool leg::defer_request(time_point now, uint32_t number, ua_sink& sink) {
  return either(machine_, [&](auto& l) { return l.defer_request(now, number, sink); });
}

bool leg::acknowledge(time_point now, std::string_view body, ua_sink& sink,
                      std::string_view content_type, unsigned fork) {
  if (auto* l = calling())
    return l->acknowledge(now, body, sink, content_type, fork);
  return core().acknowledge(now, body, sink, content_type);
}

bool leg::answer_offer(time_point now, std::string_view body, ua_sink& sink,
                       std::string_view content_type, std::string_view headers, unsigned fork) {
  if (auto* l = calling())
    return l->answer_offer(now, body, sink, content_type, headers, fork);
  return core().answer_offer(now, body, sink, content_type, headers);
}

bool leg::refuse_offer(time_point now, int status, ua_sink& sink, unsigned fork) {
  if (auto* l = calling())
    return l->refuse_offer(now, status, sink, fork);
  return core().refuse_offer(now, status, sink);
}

void leg::leave(time_point now, linger_table& table) {
  either(machine_, [&](auto& l) { l.leave(now, table); });
}

// -- what it is -----------------------------------------------------------------------------

leg_phase leg::current() const noexcept {
  return either(machine_, [](const auto& l) { return l.current(); });
}

std::string leg::call_id() const {
  if (established().valid())
    return std::string(established().call_id());
  return current() == phase::idle ? std::string{} : std::string(view(id().text()));
}

std::string leg::local_tag() const {
  return current() == phase::idle ? std::string{} : std::string(view(id().text()));
}

std::string leg::invite_branch() const {
  auto* calling = std::get_if<invite_client>(&machine_);
  return calling ? calling->invite_branch() : std::string{};
}

std::optional<attempt_record> leg::attempt() const {
  auto* calling = std::get_if<invite_client>(&machine_);
  return calling ? calling->attempt() : std::nullopt;
}

size_t leg::heap_bytes() const noexcept {
  return either(machine_, [](const auto& l) { return l.heap_bytes(); });
}

} // namespace jackfield::sip

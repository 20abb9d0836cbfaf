#include "actors/call/failure_of.hpp"

#include <string_view>
#include <utility>

namespace jackfield {

namespace {

report::failure_cause failure_of(const transport::flow_end& way) noexcept {
  using report::failure_cause;
  switch (way.during) {
  case transport::flow_end::stage::lookup:
    return failure_cause::resolve_failed;
  case transport::flow_end::stage::connecting:
  case transport::flow_end::stage::websocket:
    return failure_cause::connect_failed;
  case transport::flow_end::stage::tls:
    return failure_cause::tls_failed;
  case transport::flow_end::stage::up:
    break;
  }
  return failure_cause::transport_error;
}

} // namespace

report::failure_cause failure_of(const sip::ua_event& event,
                                 const transport::flow_end* way) noexcept {
  using report::failure_cause;
  using sip::end_cause;
  switch (event.cause) {
  case end_cause::timeout_b:
    return failure_cause::timeout;
  case end_cause::timeout_f:
    return event.what == sip::method::bye ? failure_cause::bye_timeout : failure_cause::timeout;
  case end_cause::timeout_c:
    return failure_cause::ring_timeout;
  case end_cause::no_ack:
  case end_cause::no_ack_to_failure:
    return failure_cause::no_ack;
  case end_cause::dialog_lost:
    return failure_cause::dialog_gone;
  case end_cause::transport_failed:
    return way != nullptr ? failure_of(*way) : failure_cause{failure_cause::transport_error};
  case end_cause::expired:
    return failure_cause::lapsed;
  case end_cause::protocol_error:
    return failure_cause::bad_answer;
  case end_cause::auth_failed:
    return failure_cause::auth_failed;
  case end_cause::cancelled:
  case end_cause::cancelled_but_answered:
    return failure_cause::stopped;
  case end_cause::local_bye: // the peer may have refused it: then it had lost the call before
    if (event.status == 408 || event.status == 481)
      return failure_cause::dialog_gone;
    if (event.status == 401 || event.status == 407)
      return failure_cause::auth_failed;
    return event.status >= 300 ? failure_cause::from_status(event.status)
                               : failure_cause{failure_cause::none};
  case end_cause::remote_bye:
  case end_cause::none:
  case end_cause::succeeded:
    return failure_cause::none;
  default:
    return event.status >= 300 ? failure_cause::from_status(event.status)
                               : failure_cause{failure_cause::internal};
  }
}

report::failure_cause failure_of(const error& media) noexcept {
  using report::failure_cause;
  static constexpr std::pair<std::string_view, failure_cause::own> places[] = {
    {"ice gathering", failure_cause::ice_gathering},    {"ice checks", failure_cause::ice_checks},
    {"ice consent", failure_cause::ice_consent},        {"dtls", failure_cause::dtls_failed},
    {"dtls fingerprint", failure_cause::dtls_identity}, {"media stream", failure_cause::internal}};
  for (const auto& [place, cause] : places)
    if (media.place == place)
      return cause;
  return failure_cause::media_setup;
}

} // namespace jackfield

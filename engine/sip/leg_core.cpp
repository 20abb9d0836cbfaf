#include "engine/sip/leg_core.hpp"

#include <utility>

namespace jackfield::sip {

uint32_t leg_core::send_request(time_point now, method what, std::string_view body, ua_sink& sink,
                                std::string_view content_type, std::string_view headers) {
  if ((!confirmed_ && !early_requests_) || over_ || !is_safe_header_lines(headers) ||
      !is_safe_value(content_type))
    return 0;
  return session_.send_request(context(now, sink), what, headers, body, content_type);
}

bool leg_core::answer_request(time_point now, uint32_t number, int status, ua_sink& sink,
                              std::string_view headers, std::string_view body,
                              std::string_view content_type) {
  return session_.valid() && is_safe_header_lines(headers) && is_safe_value(content_type) &&
         session_.answer_request(context(now, sink), number, status, headers, body, content_type);
}

bool leg_core::defer_request(time_point now, uint32_t number, ua_sink& sink) {
  return session_.valid() && session_.defer_request(context(now, sink), number);
}

bool leg_core::acknowledge(time_point now, std::string_view body, ua_sink& sink,
                           std::string_view content_type) {
  return session_.valid() && is_safe_value(content_type) &&
         session_.acknowledge(context(now, sink), body, content_type);
}

bool leg_core::answer_offer(time_point now, std::string_view body, ua_sink& sink,
                            std::string_view content_type, std::string_view headers) {
  return session_.valid() && is_safe_header_lines(headers) && is_safe_value(content_type) &&
         session_.answer_offer(context(now, sink), headers, body, content_type);
}

bool leg_core::refuse_offer(time_point now, int status, ua_sink& sink) {
  return session_.valid() && session_.refuse_offer(context(now, sink), status);
}

bool leg_core::outlive_connection(time_point now, ua_sink& sink) {
  return session_.valid() && !over_ && session_.outlive_connection(context(now, sink));
}

dialog_record leg_core::record() const {
  return session_.record();
}

result<void> leg_core::adopt(const dialog_record& record, std::span<const credential> credentials,
                             uint32_t skip) {
  if (session_.valid() || over_)
    return fail("call", "was started before");
  auto kept = session::restore(id_, record, skip);
  if (!kept)
    return tl::unexpected(kept.error());
  session_ = std::move(*kept);
  credentials_ = credentials;
  confirmed_ = true;
  return {};
}

} // namespace jackfield::sip

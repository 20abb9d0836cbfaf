#include <algorithm>
#include <optional>
#include <utility>

#include "engine/sip/fields.hpp"
#include "engine/sip/invite_server.hpp"
#include "engine/sip/invite_server_setup.hpp"
#include "engine/sip/request_text.hpp"
#include "engine/sip/session_body.hpp"
#include "engine/sip/text.hpp"

// Reliable provisional responses of a call that we receive (RFC 3262).

namespace jackfield::sip {

/// Responses that may wait for a PRACK.
constexpr size_t max_held = 8;

namespace {

struct rack {
  uint32_t rseq = 0;
  uint32_t cseq = 0;
  std::string_view method_name;
};

/// RFC 3262 §7.2: "776656 1 INVITE".
[[nodiscard]] std::optional<rack> parse_rack(std::string_view value) {
  auto word = [&value] {
    value = trim(value);
    auto end = std::find_if(value.begin(), value.end(), [](char c) { return is(c, space_char); });
    auto size = static_cast<size_t>(end - value.begin());
    auto found = value.substr(0, size);
    value.remove_prefix(size);
    return found;
  };
  auto rseq = parse_uint(word(), UINT32_MAX);
  auto cseq = parse_uint(word(), UINT32_MAX);
  if (!rseq || !cseq)
    return {};
  return rack{static_cast<uint32_t>(*rseq), static_cast<uint32_t>(*cseq), trim(value)};
}

} // namespace

void invite_server::respond_reliably(time_point now, int status, std::string_view headers,
                                     std::string_view body, std::string_view content_type,
                                     ua_sink& sink) {
  auto& s = *setup_;
  if (!s.reliable) {
    s.reliable = std::make_unique<provisionals>();
    s.reliable->rseq = static_cast<uint32_t>(id_.nonce >> 16 & 0x3fff'ffff);
  }
  auto& r = *s.reliable;
  ++r.rseq;
  r.awaited = true;
  r.described = !body.empty();
  r.interval = profile_->timers.t1;
  r.resend_at = now + r.interval;
  r.limit_at = now + profile_->timers.transaction_limit();
  std::string lines = "Require: 100rel\r\nRSeq: ";
  append_number(lines, r.rseq);
  append(lines, "\r\n", headers);
  respond(now, status, true, lines, body, content_type, sink);
}

bool invite_server::hold(int status, std::string_view headers, std::string_view body,
                         std::string_view content_type) {
  auto& r = *setup_->reliable;
  if (r.holds_answer() || (status < 200 && r.next.size() >= max_held))
    return false;
  r.next.push_back({status, std::string(headers), std::string(body), std::string(content_type)});
  return true;
}

void invite_server::send_held(time_point now, ua_sink& sink) {
  if (!setup_ || !setup_->transaction.awaits_final() || setup_->reliable->awaited ||
      setup_->reliable->next.empty())
    return;
  auto next = std::move(setup_->reliable->next.front());
  setup_->reliable->next.pop_front();
  if (next.status < 200)
    respond_reliably(now, next.status, next.headers, next.body, next.content_type, sink);
  else
    respond(now, next.status, true, next.headers, next.body, next.content_type, sink);
}

void invite_server::on_prack(time_point now, const message& m, ua_sink& sink) {
  if (!session_.take_prack(context(now, sink), m))
    return;
  auto& s = *setup_;
  auto* r = s.reliable.get();
  auto which = parse_rack(m.first(header::rack));
  if (r == nullptr || !which || which->cseq != invite_cseq_ || which->method_name != "INVITE" ||
      which->rseq > r->rseq) {
    reply(m, 481, sink);
    return;
  }
  if (which->rseq < r->rseq || !r->awaited) { // again
    reply(m, 200, sink);
    return;
  }
  r->settle();
  early_requests_ = true;
  auto answers_us = !s.has_offer && r->described && !r->offered;
  if (r->described) {
    r->offered = true;
    session_.allow_offers();
  }
  // A further offer in the PRACK is not taken, which does not undo the acknowledgement.
  const auto described = session_body_of(m);
  reply(m, described.text.empty() || answers_us ? 200 : 488, sink);
  if (answers_us)
    sink.on_event({.kind = event_kind::request,
                   .status = 200,
                   .what = method::prack,
                   .body = described.text,
                   .content_type = described.content_type,
                   .source = &m});
  send_held(now, sink);
}

} // namespace jackfield::sip

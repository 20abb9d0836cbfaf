#include "engine/sip/invite_server.hpp"

#include <algorithm>
#include <deque>
#include <optional>
#include <utility>

#include "engine/sip/fields.hpp"
#include "engine/sip/linger_table.hpp"
#include "engine/sip/request_text.hpp"
#include "engine/sip/response_text.hpp"
#include "engine/sip/text.hpp"

namespace jackfield::sip {

/// RFC 3261 §17.2.1: 100 is sent if the user sends nothing within this time.
constexpr auto trying_delay = std::chrono::milliseconds{200};

/// Responses that may wait for a PRACK.
constexpr size_t max_held = 8;

namespace {

[[nodiscard]] bool names(const message& m, header where, std::string_view option) {
  auto found = false;
  if (m.has(where))
    m.each_value(where, [&](std::string_view tag) { return !(found = iequals(tag, option)); });
  return found;
}

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

/// Provisional responses that the caller has to acknowledge (RFC 3262 §3), one after the other.
struct invite_server::provisionals {
  struct held {
    int status;
    std::string headers, body, content_type;
  };

  uint32_t rseq;          // of the one sent last
  bool awaited = false;   // its PRACK has not come
  bool described = false; // it had a body
  bool offered = false;   // one with our offer was acknowledged, or is awaited
  duration interval{};
  time_point resend_at = never;
  time_point limit_at = never;
  std::deque<held> next;

  void settle() noexcept {
    awaited = false;
    resend_at = limit_at = never;
  }
  [[nodiscard]] bool holds_answer() const noexcept {
    return !next.empty() && next.back().status >= 200;
  }
};

/// What is needed until the ACK has come.
struct invite_server::setup {
  server_transaction transaction;
  response_head head;
  std::string branch;
  std::string contact;
  std::string text; // the last response; empty if it need not be sent again
  std::string bye_headers;
  time_point trying_at = never;
  int status = 0;
  end_cause why = end_cause::refused; // of a final failure
  bool has_offer = false;
  bool hang_up = false; // wanted, waits for the ACK
  bool reliably = false;
  std::unique_ptr<provisionals> reliable; // once there was one
};

invite_server::invite_server(const ua_profile& profile, const leg_id& id) : leg_core(profile, id) {}
invite_server::~invite_server() = default;
invite_server::invite_server(invite_server&&) noexcept = default;
invite_server& invite_server::operator=(invite_server&&) noexcept = default;

void invite_server::start(time_point now, const message& invite, uint64_t transaction,
                          const answer_options& options, ua_sink& sink) {
  if (setup_ || over_ || session_.valid() || !invite.is_request() ||
      invite.request_method() != method::invite)
    return;
  auto tag = id_.text();
  transaction_key_ = transaction;
  invite_cseq_ = invite.cseq_number();
  absorb_until_ = now + profile_->timers.transaction_limit();
  credentials_ = options.credentials;
  setup_.reset(new setup);
  auto& s = *setup_;
  s.transaction.start(now, true);
  s.head = make_response_head(invite, view(tag), sink.source());
  s.branch = invite.via().branch;
  if (is_safe_value(options.contact))
    s.contact = options.contact;
  s.has_offer = !invite.body().empty();
  s.reliably = names(invite, header::require, "100rel") ||
               (options.reliable_provisionals && names(invite, header::supported, "100rel"));
  s.trying_at = now + trying_delay;
  session_ = session(dialog::from_request(id_, invite), false, s.contact);
  if (!session_.valid()) { // its texts are beyond all bounds
    s.why = end_cause::protocol_error;
    respond(now, 513, false, {}, {}, {}, sink);
    return;
  }
  session_.begin_early(s.has_offer ? 500 : 491);
  if (options.trying_at_once)
    respond(now, 100, false, {}, {}, {}, sink);
  sink.on_event({.kind = event_kind::incoming,
                 .what = method::invite,
                 .body = invite.body(),
                 .content_type = invite.first(header::content_type),
                 .source = &invite});
}

bool invite_server::respond(time_point now, int status, bool dialog_forming,
                            std::string_view headers, std::string_view body,
                            std::string_view content_type, ua_sink& sink) {
  if (!setup_ || !setup_->transaction.awaits_final())
    return false;
  auto& s = *setup_;
  s.trying_at = never;
  s.status = status;
  auto good = status >= 200 && status < 300;
  if (status >= 200) {
    if (s.reliable) {
      s.reliable->settle();
      s.reliable->next.clear();
    }
    early_requests_ = early_requests_ && good;
    if (session_.offer_refusal() != 0)
      session_.begin_early(491); // until the ACK
  }
  // A 2xx and what waits for a PRACK is sent again on any transport; others only where the
  // transport may lose them.
  auto keep = good || !profile_->reliable || (s.reliable && s.reliable->awaited);
  auto& text = keep ? s.text : scratch_text();
  text.clear();
  text.reserve(s.head.fields.size() + s.head.record_route.size() + body.size() + 384);
  auto contact = s.contact.empty() ? std::string_view(profile_->contact) : s.contact;
  append_response(text, *profile_, s.head,
                  {.status = status,
                   .contact = dialog_forming ? contact : std::string_view{},
                   .record_route = dialog_forming,
                   .capabilities = good,
                   .headers = headers,
                   .body = body,
                   .content_type = content_type});
  s.transaction.respond(now, status, profile_->reliable, profile_->timers);
  sink.send({text,
             status < 200 ? send_rank::provisional : send_rank::invite_final,
             send_to::invite_source,
             {},
             method::invite,
             status,
             false});
  return true;
}

bool invite_server::progress(time_point now, int status, ua_sink& sink, std::string_view body,
                             std::string_view content_type, std::string_view headers) {
  if (status <= 100 || status >= 200 || !is_safe_header_lines(headers) ||
      !is_safe_value(content_type) || !setup_ || !setup_->transaction.awaits_final())
    return false;
  if (!setup_->reliably)
    return respond(now, status, true, headers, body, content_type, sink);
  auto& r = setup_->reliable;
  if (r && (r->awaited || !r->next.empty()))
    return hold(status, headers, body, content_type);
  respond_reliably(now, status, headers, body, content_type, sink);
  return true;
}

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
  reply(m, m.body().empty() || answers_us ? 200 : 488, sink);
  if (answers_us)
    sink.on_event({.kind = event_kind::request,
                   .status = 200,
                   .what = method::prack,
                   .body = m.body(),
                   .content_type = m.first(header::content_type),
                   .source = &m});
  send_held(now, sink);
}

bool invite_server::answer(time_point now, std::string_view body, ua_sink& sink,
                           std::string_view content_type, std::string_view headers) {
  if (!is_safe_header_lines(headers) || !is_safe_value(content_type) || !setup_ ||
      !setup_->transaction.awaits_final())
    return false;
  auto& r = setup_->reliable;
  if (r && (r->awaited || !r->next.empty()))
    return hold(200, headers, body, content_type);
  return respond(now, 200, true, headers, body, content_type, sink);
}

bool invite_server::reject(time_point now, int status, ua_sink& sink, std::string_view headers) {
  return status >= 300 && status <= 699 && is_safe_header_lines(headers) &&
         respond(now, status, false, headers, {}, {}, sink);
}

void invite_server::hang_up(time_point now, ua_sink& sink, std::string_view headers) {
  if (!is_safe_header_lines(headers))
    headers = {};
  if (setup_) {
    if (setup_->transaction.awaits_final()) {
      reject(now, 480, sink, headers);
    } else if (setup_->transaction.state() == transaction_state::accepted && !setup_->hang_up) {
      setup_->hang_up = true;
      setup_->bye_headers = headers;
    }
    return;
  }
  if (session_.valid() && !over_)
    session_.hang_up(context(now, sink), end_cause::local_bye, headers);
}

// -- messages -----------------------------------------------------------------------------

void invite_server::reply(const message& m, int status, ua_sink& sink, std::string_view headers) {
  auto tag = id_.text();
  auto head = make_response_head(m, view(tag), sink.source());
  auto& text = scratch_text();
  append_response(text, *profile_, head, {.status = status, .headers = headers});
  sink.send(
    {text, send_rank::response, send_to::request_source, {}, m.request_method(), status, false});
}

void invite_server::on_message(time_point now, const message& m, ua_sink& sink) {
  if (m.is_response()) {
    auto branch = branch_id::parse(m.via().branch);
    if (session_.valid() && !over_ && branch && branch->leg == id_ &&
        m.from_tag() == session_.state().local_tag() && m.call_id() == session_.state().call_id())
      session_.on_response(context(now, sink), m, branch->counter);
    return;
  }
  auto what = m.request_method();
  if (m.to_tag().empty()) { // matched by its transaction
    if (what == method::cancel)
      on_cancel(now, m, sink);
    else if (what == method::invite && setup_ && setup_->branch == m.via().branch &&
             setup_->transaction.on_request(now).send && !setup_->text.empty())
      sink.send({setup_->text,
                 setup_->status < 200 ? send_rank::provisional : send_rank::invite_final,
                 send_to::invite_source,
                 {},
                 method::invite,
                 setup_->status,
                 true});
    return;
  }
  if (what == method::prack && setup_ && session_.state().matches(m)) {
    on_prack(now, m, sink);
    return;
  }
  if (what == method::ack && setup_ && m.cseq_number() == invite_cseq_ &&
      session_.state().matches(m)) {
    on_first_ack(now, m, sink);
    return;
  }
  if (setup_ || over_ || !session_.valid()) {
    on_early_request(now, m, sink);
    return;
  }
  if (what == method::ack && m.cseq_number() == invite_cseq_)
    return; // again
  session_.on_request(context(now, sink), m);
}

void invite_server::on_first_ack(time_point now, const message& m, ua_sink& sink) {
  auto& s = *setup_;
  if (!s.transaction.awaits_ack())
    return;
  auto step = s.transaction.on_ack(now, profile_->reliable, profile_->timers);
  if (!step.deliver) { // of a failure
    end(s.why, s.status, &m, sink);
    return;
  }
  auto hang_up = s.hang_up;
  auto headers = std::move(s.bye_headers);
  auto we_offered = !s.has_offer;
  confirm();
  if (hang_up) {
    session_.hang_up(context(now, sink), end_cause::local_bye, headers);
    return;
  }
  sink.on_event({.kind = event_kind::acknowledged,
                 .what = method::ack,
                 .body = we_offered ? m.body() : std::string_view{},
                 .content_type = m.first(header::content_type),
                 .source = &m});
}

void invite_server::on_cancel(time_point now, const message& m, ua_sink& sink) {
  if (setup_ && setup_->branch != m.via().branch) {
    reply(m, 481, sink);
    return;
  }
  reply(m, 200, sink); // with the To tag of the INVITE's responses (§9.2)
  if (!setup_ || !setup_->transaction.awaits_final())
    return;
  setup_->why = end_cause::cancelled;
  respond(now, 487, false, {}, {}, {}, sink);
}

/// Before the ACK; or when all is over.
void invite_server::on_early_request(time_point now, const message& m, ua_sink& sink) {
  auto what = m.request_method();
  if (what == method::ack)
    return;
  if (over_ || !setup_ || !session_.state().matches(m)) {
    reply(m, 481, sink);
    return;
  }
  auto& s = *setup_;
  auto refused = s.transaction.state() == transaction_state::completed ||
                 s.transaction.state() == transaction_state::confirmed;
  if (what == method::cancel) {
    on_cancel(now, m, sink);
  } else if (what == method::bye && s.transaction.awaits_final()) {
    // The caller may hang up an early dialog (§15).
    reply(m, 200, sink);
    s.why = end_cause::cancelled;
    respond(now, 487, false, {}, {}, {}, sink);
  } else if (refused) {
    reply(m, 481, sink);
  } else if (what == method::bye) {
    // The ACK was lost, or is behind the BYE.
    confirm();
    session_.on_request(context(now, sink), m);
  } else if (what == method::invite) {
    reply(m, s.transaction.awaits_final() ? 500 : 491, sink,
          s.transaction.awaits_final() ? "Retry-After: 2\r\n" : "");
  } else {
    session_.on_request(context(now, sink), m);
  }
}

void invite_server::confirm() noexcept {
  setup_.reset();
  session_.confirm();
  confirmed_ = true;
}

void invite_server::end(end_cause cause, int status, const message* source, ua_sink& sink) {
  setup_.reset();
  over_ = true;
  sink.on_event({.kind = event_kind::ended,
                 .cause = cause,
                 .status = status,
                 .what = method::invite,
                 .source = source});
}

// -- time ---------------------------------------------------------------------------------

void invite_server::on_time(time_point now, ua_sink& sink) {
  if (over_)
    return;
  if (setup_) {
    auto& s = *setup_;
    if (now >= s.trying_at) {
      respond(now, 100, false, {}, {}, {}, sink);
      return;
    }
    if (s.reliable && now >= s.reliable->limit_at) { // RFC 3262 §3
      s.why = end_cause::protocol_error;
      respond(now, 500, false, {}, {}, {}, sink);
    } else if (s.reliable && now >= s.reliable->resend_at) {
      auto& r = *s.reliable;
      r.interval *= 2;
      r.resend_at = now + r.interval;
      sink.send({s.text,
                 send_rank::provisional,
                 send_to::invite_source,
                 {},
                 method::invite,
                 s.status,
                 true});
    }
    auto accepted = s.transaction.state() == transaction_state::accepted;
    auto step = s.transaction.on_time(now, profile_->reliable, profile_->timers);
    if (step.send) {
      sink.send({s.text,
                 send_rank::invite_final,
                 send_to::invite_source,
                 {},
                 method::invite,
                 s.status,
                 true});
    } else if (step.timed_out && accepted) { // §13.3.1.4
      confirm();
      session_.hang_up(context(now, sink), end_cause::no_ack, {});
      return;
    } else if (step.timed_out) {
      end(end_cause::no_ack_to_failure, s.status, nullptr, sink);
      return;
    }
  }
  if (session_.valid())
    session_.on_time(context(now, sink));
}

time_point invite_server::next_deadline() const noexcept {
  auto at = session_.valid() && !over_ ? session_.next_deadline() : never;
  if (setup_)
    at = std::min({at, setup_->trying_at, setup_->transaction.next_deadline()});
  if (setup_ && setup_->reliable)
    at = std::min({at, setup_->reliable->resend_at, setup_->reliable->limit_at});
  return at;
}

void invite_server::on_transport_failed(time_point now, ua_sink& sink) {
  if (over_ || session_.over())
    return;
  if (setup_ && setup_->transaction.state() != transaction_state::accepted) {
    end(setup_->why == end_cause::cancelled ? end_cause::cancelled : end_cause::transport_failed,
        setup_->status, nullptr, sink);
    return;
  }
  if (!session_.valid())
    return;
  confirm();
  session_.end(context(now, sink), end_cause::transport_failed, 0, nullptr);
}

leg_phase invite_server::current() const noexcept {
  if (over_ || session_.over())
    return phase::over;
  if (setup_) {
    if (setup_->transaction.awaits_final())
      return phase::ringing;
    return setup_->transaction.state() == transaction_state::accepted ? phase::answered
                                                                      : phase::refusing;
  }
  if (!session_.valid())
    return phase::idle;
  return session_.ending() ? phase::ending : phase::established;
}

void invite_server::leave(time_point now, linger_table& table) const {
  if (invite_cseq_ != 0 && now < absorb_until_)
    table.absorb_invite(now, transaction_key_);
  if (session_.valid() && session_.parted())
    table.answer_bye(now, id_, 200);
}

size_t invite_server::heap_bytes() const noexcept {
  auto of = [](const std::string& s) { return s.capacity() > 15 ? s.capacity() + 1 : 0; };
  auto n = core_heap_bytes();
  if (setup_)
    n += sizeof *setup_ + of(setup_->head.fields) + of(setup_->head.record_route) +
         of(setup_->branch) + of(setup_->contact) + of(setup_->text) + of(setup_->bye_headers);
  if (setup_ && setup_->reliable) {
    n += sizeof *setup_->reliable;
    for (auto& held : setup_->reliable->next)
      n += sizeof held + of(held.headers) + of(held.body) + of(held.content_type);
  }
  return n;
}

} // namespace jackfield::sip

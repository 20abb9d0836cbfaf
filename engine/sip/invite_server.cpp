#include "engine/sip/invite_server.hpp"

#include <algorithm>
#include <utility>

#include "engine/sip/invite_server_setup.hpp"
#include "engine/sip/linger_table.hpp"
#include "engine/sip/request_check.hpp"
#include "engine/sip/request_text.hpp"
#include "engine/sip/response_text.hpp"
#include "engine/sip/session_body.hpp"

namespace jackfield::sip {

/// RFC 3261 §17.2.1: 100 is sent if the user sends nothing within this time.
constexpr auto trying_delay = std::chrono::milliseconds{200};

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
  if (s.contact.empty() && wants_secure_contact(invite))
    s.contact = profile_->secure_contact;
  const auto described = session_body_of(invite);
  s.has_offer = !described.text.empty();
  s.reliably = has_option(invite, header::require, "100rel") ||
               (options.reliable_provisionals && has_option(invite, header::supported, "100rel"));
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
                 .body = described.text,
                 .content_type = described.content_type,
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
  auto reliable = s.reliable && s.reliable->awaited;
  auto keep = good || !profile_->reliable || reliable;
  auto& text = keep ? s.text : scratch_text();
  text.clear();
  text.reserve(s.head.fields.size() + s.head.record_route.size() + body.size() + 384);
  auto contact = s.contact.empty() ? std::string_view(profile_->contact) : s.contact;
  append_response(text, *profile_, s.head,
                  {.status = status,
                   .contact = dialog_forming ? contact : std::string_view{},
                   .record_route = dialog_forming,
                   .capabilities = good || reliable, // RFC 3311 §5.1
                   .headers = headers,
                   .body = body,
                   .content_type = content_type});
  if (status >= 200) // the last that is said of it: its texts are given back
    const auto spent = std::move(s.head);
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
    else if (what == method::ack && setup_ && setup_->branch == m.via().branch &&
             setup_->status >= 300) // §17.2.3: by its branch, whatever its To says
      on_first_ack(now, m, sink);
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
  const auto described = session_body_of(m);
  sink.on_event({.kind = event_kind::acknowledged,
                 .what = method::ack,
                 .body = we_offered ? described.text : std::string_view{},
                 .content_type = described.content_type,
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
  if (cause != end_cause::transport_failed)
    session_.refuse_open(context({}, sink), 487);
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

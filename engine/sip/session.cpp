#include "engine/sip/session.hpp"

#include <algorithm>
#include <utility>

#include "engine/sip/fields.hpp"
#include "engine/sip/request_text.hpp"
#include "engine/sip/targets.hpp"
#include "engine/sip/uri.hpp"

namespace jackfield::sip {
namespace {

/// Branch counters of ACKs to 2xx: the CSeq counts, so that a repeated ACK is the same message.
constexpr uint32_t ack_branches = 0x4000'0000;

[[nodiscard]] unsigned retry_after_of(const message& m) noexcept {
  return m.has(header::retry_after) ? parse_retry_after(m.first(header::retry_after)).value_or(0)
                                    : 0;
}

/// Spreads bits; not for secrets.
[[nodiscard]] uint64_t mix(uint64_t x) noexcept {
  x ^= x >> 30;
  x *= 0xbf58476d1ce4e5b9;
  x ^= x >> 27;
  x *= 0x94d049bb133111eb;
  return x ^ x >> 31;
}

} // namespace

/// A request of ours with what is needed to send it again, also with credentials or after glare.
struct session::own_request {
  client_transaction transaction;
  method what = method::unknown;
  uint32_t cseq = 0;
  uint32_t counter = 0;
  std::string text; // for retransmission; empty if not needed
  std::string headers, body, content_type;
  time_point retry_at = never; // after 491
  bool glare_retried = false;
};

struct session::offer {
  server_transaction transaction;
  method what = method::unknown;
  uint32_t cseq = 0;
  bool has_offer = false; // else we offer, and the ACK brings the answer
  bool open = false;      // the caller has not answered
  time_point limit_at = never;
  response_head head;
  std::string branch;
  std::string target; // Contact of the request, if it is accepted
  std::string text;   // the last response
};

session::session() = default;
session::~session() = default;
session::session(session&&) noexcept = default;
session& session::operator=(session&&) noexcept = default;

session::session(dialog d, bool is_caller, std::string_view contact)
    : dialog_(std::move(d)), is_caller_(is_caller) {
  if (!contact.empty())
    contact_ = std::make_unique<std::string>(contact);
}

result<session> session::restore(const leg_id& leg, const dialog_record& record, uint32_t skip) {
  constexpr uint32_t most_requests = 1u << 24; // of one dialog
  if (!is_safe_value(record.contact))
    return fail("contact", "has a control character");
  if (skip > most_requests || record.next_branch < first_branch ||
      record.next_branch > UINT32_MAX - most_requests || record.acked_cseq > record.local_cseq)
    return fail("dialog", "has a number out of range");
  auto kept = dialog::restore(leg, record, skip);
  if (!kept)
    return tl::unexpected(kept.error());
  session s(std::move(*kept), record.is_caller, record.contact);
  s.branches_ = record.next_branch + skip;
  s.acked_cseq_ = record.acked_cseq;
  return s;
}

dialog_record session::record() const {
  if (!valid())
    return {};
  auto r = dialog_.record();
  if (contact_)
    r.contact = *contact_;
  r.acked_cseq = acked_cseq_;
  r.next_branch = branches_;
  r.is_caller = is_caller_;
  return r;
}

std::string_view session::contact(const ua_profile& profile) const noexcept {
  return contact_ ? *contact_ : profile.contact;
}

// -- requests of ours ---------------------------------------------------------------

void session::send_own(const context& c, own_request& r, std::string_view credentials) {
  r.cseq = dialog_.next_local_cseq();
  r.counter = branches_++;
  request_text t;
  dialog_.fill(t);
  t.what = r.what;
  t.branch.counter = r.counter;
  t.cseq = r.cseq;
  if (r.what == method::invite || r.what == method::update) {
    t.contact = contact(c.profile);
    t.capabilities = true;
  }
  std::string known; // credentials for nonces that are known already
  if (credentials.empty() && !c.digest.empty()) {
    c.digest.append_authorization(known, {to_string(r.what), t.uri, r.body}, host_of(t.uri),
                                  host_of(dialog_.next_hop()));
    credentials = known;
  }
  t.credentials = credentials;
  t.headers = r.headers;
  t.body = r.body;
  t.content_type = r.content_type;
  auto& text = c.profile.reliable ? scratch_text() : r.text;
  text.clear();
  append_request(text, c.profile, t);
  r.transaction.start(c.now, r.what == method::invite, c.profile.reliable, c.profile.timers);
  c.sink.send({text, send_rank::request, send_to::next_hop, dialog_.next_hop(), r.what, 0, false});
}

bool session::send_request(const context& c, method what, std::string_view headers,
                           std::string_view body, std::string_view content_type) {
  switch (what) {
  case method::unknown:
  case method::ack:
  case method::bye:
  case method::cancel:
  case method::register_:
    return false;
  default:
    break;
  }
  auto offers = what == method::invite || what == method::update;
  if (!valid() || ending() || over_ || request_ || ack_owed_ != 0 ||
      (offers && offer_ && offer_->transaction.active() &&
       (offer_->open || offer_->transaction.awaits_ack())))
    return false;
  request_.reset(new own_request);
  request_->what = what;
  request_->headers = headers;
  request_->body = body;
  request_->content_type = content_type;
  send_own(c, *request_, {});
  return true;
}

void session::hang_up(const context& c, end_cause cause, std::string_view headers) {
  if (over_ || ending())
    return;
  end_cause_ = cause;
  parted_ = true;
  ack_owed_ = 0;
  if (request_ && request_->retry_at != never)
    request_.reset();
  bye_.reset(new own_request);
  bye_->what = method::bye;
  bye_->headers = headers;
  send_own(c, *bye_, {});
}

void session::end(const context& c, end_cause cause, int status, const message* source) {
  if (over_)
    return;
  over_ = true;
  end_cause_ = cause;
  ua_event e{.kind = event_kind::ended, .cause = cause, .status = status, .source = source};
  if (source)
    e.what = source->is_request() ? source->request_method() : source->cseq_method();
  else if (bye_)
    e.what = method::bye;
  request_.reset();
  bye_.reset();
  offer_.reset();
  ack_.reset();
  c.sink.on_event(e);
}

void session::send_ack(const context& c, uint32_t cseq, std::string_view body,
                       std::string_view content_type, bool retransmission) {
  request_text t;
  dialog_.fill(t);
  t.what = method::ack;
  t.branch.counter = ack_branches | (cseq & (ack_branches - 1));
  t.cseq = cseq;
  // An ACK has the credentials of its INVITE (§22.1), but a 2xx means that none are asked for.
  t.body = body;
  t.content_type = content_type;
  acked_cseq_ = cseq;
  if (ack_owed_ == cseq)
    ack_owed_ = 0;
  auto& text = scratch_text();
  append_request(text, c.profile, t);
  if (!body.empty())
    ack_ = std::make_unique<std::string>(text);
  else
    ack_.reset();
  c.sink.send(
    {text, send_rank::ack, send_to::next_hop, dialog_.next_hop(), method::ack, 0, retransmission});
}

void session::repeat_ack(const context& c, uint32_t cseq) {
  if (cseq != acked_cseq_ || over_)
    return;
  if (!ack_) {
    send_ack(c, cseq, {}, {}, true);
    return;
  }
  c.sink.send({*ack_, send_rank::ack, send_to::next_hop, dialog_.next_hop(), method::ack, 0, true});
}

bool session::acknowledge(const context& c, std::string_view body, std::string_view content_type) {
  if (over_ || ack_owed_ == 0)
    return false;
  send_ack(c, ack_owed_, body, content_type);
  return true;
}

void session::owe_ack(uint32_t cseq) noexcept {
  ack_owed_ = cseq;
}

bool session::retry_with_digest(const context& c, const message& m, own_request& r) {
  auto uri_host = host_of(dialog_.request_uri());
  auto hop_host = host_of(dialog_.next_hop());
  auto random = mix(dialog_.leg().nonce ^ r.counter);
  if (c.digest.on_challenge(m, c.credentials, uri_host, hop_host, random) !=
      digest_session::verdict::retry)
    return false;
  send_own(c, r, {});
  return true;
}

bool session::on_response(const context& c, const message& m, uint32_t counter) {
  if (over_)
    return true;
  auto* slot = bye_ && bye_->counter == counter           ? &bye_
               : request_ && request_->counter == counter ? &request_
                                                          : nullptr;
  if (slot == nullptr) {
    // A 2xx to an earlier re-INVITE that came again.
    if (m.cseq_method() == method::invite && m.status() >= 200 && m.status() < 300 &&
        dialog_.matches(m)) {
      repeat_ack(c, m.cseq_number());
      return true;
    }
    return false;
  }
  auto& r = **slot;
  if (m.cseq_number() != r.cseq || m.cseq_method() != r.what)
    return true;
  auto step = r.transaction.on_response(c.now, m.status(), c.profile.reliable, c.profile.timers);
  if (step.acknowledge) {
    request_text t;
    dialog_.fill(t);
    t.what = method::ack;
    t.branch.counter = r.counter;
    t.cseq = r.cseq;
    auto& text = scratch_text();
    append_request(text, c.profile, t);
    c.sink.send({text, send_rank::ack, send_to::again, {}, method::ack, 0, !step.deliver});
  }
  if (!r.transaction.needs_request(c.profile.reliable))
    release(r.text);
  if (step.deliver && m.status() >= 200)
    on_final(c, m, *slot);
  return true;
}

void session::on_final(const context& c, const message& m, std::unique_ptr<own_request>& slot) {
  auto& r = *slot;
  auto status = m.status();
  if ((status == 401 || status == 407) && retry_with_digest(c, m, r))
    return;
  if (status < 300)
    c.digest.on_success(m);
  if (r.what == method::bye) {
    end(c, end_cause_, status, &m);
    return;
  }
  if (status == 491 && !r.glare_retried && !ending() &&
      (r.what == method::invite || r.what == method::update)) {
    // §14.1: 2.1 .. 4 s for the owner of the Call-ID, 0 .. 2 s for the other, in steps of 10 ms.
    auto draw = mix(dialog_.leg().nonce ^ r.cseq);
    auto wait = is_caller_ ? 210 + draw % 191 : draw % 201;
    r.glare_retried = true;
    r.retry_at = c.now + std::chrono::milliseconds{10 * wait};
    r.transaction.on_transport_error();
    return;
  }
  ua_event e{.kind = event_kind::response,
             .status = status,
             .what = r.what,
             .seconds = retry_after_of(m),
             .body = m.body(),
             .content_type = m.first(header::content_type),
             .source = &m};
  auto lost = status == 408 || status == 481;
  if (status < 300 && (r.what == method::invite || r.what == method::update))
    dialog_.refresh_target(m);
  if (status < 300 && r.what == method::invite) {
    e.needs_answer = r.body.empty() && !m.body().empty() && !ending();
    if (e.needs_answer)
      owe_ack(r.cseq);
    else
      send_ack(c, r.cseq, {}, {});
  }
  // Kept only where an ACK may have to be repeated within the transaction.
  if (r.what != method::invite || status < 300 || c.profile.reliable)
    slot.reset();
  if (ending())
    return;
  if (status == 481) {
    parted_ = true;
    c.sink.on_event(e);
    end(c, end_cause::dialog_lost, status, &m);
    return;
  }
  if (lost)
    hang_up(c, end_cause::dialog_lost, {});
  c.sink.on_event(e);
}

void session::on_request_timeout(const context& c, std::unique_ptr<own_request>& slot) {
  auto what = slot->what;
  if (what == method::bye) { // `end` lets go of it
    auto cause = end_cause_ == end_cause::local_bye ? end_cause::timeout_f : end_cause_;
    end(c, cause, 0, nullptr);
    return;
  }
  slot.reset();
  if (ending())
    return;
  hang_up(c, end_cause::dialog_lost, {});
  c.sink.on_event({.kind = event_kind::response,
                   .cause = what == method::invite ? end_cause::timeout_b : end_cause::timeout_f,
                   .what = what});
}

// -- requests of the peer -------------------------------------------------------------

void session::reply(const context& c, const message& m, int status, std::string_view headers,
                    bool capabilities) {
  auto tag = dialog_.leg().text();
  auto head = make_response_head(m, view(tag), c.sink.source());
  auto& text = scratch_text();
  append_response(text, c.profile, head,
                  {.status = status, .capabilities = capabilities, .headers = headers});
  c.sink.send(
    {text, send_rank::response, send_to::request_source, {}, m.request_method(), status, false});
}

void session::on_request(const context& c, const message& m) {
  auto what = m.request_method();
  if (!dialog_.matches(m) || over_) {
    if (what != method::ack)
      reply(c, m, 481);
    return;
  }
  if (what == method::ack) {
    on_ack(c, m);
    return;
  }
  if (what == method::cancel) {
    on_cancel(c, m);
    return;
  }
  auto order = dialog_.take_remote_cseq(m.cseq_number());
  if (order == dialog::order::lower) {
    reply(c, m, 500); // §12.2.2
    return;
  }
  auto again = order == dialog::order::repeated;
  switch (what) {
  case method::bye:
    on_bye(c, m);
    return;
  case method::invite:
  case method::update:
    if (!again) {
      on_offer(c, m);
    } else if (offer_ && offer_->cseq == m.cseq_number()) {
      if (offer_->transaction.on_request(c.now).send)
        c.sink.send(
          {offer_->text, send_rank::response, send_to::request_source, {}, what, 0, true});
    } else if (what == method::update) {
      reply(c, m, 200, {}, true); // one without an offer
    }
    return;
  case method::info:
  case method::message:
  case method::options:
    reply(c, m, 200, {}, what == method::options);
    if (!again && !ending())
      c.sink.on_event({.kind = event_kind::request,
                       .status = 200,
                       .what = what,
                       .body = m.body(),
                       .content_type = m.first(header::content_type),
                       .source = &m});
    return;
  case method::prack: // we send no reliable provisional response that it could be for
  case method::notify:
    reply(c, m, 481);
    return;
  case method::unknown:
    reply(c, m, 501, {}, true);
    return;
  default:
    reply(c, m, 405, {}, true);
    return;
  }
}

void session::on_bye(const context& c, const message& m) {
  parted_ = true;
  reply(c, m, 200);
  if (offer_ && offer_->open && offer_->transaction.awaits_final())
    answer_offer_with(c, 487, {}, {}, {}, send_to::request_source);
  // A BYE that crosses ours ends the call as well as the answer to ours.
  end(c, ending() ? end_cause_ : end_cause::remote_bye, ending() ? 200 : 0, &m);
}

void session::on_offer(const context& c, const message& m) {
  auto what = m.request_method();
  if (ending()) {
    reply(c, m, 487);
    return;
  }
  auto tx_active = offer_ && offer_->transaction.active();
  if (tx_active && (offer_->open || offer_->transaction.awaits_ack())) {
    reply(c, m, 500, "Retry-After: 2\r\n"); // §14.2; the one before has not been decided
    return;
  }
  auto offering = what == method::invite || !m.body().empty();
  auto glare = request_ && (request_->transaction.awaits_final() || request_->retry_at != never) &&
               (request_->what == method::invite || request_->what == method::update);
  // One of ours that waits for its time after a glare is not on its way.
  if (offering && ((glare && request_->retry_at == never) || ack_owed_ != 0)) {
    reply(c, m, 491);
    return;
  }
  if (!offering) {
    dialog_.refresh_target(m);
    reply(c, m, 200, {}, true);
    return;
  }
  auto tag = dialog_.leg().text();
  offer_.reset(new offer);
  offer_->what = what;
  offer_->cseq = m.cseq_number();
  offer_->has_offer = !m.body().empty();
  offer_->open = true;
  offer_->limit_at = c.now + c.profile.offer_limit;
  offer_->head = make_response_head(m, view(tag), c.sink.source());
  offer_->branch = m.via().branch;
  m.each_value(header::contact, [&](std::string_view value) {
    if (auto address = parse_name_addr(value))
      offer_->target = address->uri;
    return false;
  });
  offer_->transaction.start(c.now, what == method::invite);
  c.sink.on_event({.kind = event_kind::offer,
                   .what = what,
                   .body = m.body(),
                   .content_type = m.first(header::content_type),
                   .source = &m});
  if (what == method::invite && offer_ && offer_->open && offer_->transaction.awaits_final()) {
    append_response(offer_->text, c.profile, offer_->head, {.status = 100});
    offer_->transaction.respond(c.now, 100, c.profile.reliable, c.profile.timers);
    c.sink.send({offer_->text, send_rank::response, send_to::request_source, {}, what, 100, false});
  }
}

void session::answer_offer_with(const context& c, int status, std::string_view headers,
                                std::string_view body, std::string_view content_type, send_to to) {
  auto& o = *offer_;
  o.open = false;
  o.limit_at = never;
  auto good = status < 300;
  if (good)
    if (auto target = uri::parse(o.target); target && target->is_sip())
      dialog_.set_remote_target(o.target);
  o.text.clear();
  append_response(o.text, c.profile, o.head,
                  {.status = status,
                   .contact = good ? contact(c.profile) : std::string_view{},
                   .capabilities = good,
                   .headers = headers,
                   .body = body,
                   .content_type = content_type});
  o.transaction.respond(c.now, status, c.profile.reliable, c.profile.timers);
  c.sink.send({o.text, send_rank::response, to, {}, o.what, status, false});
  if (!o.transaction.active())
    offer_.reset();
}

bool session::answer_offer(const context& c, std::string_view body, std::string_view content_type) {
  if (over_ || !offer_ || !offer_->open)
    return false;
  answer_offer_with(c, 200, {}, body, content_type, send_to::request_source);
  return true;
}

bool session::refuse_offer(const context& c, int status) {
  if (over_ || !offer_ || !offer_->open || status < 400 || status > 699)
    return false;
  answer_offer_with(c, status, {}, {}, {}, send_to::request_source);
  return true;
}

void session::on_cancel(const context& c, const message& m) {
  if (!offer_ || offer_->what != method::invite || offer_->branch != m.via().branch) {
    reply(c, m, 481);
    return;
  }
  reply(c, m, 200);
  if (!offer_->open)
    return;
  answer_offer_with(c, 487, {}, {}, {}, send_to::request_source);
  c.sink.on_event({.kind = event_kind::offer_withdrawn, .what = method::invite, .source = &m});
}

void session::on_ack(const context& c, const message& m) {
  if (!offer_ || offer_->what != method::invite || offer_->cseq != m.cseq_number())
    return;
  auto step = offer_->transaction.on_ack(c.now, c.profile.reliable, c.profile.timers);
  if (step.deliver) {
    auto we_offered = !offer_->has_offer;
    offer_.reset();
    if (!ending())
      c.sink.on_event({.kind = event_kind::offer_confirmed,
                       .what = method::invite,
                       .body = we_offered ? m.body() : std::string_view{},
                       .content_type = m.first(header::content_type),
                       .source = &m});
  } else if (step.terminated) {
    offer_.reset();
  } else {
    release(offer_->text);
  }
}

// -- time -----------------------------------------------------------------------------

void session::on_time(const context& c) {
  for (auto* slot : {&bye_, &request_}) {
    if (over_ || !*slot)
      continue;
    auto& r = **slot;
    if (r.retry_at != never) {
      if (c.now >= r.retry_at) {
        r.retry_at = never;
        send_own(c, r, {});
      }
      continue;
    }
    auto awaited = r.transaction.awaits_final();
    auto step = r.transaction.on_time(c.now, c.profile.reliable, c.profile.timers);
    if (step.send)
      c.sink.send({r.text, send_rank::request, send_to::again, {}, r.what, 0, true});
    else if (step.timed_out && awaited)
      on_request_timeout(c, *slot);
    else if (step.terminated)
      slot->reset();
  }
  if (over_ || !offer_)
    return;
  if (c.now >= offer_->limit_at) {
    auto what = offer_->what;
    answer_offer_with(c, 500, {}, {}, {}, send_to::request_source);
    c.sink.on_event({.kind = event_kind::offer_withdrawn, .status = 500, .what = what});
    return;
  }
  auto good = offer_->transaction.state() == transaction_state::accepted;
  auto step = offer_->transaction.on_time(c.now, c.profile.reliable, c.profile.timers);
  if (step.send) {
    c.sink.send(
      {offer_->text, send_rank::response, send_to::request_source, {}, offer_->what, 0, true});
  } else if (step.terminated) {
    offer_.reset();
    if (step.timed_out && good) // §14.2: as if the first 2xx was never ACKed
      hang_up(c, end_cause::no_ack, {});
  }
}

time_point session::next_deadline() const noexcept {
  auto at = never;
  for (auto* r : {bye_.get(), request_.get()})
    if (r != nullptr)
      at = std::min({at, r->retry_at, r->transaction.next_deadline()});
  if (offer_)
    at = std::min({at, offer_->limit_at, offer_->transaction.next_deadline()});
  return at;
}

size_t session::heap_bytes() const noexcept {
  auto of = [](const std::string& s) { return s.capacity() > 15 ? s.capacity() + 1 : 0; };
  auto n = dialog_.heap_bytes();
  for (auto* r : {bye_.get(), request_.get()})
    if (r != nullptr)
      n += sizeof *r + of(r->text) + of(r->headers) + of(r->body) + of(r->content_type);
  if (offer_)
    n += sizeof *offer_ + of(offer_->text) + of(offer_->head.fields) + of(offer_->target);
  for (auto* s : {contact_.get(), ack_.get()})
    if (s != nullptr)
      n += sizeof(std::string) + of(*s);
  return n;
}

} // namespace jackfield::sip

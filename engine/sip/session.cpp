#include "engine/sip/session.hpp"

#include <algorithm>
#include <chrono>
#include <iterator>
#include <utility>

#include "engine/sip/fields.hpp"
#include "engine/sip/request_text.hpp"
#include "engine/sip/session_body.hpp"
#include "engine/sip/session_parts.hpp"
#include "engine/sip/targets.hpp"

namespace jackfield::sip {
namespace {

/// Branch counters of ACKs to 2xx: the CSeq counts, so that a repeated ACK is the same message.
constexpr uint32_t ack_branches = 0x4000'0000;

/// Spreads bits; not for secrets.
[[nodiscard]] uint64_t mix(uint64_t x) noexcept {
  x ^= x >> 30;
  x *= 0xbf58476d1ce4e5b9;
  x ^= x >> 27;
  x *= 0x94d049bb133111eb;
  return x ^ x >> 31;
}

/// RFC 3262 §7.2.
[[nodiscard]] std::string rack_line(uint32_t rseq, uint32_t invite_cseq) {
  std::string line = "RAck: ";
  append_number(line, rseq);
  line += ' ';
  append_number(line, invite_cseq);
  return line += " INVITE\r\n";
}

} // namespace

session::session() = default;
session::~session() = default;
session::session(session&&) noexcept = default;
session& session::operator=(session&&) noexcept = default;

session::session(dialog d, bool is_caller, std::string_view contact, unsigned fork)
    : dialog_(std::move(d)), branches_(first_branch + fork * fork_branches), is_caller_(is_caller) {
  if (!contact.empty())
    contact_ = std::make_unique<std::string>(contact);
}

result<session> session::restore(const leg_id& leg, const dialog_record& record, uint32_t skip) {
  if (!is_safe_value(record.contact))
    return fail("contact", "has a control character");
  if (skip >= fork_branches || !is_branch(record.next_branch) ||
      fork_of(record.next_branch) >= max_forks || record.acked_cseq > record.local_cseq)
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
  return contact_ ? std::string_view{*contact_} : profile.contact_for(dialog_.secure());
}

void session::report(const context& c, ua_event e) const {
  e.fork = fork();
  c.sink.on_event(e);
}

// -- before the INVITE's transaction is over ---------------------------------------------

void session::begin_early(int offer_refusal) noexcept {
  early_ = true;
  offer_refusal_ = static_cast<uint16_t>(offer_refusal);
}

void session::confirm(dialog d) {
  d.continue_from(dialog_);
  dialog_ = std::move(d);
  confirm();
}

void session::confirm() noexcept {
  early_ = false;
  offer_refusal_ = 0;
}

void session::abandon(const context& c) {
  auto gone = std::move(requests_);
  refuse_open(c, 487);
  peer_requests_.reset();
  offer_.reset();
  for (auto* r = gone.get(); r != nullptr; r = r->next.get())
    if (r->pending() && r->what != method::prack)
      report(c, {.kind = event_kind::response,
                 .cause = end_cause::dialog_lost,
                 .what = r->what,
                 .number = r->number});
}

bool session::send_prack(const context& c, uint32_t rseq, uint32_t invite_cseq,
                         std::string_view body, std::string_view content_type) {
  return begin_own(c, method::prack, rack_line(rseq, invite_cseq), body, content_type) != 0;
}

void session::repeat_prack(const context& c, uint32_t rseq, uint32_t invite_cseq) {
  auto line = rack_line(rseq, invite_cseq);
  for (auto* r = requests_.get(); r != nullptr; r = r->next.get())
    if (r->what == method::prack && r->headers == line && r->transaction.awaits_final() &&
        !r->text.empty())
      c.sink.send({r->text, send_rank::request, send_to::again, {}, method::prack, 0, true});
}

// -- requests of ours ---------------------------------------------------------------

template <class Predicate>
void session::erase_own(Predicate&& gone) {
  for (auto* at = &requests_; *at;) {
    if (gone(**at))
      *at = std::move((*at)->next);
    else
      at = &(*at)->next;
  }
}

bool session::own_offer_pending(bool waiting_too) const noexcept {
  for (auto* r = requests_.get(); r != nullptr; r = r->next.get())
    if (r->offers() && (r->transaction.awaits_final() || (waiting_too && r->retry_at != never)))
      return true;
  return false;
}

void session::send_own(const context& c, own_request& r) {
  r.cseq = dialog_.next_local_cseq();
  send_numbered(c, r);
}

bool session::send_to_next_server(const context& c, own_request& r, const message* failure) {
  const auto* profile = another_server(c.sink, failure);
  if (profile == nullptr)
    return false;
  c.current = profile;
  c.digest = {}; // a nonce is of the server that made it
  // The request is the same but for its branch, as long as none overtook it.
  if (r.cseq != dialog_.local_cseq())
    r.cseq = dialog_.next_local_cseq();
  send_numbered(c, r);
  return true;
}

void session::send_numbered(const context& c, own_request& r) {
  r.counter = branches_++;
  if (r.number == 0)
    r.number = r.counter;
  request_text t;
  dialog_.fill(t);
  t.what = r.what;
  t.branch.counter = r.counter;
  t.cseq = r.cseq;
  if (r.what == method::invite || r.what == method::update) {
    t.contact = contact(c.profile());
    t.capabilities = true;
  }
  std::string credentials; // for nonces that are known already
  if (!c.digest.empty())
    c.digest.append_authorization(credentials, {to_string(r.what), t.uri, r.body}, host_of(t.uri),
                                  host_of(dialog_.next_hop()));
  r.authorized = !credentials.empty();
  t.credentials = credentials;
  t.headers = r.headers;
  t.body = r.body;
  t.content_type = r.content_type;
  auto& text = c.profile().reliable ? scratch_text() : r.text;
  text.clear();
  append_request(text, c.profile(), t);
  r.transaction.start(c.now, r.what == method::invite, c.profile().reliable, c.profile().timers);
  c.sink.send({text, send_rank::request, send_to::next_hop, dialog_.next_hop(), r.what, 0, false});
}

uint32_t session::begin_own(const context& c, method what, std::string_view headers,
                            std::string_view body, std::string_view content_type) {
  size_t pending = 0;
  auto* end = &requests_;
  for (; *end; end = &(*end)->next)
    pending += (*end)->pending() ? 1 : 0;
  if (pending >= max_pending)
    return 0;
  end->reset(new own_request);
  auto& r = **end;
  r.what = what;
  r.headers = headers;
  r.body = body;
  r.content_type = content_type;
  send_own(c, r);
  return r.number;
}

uint32_t session::send_request(const context& c, method what, std::string_view headers,
                               std::string_view body, std::string_view content_type) {
  switch (what) {
  case method::unknown:
  case method::ack:
  case method::bye:
  case method::cancel:
  case method::prack:
  case method::register_:
    return 0;
  default:
    break;
  }
  if (!valid() || ending() || over_)
    return 0;
  if (what == method::invite || (what == method::update && !body.empty())) {
    auto offered =
      offer_ && offer_->transaction.active() && (offer_->open || offer_->transaction.awaits_ack());
    if (offered || ack_owed_ != 0 || offer_refusal_ != 0 || own_offer_pending(true) ||
        (early_ && what == method::invite))
      return 0;
    if (what == method::invite) // an earlier one is only kept to repeat its ACK
      erase_own([](auto& r) { return r.what == method::invite; });
  }
  return begin_own(c, what, headers, body, content_type);
}

void session::hang_up(const context& c, end_cause cause, std::string_view headers) {
  if (over_ || ending())
    return;
  end_cause_ = cause;
  parted_ = true;
  ack_owed_ = 0;
  erase_own([](auto& r) { return r.retry_at != never; });
  bye_.reset(new own_request);
  bye_->what = method::bye;
  bye_->headers = headers;
  send_own(c, *bye_);
}

void session::end(const context& c, end_cause cause, int status, const message* source) {
  if (over_)
    return;
  if (cause != end_cause::transport_failed) {
    refuse_open(c, 481);
    if (bye_ && ack_owed_ != 0)
      send_ack(c, ack_owed_, {}, {});
  }
  over_ = true;
  end_cause_ = cause;
  ua_event e{.kind = event_kind::ended, .cause = cause, .status = status, .source = source};
  if (source)
    e.what = source->is_request() ? source->request_method() : source->cseq_method();
  else if (bye_)
    e.what = method::bye;
  requests_.reset();
  bye_.reset();
  offer_.reset();
  peer_requests_.reset();
  ack_.reset();
  report(c, e);
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
  append_request(text, c.profile(), t);
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
  // Another request, on its way beside this one, may have answered the challenge since.
  if (!r.authorized && !c.digest.empty()) {
    std::string known;
    c.digest.append_authorization(known, {to_string(r.what), dialog_.request_uri(), r.body},
                                  uri_host, hop_host);
    if (!known.empty()) {
      send_own(c, r);
      return true;
    }
  }
  auto random = mix(dialog_.leg().nonce ^ r.counter);
  if (c.digest.on_challenge(m, c.credentials, uri_host, hop_host, random) !=
      digest_session::verdict::retry)
    return false;
  send_own(c, r);
  return true;
}

bool session::on_response(const context& c, const message& m, uint32_t counter) {
  if (over_)
    return true;
  auto* slot = &requests_;
  if (bye_ && bye_->counter == counter)
    slot = &bye_;
  else
    while (*slot && (*slot)->counter != counter)
      slot = &(*slot)->next;
  if (!*slot) {
    // A 2xx to an earlier re-INVITE that came again.
    if (!early_ && m.cseq_method() == method::invite && m.status() >= 200 && m.status() < 300 &&
        dialog_.matches(m)) {
      repeat_ack(c, m.cseq_number());
      return true;
    }
    return false;
  }
  auto& r = **slot;
  if (m.cseq_number() != r.cseq || m.cseq_method() != r.what)
    return true;
  auto step =
    r.transaction.on_response(c.now, m.status(), c.profile().reliable, c.profile().timers);
  if (step.acknowledge)
    acknowledge_failure(c, r, !step.deliver);
  if (!r.transaction.needs_request(c.profile().reliable))
    release(r.text);
  if (step.deliver && m.status() >= 200)
    on_final(c, m, *slot);
  return true;
}

void session::acknowledge_failure(const context& c, const own_request& r, bool again) {
  request_text t;
  dialog_.fill(t);
  t.what = method::ack;
  t.branch.counter = r.counter;
  t.cseq = r.cseq;
  auto& text = scratch_text();
  append_request(text, c.profile(), t);
  c.sink.send({text, send_rank::ack, send_to::again, {}, method::ack, 0, again});
}

void session::on_final(const context& c, const message& m, own_slot& slot) {
  auto& r = *slot;
  auto status = m.status();
  if ((status == 401 || status == 407) && retry_with_digest(c, m, r))
    return;
  if (status == 503 && send_to_next_server(c, r, &m))
    return;
  if (status < 300)
    c.digest.on_success(m);
  if (r.what == method::bye) {
    end(c, end_cause_, status, &m);
    return;
  }
  if (status == 491 && !r.glare_retried && !ending() && r.offers()) {
    // §14.1: 2.1 .. 4 s for the owner of the Call-ID, 0 .. 2 s for the other, in steps of 10 ms.
    auto draw = mix(dialog_.leg().nonce ^ r.cseq);
    auto wait = is_caller_ ? 210 + draw % 191 : draw % 201;
    r.glare_retried = true;
    r.retry_at = c.now + std::chrono::milliseconds{10 * wait};
    r.transaction.on_transport_error();
    return;
  }
  const auto said =
    r.offers() ? session_body_of(m) : session_body{m.body(), m.first(header::content_type)};
  ua_event e{.kind = event_kind::response,
             .status = status,
             .what = r.what,
             .number = r.number,
             .seconds = retry_after_of(m),
             .body = said.text,
             .content_type = said.content_type,
             .source = &m};
  auto unheard = r.what == method::prack; // the user did not send it
  if (status < 300 && (r.what == method::invite || r.what == method::update))
    dialog_.refresh_target(m);
  if (status < 300 && r.what == method::invite) {
    e.needs_answer = r.body.empty() && !said.text.empty() && !ending();
    if (e.needs_answer)
      owe_ack(r.cseq);
    else
      send_ack(c, r.cseq, {}, {});
  }
  // Kept only where an ACK may have to be repeated within the transaction.
  if (r.what != method::invite || status < 300 || c.profile().reliable)
    slot = std::move(r.next);
  if (ending() || unheard)
    return;
  if (early_) {
    report(c, e);
    return;
  }
  if (status == 481) {
    parted_ = true;
    report(c, e);
    end(c, end_cause::dialog_lost, status, &m);
    return;
  }
  if (status == 408)
    hang_up(c, end_cause::dialog_lost, {});
  report(c, e);
}

void session::on_request_timeout(const context& c, own_slot gone) {
  auto what = gone->what;
  if (what == method::bye) {
    auto cause = end_cause_ == end_cause::local_bye ? end_cause::timeout_f : end_cause_;
    bye_ = std::move(gone); // what the end is about
    end(c, cause, 0, nullptr);
    return;
  }
  if (ending() || (early_ && what == method::prack))
    return;
  if (!early_)
    hang_up(c, end_cause::dialog_lost, {});
  if (what == method::prack)
    return;
  report(c, {.kind = event_kind::response,
             .cause = what == method::invite ? end_cause::timeout_b : end_cause::timeout_f,
             .what = what,
             .number = gone->number});
}

bool session::outlive_connection(const context& c) {
  // Whether the peer has heard of it nobody knows, so it is another request: to the same one again
  // a peer that has answered it says no.
  // Over a new connection to the same server first: this one may just have been closed for being
  // idle. Where none can be made, to another of its name (RFC 3263 §4.3).
  using std::chrono::milliseconds;
  bool elsewhere = false;
  constexpr milliseconds pauses[]{milliseconds{0}, milliseconds{500}, milliseconds{1'000},
                                  milliseconds{2'000}, milliseconds{4'000}};
  for (auto* list : {bye_.get(), requests_.get()})
    for (auto* r = list; r != nullptr; r = r->next.get()) {
      if (!r->transaction.awaits_final())
        continue;
      if (r->connections == std::size(pauses))
        return false;
      r->transaction.on_transport_error();
      const auto pause = pauses[r->connections++];
      if (!elsewhere && pause > milliseconds{0})
        if (const auto* profile = another_server(c.sink, nullptr)) {
          c.current = profile;
          c.digest = {};
          elsewhere = true;
        }
      r->retry_at = elsewhere ? c.now : c.now + pause;
    }
  return true;
}

// -- time -----------------------------------------------------------------------------

bool session::own_on_time(const context& c, own_slot& slot) {
  auto& r = *slot;
  if (r.retry_at != never) {
    if (c.now < r.retry_at)
      return true;
    if (r.outdated) { // what it describes is not what both have: it is to be made anew
      auto gone = std::move(slot);
      slot = std::move(gone->next);
      report(
        c,
        {.kind = event_kind::response, .status = 491, .what = gone->what, .number = gone->number});
      return false;
    }
    r.retry_at = never;
    send_own(c, r);
    return true;
  }
  auto awaited = r.transaction.awaits_final();
  auto step = r.transaction.on_time(c.now, c.profile().reliable, c.profile().timers);
  if (step.send)
    c.sink.send({r.text, send_rank::request, send_to::again, {}, r.what, 0, true});
  if (!step.terminated)
    return true;
  if (step.timed_out && awaited && send_to_next_server(c, r, nullptr))
    return true;
  auto gone = std::move(slot);
  slot = std::move(gone->next);
  if (step.timed_out && awaited)
    on_request_timeout(c, std::move(gone));
  return false;
}

void session::on_time(const context& c) {
  if (bye_ && !over_)
    own_on_time(c, bye_);
  for (auto* at = &requests_; !over_ && *at;)
    at = own_on_time(c, *at) ? &(*at)->next : &requests_;
  if (!over_ && offer_)
    offer_on_time(c);
  if (!over_ && peer_requests_)
    peer_on_time(c);
}

time_point session::next_deadline() const noexcept {
  auto at = never;
  for (auto* list : {bye_.get(), requests_.get()})
    for (auto* r = list; r != nullptr; r = r->next.get())
      at = std::min({at, r->retry_at, r->transaction.next_deadline()});
  if (offer_)
    at = std::min({at, offer_->limit_at, offer_->transaction.next_deadline()});
  for (auto* p = peer_requests_.get(); p != nullptr; p = p->next.get())
    at = std::min({at, p->limit_at, p->transaction.next_deadline()});
  return at;
}

size_t session::heap_bytes() const noexcept {
  auto of = [](const std::string& s) { return s.capacity() > 15 ? s.capacity() + 1 : 0; };
  auto n = dialog_.heap_bytes();
  for (auto* list : {bye_.get(), requests_.get()})
    for (auto* r = list; r != nullptr; r = r->next.get())
      n += sizeof *r + of(r->text) + of(r->headers) + of(r->body) + of(r->content_type);
  if (offer_)
    n += sizeof *offer_ + of(offer_->text) + of(offer_->head.fields) + of(offer_->target);
  for (auto* p = peer_requests_.get(); p != nullptr; p = p->next.get())
    n += sizeof *p + of(p->text) + of(p->head.fields) + of(p->branch) + of(p->target);
  for (auto* s : {contact_.get(), ack_.get()})
    if (s != nullptr)
      n += sizeof(std::string) + of(*s);
  return n;
}

} // namespace jackfield::sip

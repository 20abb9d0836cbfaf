#include <algorithm>
#include <utility>

#include "engine/sip/fields.hpp"
#include "engine/sip/info_digit.hpp"
#include "engine/sip/request_text.hpp"
#include "engine/sip/response_text.hpp"
#include "engine/sip/session.hpp"
#include "engine/sip/session_body.hpp"
#include "engine/sip/session_parts.hpp"
#include "engine/sip/uri.hpp"

namespace jackfield::sip {
namespace {

constexpr std::string_view retry_soon = "Retry-After: 2\r\n";

[[nodiscard]] std::string first_contact(const message& m) {
  std::string uri;
  m.each_value(header::contact, [&](std::string_view value) {
    if (auto address = parse_name_addr(value))
      uri = address->uri;
    return false;
  });
  return uri;
}

} // namespace

void session::reply(const context& c, const message& m, int status, std::string_view headers,
                    bool capabilities) {
  auto tag = dialog_.leg().text();
  auto head = make_response_head(m, view(tag), c.sink.source());
  auto& text = scratch_text();
  append_response(text, c.profile(), head,
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
  if (is_copy(c, m))
    return;
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
    if (!again)
      on_offer(c, m);
    return;
  case method::update:
    if (!session_body_of(m).text.empty()) {
      if (!again)
        on_offer(c, m);
      return;
    }
    break;
  case method::prack: // for nothing that we wait for
    reply(c, m, 481);
    return;
  default:
    break;
  }
  on_peer_request(c, m, again);
}

/// Absorbs or answers what a server transaction has had before, whatever came since.
bool session::is_copy(const context& c, const message& m) {
  auto what = m.request_method();
  if (offer_ && offer_->cseq == m.cseq_number() && offer_->what == what &&
      offer_->branch == m.via().branch) {
    if (offer_->transaction.on_request(c.now).send)
      c.sink.send({offer_->text,
                   send_rank::response,
                   send_to::request_source,
                   {},
                   what,
                   offer_->status,
                   true});
    return true;
  }
  for (auto* p = peer_requests_.get(); p != nullptr; p = p->next.get())
    if (p->cseq == m.cseq_number() && p->what == what && p->branch == m.via().branch) {
      if (p->transaction.on_request(c.now).send)
        c.sink.send(
          {p->text, send_rank::response, send_to::request_source, {}, what, p->status, true});
      return true;
    }
  return false;
}

bool session::take_prack(const context& c, const message& m) {
  if (dialog_.take_remote_cseq(m.cseq_number()) != dialog::order::lower)
    return true;
  reply(c, m, 500);
  return false;
}

void session::on_bye(const context& c, const message& m) {
  parted_ = true;
  reply(c, m, 200);
  if (offer_ && offer_->open && offer_->transaction.awaits_final())
    answer_offer_with(c, 487, {}, {}, {}, send_to::request_source);
  refuse_open(c, 487);
  // A BYE that crosses ours ends the call as well as the answer to ours.
  end(c, ending() ? end_cause_ : end_cause::remote_bye, ending() ? 200 : 0, &m);
}

// -- re-INVITE, and UPDATE with an offer ------------------------------------------------

void session::on_offer(const context& c, const message& m) {
  auto what = m.request_method();
  if (ending()) {
    reply(c, m, 487);
    return;
  }
  auto tx_active = offer_ && offer_->transaction.active();
  if (tx_active && (offer_->open || offer_->transaction.awaits_ack())) {
    reply(c, m, 500, retry_soon); // §14.2; the one before has not been decided
    return;
  }
  if (early_ && what == method::invite) { // §14.2; the first is on its way
    reply(c, m, is_caller_ ? 491 : 500, is_caller_ ? "" : retry_soon);
    return;
  }
  if (offer_refusal_ != 0) { // RFC 3311 §5.2
    reply(c, m, offer_refusal_, offer_refusal_ == 500 ? retry_soon : "");
    return;
  }
  // One of ours that waits for its time after a glare is not on its way.
  if (own_offer_pending(false) || ack_owed_ != 0) {
    reply(c, m, 491);
    return;
  }
  for (auto* r = requests_.get(); r != nullptr; r = r->next.get())
    r->outdated = r->outdated || (r->offers() && r->retry_at != never);
  auto tag = dialog_.leg().text();
  offer_.reset(new offer);
  offer_->what = what;
  offer_->cseq = m.cseq_number();
  const auto described = session_body_of(m);
  offer_->has_offer = !described.text.empty();
  offer_->open = true;
  offer_->limit_at = c.now + c.profile().offer_limit;
  offer_->head = make_response_head(m, view(tag), c.sink.source());
  offer_->branch = m.via().branch;
  offer_->target = first_contact(m);
  offer_->transaction.start(c.now, what == method::invite);
  report(c, {.kind = event_kind::offer,
             .what = what,
             .body = described.text,
             .content_type = described.content_type,
             .source = &m});
  if (what == method::invite && offer_ && offer_->open && offer_->transaction.awaits_final()) {
    append_response(offer_->text, c.profile(), offer_->head, {.status = 100});
    offer_->status = 100;
    offer_->transaction.respond(c.now, 100, c.profile().reliable, c.profile().timers);
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
  o.status = status;
  o.text.clear();
  append_response(o.text, c.profile(), o.head,
                  {.status = status,
                   .contact = good ? contact(c.profile()) : std::string_view{},
                   .capabilities = good,
                   .headers = headers,
                   .body = body,
                   .content_type = content_type});
  o.transaction.respond(c.now, status, c.profile().reliable, c.profile().timers);
  c.sink.send({o.text, send_rank::response, to, {}, o.what, status, false});
  if (!o.transaction.active())
    offer_.reset();
}

bool session::answer_offer(const context& c, std::string_view headers, std::string_view body,
                           std::string_view content_type) {
  if (over_ || !offer_ || !offer_->open)
    return false;
  answer_offer_with(c, 200, headers, body, content_type, send_to::request_source);
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
  report(c, {.kind = event_kind::offer_withdrawn, .what = method::invite, .source = &m});
}

void session::on_ack(const context& c, const message& m) {
  if (!offer_ || offer_->what != method::invite || offer_->cseq != m.cseq_number())
    return;
  auto step = offer_->transaction.on_ack(c.now, c.profile().reliable, c.profile().timers);
  if (step.deliver) {
    auto we_offered = !offer_->has_offer;
    offer_.reset();
    const auto described = session_body_of(m);
    if (!ending())
      report(c, {.kind = event_kind::offer_confirmed,
                 .what = method::invite,
                 .body = we_offered ? described.text : std::string_view{},
                 .content_type = described.content_type,
                 .source = &m});
  } else if (step.terminated) {
    offer_.reset();
  } else {
    release(offer_->text);
  }
}

void session::offer_on_time(const context& c) {
  if (c.now >= offer_->limit_at) {
    auto what = offer_->what;
    answer_offer_with(c, 500, {}, {}, {}, send_to::request_source);
    report(c, {.kind = event_kind::offer_withdrawn, .status = 500, .what = what});
    return;
  }
  auto good = offer_->transaction.state() == transaction_state::accepted;
  auto step = offer_->transaction.on_time(c.now, c.profile().reliable, c.profile().timers);
  if (step.send) {
    c.sink.send({offer_->text,
                 send_rank::response,
                 send_to::request_source,
                 {},
                 offer_->what,
                 offer_->status,
                 true});
  } else if (step.terminated) {
    offer_.reset();
    if (step.timed_out && good) // §14.2: as if the first 2xx was never ACKed
      hang_up(c, end_cause::no_ack, {});
  }
}

// -- other requests -------------------------------------------------------------------------

session::peer_request* session::find_open(uint32_t number) const noexcept {
  for (auto* p = peer_requests_.get(); p != nullptr; p = p->next.get())
    if (p->number == number && p->open)
      return p;
  return nullptr;
}

/// What has been answered is kept for copies of it, but not more than a few.
void session::prune_peer() noexcept {
  size_t closed = 0;
  for (auto* p = peer_requests_.get(); p != nullptr; p = p->next.get())
    closed += p->open ? 0 : 1;
  for (auto* at = &peer_requests_; *at;) {
    auto& p = **at;
    auto gone = !p.open && (!p.transaction.active() || closed > max_pending);
    closed -= gone ? 1 : 0;
    if (gone)
      *at = std::move(p.next);
    else
      at = &p.next;
  }
}

void session::on_peer_request(const context& c, const message& m, bool again) {
  auto what = m.request_method();
  size_t waiting = 0;
  auto* end = &peer_requests_;
  for (; *end; end = &(*end)->next)
    waiting += (*end)->open ? 1 : 0;
  if (waiting >= max_pending) {
    reply(c, m, 500, retry_soon);
    return;
  }
  end->reset(new peer_request);
  auto& p = **end;
  p.what = what;
  p.cseq = m.cseq_number();
  p.number = branches_++;
  p.head = make_response_head(m, view(dialog_.leg().text()), c.sink.source());
  p.branch = m.via().branch;
  p.info_package = what == method::info && m.find("Info-Package");
  p.unknown_body = what == method::info && !m.body().empty() &&
                   !read_info_digit(m.first(header::content_type), m.body());
  if (what == method::update)
    p.target = first_contact(m);
  p.transaction.start(c.now, false);
  if (again || ending()) { // the user has had it, or does not care any more
    answer_by_default(c, p);
    return;
  }
  auto number = p.number;
  report(c, {.kind = event_kind::request,
             .what = what,
             .number = number,
             .body = m.body(),
             .content_type = m.first(header::content_type),
             .source = &m});
  if (auto* left = find_open(number); left != nullptr && !left->deferred)
    answer_by_default(c, *left);
}

/// Lets go of `p` if nothing may ask for it again.
void session::answer_peer(const context& c, peer_request& p, const response_text& r) {
  auto good = r.status < 300;
  auto full = r;
  if (good && p.what == method::update) {
    if (auto target = uri::parse(p.target); target && target->is_sip())
      dialog_.set_remote_target(p.target);
    full.contact = contact(c.profile());
  }
  if ((good && (p.what == method::update || p.what == method::options)) || r.status == 405 ||
      r.status == 501)
    full.capabilities = true;
  p.open = p.deferred = false;
  p.limit_at = never;
  p.status = r.status;
  append_response(p.text, c.profile(), p.head, full);
  p.head = {};
  p.transaction.respond(c.now, r.status, c.profile().reliable, c.profile().timers);
  c.sink.send({p.text, send_rank::response, send_to::request_source, {}, p.what, r.status, false});
  prune_peer();
}

void session::answer_by_default(const context& c, peer_request& p) {
  auto answer = [&](int status, std::string_view headers = {}) {
    answer_peer(c, p, {.status = status, .headers = headers});
  };
  if (p.what == method::unknown) {
    answer(501);
  } else if (p.what == method::notify) {
    answer(481); // we have no subscription (RFC 6665 §4.1.3)
  } else if (!c.profile().allow.has(p.what)) {
    answer(405);
  } else if (p.info_package) {
    answer(469, "Recv-Info:\r\n"); // RFC 6086 §4.2.2
  } else if (p.unknown_body) {
    answer(415, "Accept: application/dtmf-relay, application/dtmf\r\n");
  } else if (p.what == method::options) {
    answer(200, capability_lines);
  } else if (p.what == method::refer) {
    answer(603);
  } else if (p.what == method::subscribe || p.what == method::publish) {
    answer(489); // RFC 6665 §4.2.1.1, RFC 3903 §6
  } else {
    answer(200);
  }
}

bool session::answer_request(const context& c, uint32_t number, int status,
                             std::string_view headers, std::string_view body,
                             std::string_view content_type) {
  auto* p = over_ ? nullptr : find_open(number);
  if (p == nullptr || status < 200 || status > 699)
    return false;
  answer_peer(c, *p,
              {.status = status, .headers = headers, .body = body, .content_type = content_type});
  return true;
}

bool session::defer_request(const context& c, uint32_t number) {
  auto* p = over_ ? nullptr : find_open(number);
  if (p == nullptr)
    return false;
  if (!p->deferred)
    p->limit_at = c.now + c.profile().offer_limit;
  p->deferred = true;
  return true;
}

void session::refuse_open(const context& c, int status) {
  for (auto* p = peer_requests_.get(); p != nullptr;) {
    if (p->open) {
      answer_peer(c, *p, {.status = status});
      p = peer_requests_.get();
    } else {
      p = p->next.get();
    }
  }
}

void session::peer_on_time(const context& c) {
  for (auto* p = peer_requests_.get(); p != nullptr && !over_;) {
    if (c.now < p->limit_at) {
      p->transaction.on_time(c.now, c.profile().reliable, c.profile().timers);
      p = p->next.get();
      continue;
    }
    auto number = p->number;
    auto what = p->what;
    answer_peer(c, *p, {.status = 500, .headers = retry_soon});
    report(c, {.kind = event_kind::request_expired, .status = 500, .what = what, .number = number});
    p = peer_requests_.get();
  }
  prune_peer();
}

} // namespace jackfield::sip

#include "engine/sip/invite_client.hpp"

#include <algorithm>
#include <utility>

#include "engine/sip/fields.hpp"
#include "engine/sip/request_text.hpp"
#include "engine/sip/response_text.hpp"
#include "engine/sip/targets.hpp"
#include "engine/sip/text.hpp"
#include "engine/sip/uri.hpp"

namespace jackfield::sip {

namespace {

/// A response longer than this does not make an early dialog.
constexpr size_t max_early_text = 16'384;

/// RSeq of a reliable provisional response (RFC 3262 §4); 0 for any other.
[[nodiscard]] uint32_t reliable_number(const message& m) {
  if (!m.has(header::require) || !m.has(header::rseq))
    return 0;
  auto required = false;
  m.each_value(header::require,
               [&](std::string_view tag) { return !(required = iequals(tag, "100rel")); });
  if (!required)
    return 0;
  return static_cast<uint32_t>(parse_uint(m.first(header::rseq), UINT32_MAX).value_or(0));
}

} // namespace

/// What is needed until the INVITE is answered.
struct invite_client::setup {
  /// An early dialog.
  struct fork {
    uint64_t tag = 0;
    std::string text;               // the response that the session is made of when it is needed
    std::unique_ptr<session> early; // from then on
    uint32_t rseq = 0;              // of its last reliable response; 0: none
    uint32_t owed = 0;              // RSeq of the response whose offer waits for `acknowledge`
    bool has_target = false;
    bool answered = false; // the first offer is, reliably
  };

  std::string from, to, contact, route, headers, body, content_type;
  std::string next_route; // URI of the first route
  /// [0] is what was asked for, the rest came in 3xx; `target` is the one being tried.
  std::vector<std::string> targets;
  size_t target = 0;
  unsigned redirects = 0;
  std::vector<fork> forks;
  client_transaction invite;
  client_transaction cancel;
  std::string invite_text, cancel_text; // for retransmission
  std::string cancel_headers;
  uint64_t random = 0;
  uint32_t cseq = 0;
  uint32_t counter = 0; // of the branch, counts INVITEs
  duration ringing_limit{};
  time_point give_up_at = never; // timer C, or after CANCEL 64*T1
  bool sent = false;
  bool provisional = false;
  bool ringing = false;
  bool hang_up = false; // wanted
  bool cancel_sent = false;
  end_cause why = end_cause::cancelled;

  [[nodiscard]] std::string_view uri_text() const noexcept { return targets[target]; }
  [[nodiscard]] std::string_view next_hop() const noexcept {
    return next_route.empty() ? uri_text() : std::string_view(next_route);
  }
};

invite_client::invite_client(const ua_profile& profile, const leg_id& id) : leg_core(profile, id) {}
invite_client::~invite_client() = default;
invite_client::invite_client(invite_client&&) noexcept = default;
invite_client& invite_client::operator=(invite_client&&) noexcept = default;

result<void> invite_client::prepare(const call_options& o) {
  if (setup_ || session_.valid() || over_)
    return fail("call", "was started before");
  auto target = uri::parse(o.uri);
  if (!target || !target->is_sip())
    return fail(std::string(o.uri), "expected a SIP URI to call");
  for (auto [name, value] : {std::pair{"from", o.from},
                             {"to", o.to},
                             {"contact", o.contact},
                             {"route", o.route},
                             {"content type", o.content_type}})
    if (!is_safe_value(value))
      return fail(name, "has a control character");
  if (auto from = parse_name_addr(o.from); !from || !from->tag.empty())
    return fail("from", "expected an address without tag");
  if (!o.to.empty())
    if (auto to = parse_name_addr(o.to); !to || !to->tag.empty())
      return fail("to", "expected an address without tag");
  if (!is_safe_header_lines(o.headers))
    return fail("headers", "expected whole lines \"Name: value\" that end with CR LF");
  if (o.cseq == 0 || o.cseq > 1u << 30)
    return fail("cseq", "expected 1 .. 2^30");
  std::string next_route;
  if (!o.route.empty()) {
    auto hop = first_loose_route(o.route);
    if (!hop)
      return tl::unexpected(hop.error());
    next_route = *hop;
  }
  setup_.reset(new setup);
  auto& s = *setup_;
  s.from = o.from;
  if (o.to.empty()) {
    s.to.reserve(o.uri.size() + 2);
    append(s.to, "<", o.uri, ">");
  } else {
    s.to = o.to;
  }
  s.contact = o.contact;
  s.route = o.route;
  s.next_route = std::move(next_route);
  s.headers = o.headers;
  s.body = o.body;
  s.content_type = o.content_type;
  s.targets.emplace_back(o.uri);
  s.random = o.random;
  s.cseq = o.cseq;
  s.ringing_limit = o.ringing_limit;
  credentials_ = o.credentials;
  return {};
}

result<void> invite_client::send(time_point now, ua_sink& sink) {
  if (over_)
    return fail("call", "is over");
  if (!setup_ || setup_->sent)
    return fail("call", setup_ ? "was sent before" : "is not prepared");
  send_invite(now, sink, false);
  return {};
}

result<void> invite_client::start(time_point now, const call_options& options, ua_sink& sink) {
  return prepare(options).and_then([&] { return send(now, sink); });
}

std::string invite_client::invite_branch() const {
  return setup_ ? std::string(view(branch_id{id_, setup_->counter}.text())) : std::string{};
}

void invite_client::send_invite(time_point now, ua_sink& sink, bool follows_ack) {
  auto& s = *setup_;
  auto tag = id_.text();
  std::string credentials;
  if (!digest_.empty())
    digest_.append_authorization(credentials, {"INVITE", s.uri_text(), s.body},
                                 host_of(s.uri_text()), host_of(s.next_hop()));
  request_text t;
  t.what = method::invite;
  t.uri = s.uri_text();
  t.branch = {id_, s.counter};
  t.route = s.route;
  t.from = s.from;
  t.from_tag = view(tag);
  t.to = s.to;
  t.call_id = view(tag);
  t.cseq = s.cseq;
  t.contact = s.contact.empty() ? std::string_view(profile_->contact) : s.contact;
  t.capabilities = true;
  t.credentials = credentials;
  t.headers = s.headers;
  t.body = s.body;
  t.content_type = s.content_type;
  auto& text = profile_->reliable ? scratch_text() : s.invite_text;
  text.clear();
  text.reserve(512 + s.body.size());
  append_request(text, *profile_, t);
  s.invite.start(now, true, profile_->reliable, profile_->timers);
  s.sent = true;
  s.provisional = s.ringing = false;
  s.give_up_at = never;
  auto forks = std::exchange(s.forks, {});
  invite_cseq_ = s.cseq;
  // A peer must not see the new INVITE before the ACK that ends the one before.
  sink.send({text, follows_ack ? send_rank::request : send_rank::invite, send_to::next_hop,
             s.next_hop(), method::invite, 0, false});
  for (auto& f : forks)
    if (f.early)
      f.early->abandon(context(now, sink));
}

void invite_client::send_cancel(time_point now, ua_sink& sink) {
  auto& s = *setup_;
  auto tag = id_.text();
  request_text t;
  t.what = method::cancel;
  t.uri = s.uri_text();
  t.branch = {id_, s.counter};
  t.route = s.route;
  t.from = s.from;
  t.from_tag = view(tag);
  t.to = s.to;
  t.call_id = view(tag);
  t.cseq = s.cseq;
  t.headers = s.cancel_headers;
  auto& text = profile_->reliable ? scratch_text() : s.cancel_text;
  text.clear();
  append_request(text, *profile_, t);
  s.cancel.start(now, false, profile_->reliable, profile_->timers);
  s.cancel_sent = true;
  s.give_up_at = now + profile_->timers.transaction_limit(); // §9.1
  sink.send({text, send_rank::request, send_to::again, {}, method::cancel, 0, false});
}

void invite_client::acknowledge_failure(const message& m, uint32_t counter, send_to to, bool again,
                                        ua_sink& sink) {
  auto& s = *setup_;
  auto tag = id_.text();
  request_text t;
  t.what = method::ack;
  t.uri = s.uri_text();
  t.branch = {id_, counter};
  t.route = s.route;
  t.from = s.from;
  t.from_tag = view(tag);
  t.to = m.first(header::to);
  t.call_id = view(tag);
  t.cseq = m.cseq_number();
  auto& text = scratch_text();
  append_request(text, *profile_, t);
  sink.send({text, send_rank::ack, to, {}, method::ack, 0, again});
}

unsigned invite_client::fork_of(const message& m) {
  if (m.to_tag().empty())
    return 0;
  auto& forks = setup_->forks;
  auto tag = hash_of_tag(m.to_tag());
  auto at = std::find_if(forks.begin(), forks.end(), [tag](auto& f) { return f.tag == tag; });
  if (at == forks.end() && forks.size() < std::min(profile_->max_forks, session::max_forks)) {
    forks.emplace_back().tag = tag;
    at = forks.end() - 1;
  }
  return static_cast<unsigned>(at - forks.begin());
}

// -- messages ---------------------------------------------------------------------------

void invite_client::on_message(time_point now, const message& m, ua_sink& sink) {
  if (m.is_request()) {
    if (session_.valid()) {
      session_.on_request(context(now, sink), m);
    } else {
      on_early_request(now, m, sink);
    }
    return;
  }
  auto branch = branch_id::parse(m.via().branch);
  auto tag = id_.text();
  if (!branch || branch->leg != id_ || m.call_id() != view(tag) || m.from_tag() != view(tag))
    return;
  if (surplus_)
    for (auto& bye : *surplus_)
      if (bye.branch() == *branch) {
        bye.on_response(now, m.status());
        return;
      }
  if (setup_ && branch->counter == setup_->counter && m.cseq_method() == method::cancel) {
    setup_->cancel.on_response(now, m.status(), profile_->reliable, profile_->timers);
    return;
  }
  if (setup_ && session::is_branch(branch->counter)) {
    auto fork = session::fork_of(branch->counter);
    if (fork < setup_->forks.size() && setup_->forks[fork].early)
      setup_->forks[fork].early->on_response(context(now, sink), m, branch->counter);
    return;
  }
  if (session_.valid() && session_.on_response(context(now, sink), m, branch->counter))
    return;
  if (m.cseq_method() == method::invite)
    on_invite_response(now, m, branch->counter, sink);
}

void invite_client::on_invite_response(time_point now, const message& m, uint32_t counter,
                                       ua_sink& sink) {
  auto status = m.status();
  if (session_.valid()) {
    // Accepted: all that matters now are further 2xx.
    if (m.cseq_number() == invite_cseq_ && status >= 200 && status < 300)
      on_surplus_answer(now, m, sink);
    return;
  }
  if (!setup_)
    return;
  auto& s = *setup_;
  if (counter != s.counter) {
    if (counter < s.counter && status >= 300) // an attempt before, whose ACK was lost
      acknowledge_failure(m, counter, send_to::request_source, true, sink);
    return;
  }
  if (m.cseq_number() != s.cseq)
    return;
  auto step = s.invite.on_response(now, status, profile_->reliable, profile_->timers);
  if (step.acknowledge)
    acknowledge_failure(m, counter, send_to::again, !step.deliver, sink);
  if (!step.deliver)
    return;
  release(s.invite_text);
  if (status >= 300) {
    on_failure(now, m, sink);
    return;
  }
  if (status >= 200) {
    on_answer(now, m, sink);
    return;
  }
  if (!s.provisional && !s.cancel_sent)
    s.give_up_at = now + s.ringing_limit;
  s.provisional = true;
  if (s.hang_up) {
    if (!s.cancel_sent)
      send_cancel(now, sink);
    return;
  }
  if (status > 100) { // §16.7: each starts timer C anew
    s.give_up_at = now + s.ringing_limit;
    s.ringing = true;
  }
  auto fork = fork_of(m);
  auto needs_answer = false;
  if (status > 100 && !m.to_tag().empty() && fork < s.forks.size() &&
      !take_provisional(now, m, fork, needs_answer, sink))
    return;
  sink.on_event({.kind = event_kind::provisional,
                 .status = status,
                 .what = method::invite,
                 .fork = fork,
                 .needs_answer = needs_answer,
                 .body = m.body(),
                 .content_type = m.first(header::content_type),
                 .source = &m});
}

bool invite_client::take_provisional(time_point now, const message& m, unsigned fork,
                                     bool& needs_answer, ua_sink& sink) {
  auto& s = *setup_;
  auto& f = s.forks[fork];
  // The first counts (§12.1.2), but one without Contact says nothing of where to go.
  auto has_target = m.has(header::contact);
  if (!f.early && m.bytes().size() <= max_early_text &&
      (f.text.empty() || (has_target && !f.has_target))) {
    f.text = m.bytes();
    f.has_target = has_target;
  }
  auto rseq = reliable_number(m);
  auto* dialog = rseq == 0 ? nullptr : early(fork);
  if (dialog == nullptr)
    return true;
  if (f.rseq != 0 && rseq != f.rseq + 1) {
    if (rseq <= f.rseq)
      dialog->repeat_prack(context(now, sink), rseq, s.cseq);
    return false;
  }
  if (s.body.empty() && !m.body().empty() && !f.answered) {
    needs_answer = true;
    f.owed = f.rseq = rseq;
    return true;
  }
  if (!dialog->send_prack(context(now, sink), rseq, s.cseq, {}, {}))
    return false;
  f.rseq = rseq;
  if (!m.body().empty()) {
    f.answered = true;
    dialog->allow_offers();
  }
  return true;
}

session* invite_client::early(unsigned fork) {
  if (!setup_ || fork >= setup_->forks.size())
    return nullptr;
  auto& s = *setup_;
  auto& f = s.forks[fork];
  if (!f.early && !f.text.empty()) {
    message m;
    if (m.parse(f.text) == parse_verdict::good)
      if (auto d = dialog::from_response(id_, m, s.uri_text(), s.cseq); d.valid()) {
        f.early = std::make_unique<session>(std::move(d), true, s.contact, fork);
        f.early->begin_early(s.body.empty() ? 500 : 491);
      }
    release(f.text);
  }
  return f.early.get();
}

void invite_client::on_answer(time_point now, const message& m, ua_sink& sink) {
  auto& s = *setup_;
  auto d = dialog::from_response(id_, m, s.uri_text(), s.cseq);
  if (!d.valid()) {
    end(end_cause::protocol_error, m.status(), &m, sink);
    return;
  }
  auto wanted = !s.hang_up;
  auto why = s.why == end_cause::cancelled ? end_cause::cancelled_but_answered : s.why;
  auto fork = fork_of(m);
  auto known = fork < s.forks.size();
  auto delayed =
    s.body.empty() && !m.body().empty() && wanted && !(known && s.forks[fork].answered);
  if (known && s.forks[fork].early) {
    session_ = std::move(*std::exchange(s.forks[fork].early, nullptr));
    session_.confirm(std::move(d));
  } else {
    session_ = session(std::move(d), true, s.contact, std::min(fork, session::max_forks - 1));
  }
  confirmed_ = true;
  answered_at_ = now;
  auto headers = std::move(s.cancel_headers);
  auto losers = std::move(s.forks);
  setup_.reset();
  digest_.on_success(m);
  auto c = context(now, sink);
  if (delayed)
    session_.owe_ack(invite_cseq_);
  else
    session_.send_ack(c, invite_cseq_, {}, {});
  if (!wanted)
    session_.hang_up(c, why, headers);
  else
    sink.on_event({.kind = event_kind::answered,
                   .status = m.status(),
                   .what = method::invite,
                   .fork = fork,
                   .needs_answer = delayed,
                   .body = m.body(),
                   .content_type = m.first(header::content_type),
                   .source = &m});
  for (auto& f : losers)
    if (f.early)
      f.early->abandon(c);
}

void invite_client::on_surplus_answer(time_point now, const message& m, ua_sink& sink) {
  if (m.to_tag() == session_.state().remote_tag()) {
    session_.repeat_ack(context(now, sink), m.cseq_number());
    return;
  }
  auto tag = hash_of_tag(m.to_tag());
  if (!surplus_)
    surplus_ = std::make_unique<std::vector<parting_bye>>();
  for (auto& bye : *surplus_)
    if (bye.tag_hash() == tag) {
      parting_bye::repeat_ack(id_, m, *profile_, sink);
      return;
    }
  // Beyond any real fork: the oldest has had its BYE.
  if (surplus_->size() >= profile_->max_forks)
    surplus_->erase(surplus_->begin());
  surplus_->emplace_back(now, id_, m, *profile_, sink);
  sink.on_event({.kind = event_kind::surplus_answer,
                 .status = m.status(),
                 .what = method::invite,
                 .source = &m});
}

void invite_client::on_failure(time_point now, const message& m, ua_sink& sink) {
  auto& s = *setup_;
  auto status = m.status();
  if (s.hang_up) {
    end(s.why, status, &m, sink);
    return;
  }
  ua_event retrying{
    .kind = event_kind::retrying, .status = status, .what = method::invite, .source = &m};
  if (status == 401 || status == 407) {
    if (digest_.on_challenge(m, credentials_, host_of(s.uri_text()), host_of(s.next_hop()),
                             s.random + s.counter) != digest_session::verdict::retry) {
      end(end_cause::auth_failed, status, &m, sink);
      return;
    }
    ++s.counter;
    ++s.cseq;
    send_invite(now, sink, true);
    sink.on_event(retrying);
    return;
  }
  if (status < 400 && !take_targets(m)) {
    end(end_cause::redirect_loop, status, &m, sink);
    return;
  }
  if (status < 600 && try_next_target(now, status, &m, true, sink))
    return;
  end(cause_of_status(status), status, &m, sink);
}

bool invite_client::take_targets(const message& m) {
  auto& s = *setup_;
  if (++s.redirects > profile_->max_redirects)
    return false;
  return insert_redirect_targets(m, s.targets, s.target, profile_->max_targets);
}

bool invite_client::try_next_target(time_point now, int status, const message* m, bool follows_ack,
                                    ua_sink& sink) {
  auto& s = *setup_;
  if (s.target + 1 >= s.targets.size())
    return false;
  ++s.target;
  ++s.counter;
  ++s.cseq;
  send_invite(now, sink, follows_ack);
  sink.on_event(
    {.kind = event_kind::retrying, .status = status, .what = method::invite, .source = m});
  return true;
}

/// No dialog is confirmed yet; an early one has the rights of a session that is not to end by them.
void invite_client::on_early_request(time_point now, const message& m, ua_sink& sink) {
  auto tag = id_.text();
  auto what = m.request_method();
  if (what == method::ack)
    return;
  auto ours = setup_ && setup_->sent && m.call_id() == view(tag) && m.to_tag() == view(tag);
  auto status = 481;
  if (ours) {
    auto& forks = setup_->forks;
    auto at = std::find_if(forks.begin(), forks.end(),
                           [t = hash_of_tag(m.from_tag())](auto& f) { return f.tag == t; });
    if (what == method::bye) {
      status = at != forks.end() || forks.empty() ? 200 : 481;
    } else if (at != forks.end()) {
      if (auto* dialog = early(static_cast<unsigned>(at - forks.begin()))) {
        dialog->on_request(context(now, sink), m);
        return;
      }
    }
  }
  auto head = make_response_head(m, view(tag), sink.source());
  auto& text = scratch_text();
  append_response(text, *profile_, head, {.status = status});
  sink.send({text, send_rank::response, send_to::request_source, {}, what, status, false});
  // A called party must not hang up an early dialog (§15), but its 2xx may have been lost until it
  // gave up waiting for the ACK.
  if (what == method::bye && status == 200 && setup_->forks.size() <= 1)
    end(end_cause::remote_bye, 0, &m, sink);
}

void invite_client::end(end_cause cause, int status, const message* source, ua_sink& sink) {
  unsigned wait = 0;
  if (source != nullptr && source->has(header::retry_after))
    wait = parse_retry_after(source->first(header::retry_after)).value_or(0);
  setup_.reset();
  over_ = true;
  sink.on_event({.kind = event_kind::ended,
                 .cause = cause,
                 .status = status,
                 .what = method::invite,
                 .seconds = wait,
                 .source = source});
}

// -- time -------------------------------------------------------------------------------

void invite_client::on_time(time_point now, ua_sink& sink) {
  if (surplus_) {
    for (auto& bye : *surplus_)
      bye.on_time(now, sink);
    std::erase_if(*surplus_, [](auto& bye) { return bye.over(); });
  }
  if (session_.valid()) {
    session_.on_time(context(now, sink));
    return;
  }
  for (size_t i = 0; setup_ && i < setup_->forks.size(); ++i)
    if (setup_->forks[i].early)
      setup_->forks[i].early->on_time(context(now, sink));
  if (!setup_)
    return;
  auto& s = *setup_;
  if (s.cancel.active() && s.cancel.on_time(now, profile_->reliable, profile_->timers).send)
    sink.send({s.cancel_text, send_rank::request, send_to::again, {}, method::cancel, 0, true});
  auto step = s.invite.on_time(now, profile_->reliable, profile_->timers);
  if (step.send)
    sink.send({s.invite_text, send_rank::invite, send_to::again, {}, method::invite, 0, true});
  if (step.timed_out) {
    if (s.hang_up) {
      end(s.why, 0, nullptr, sink);
    } else if (!try_next_target(now, 408, nullptr, false, sink)) {
      end(end_cause::timeout_b, 0, nullptr, sink);
    }
    return;
  }
  if (now < s.give_up_at)
    return;
  if (s.cancel_sent) {
    end(s.why, 0, nullptr, sink);
    return;
  }
  s.why = end_cause::timeout_c;
  s.hang_up = true;
  send_cancel(now, sink);
}

time_point invite_client::next_deadline() const noexcept {
  auto at = session_.valid() ? session_.next_deadline() : never;
  if (setup_) {
    at = std::min(
      {at, setup_->give_up_at, setup_->invite.next_deadline(), setup_->cancel.next_deadline()});
    for (auto& f : setup_->forks)
      if (f.early)
        at = std::min(at, f.early->next_deadline());
  }
  if (surplus_)
    for (auto& bye : *surplus_)
      at = std::min(at, bye.next_deadline());
  return at;
}

void invite_client::on_transport_failed(time_point now, ua_sink& sink) {
  if (session_.valid()) {
    session_.end(context(now, sink), end_cause::transport_failed, 0, nullptr);
    return;
  }
  if (!setup_)
    return;
  setup_->invite.on_transport_error();
  if (setup_->hang_up)
    end(setup_->why, 0, nullptr, sink);
  else if (!try_next_target(now, 503, nullptr, false, sink))
    end(end_cause::transport_failed, 0, nullptr, sink);
}

// -- commands -----------------------------------------------------------------------------

void invite_client::hang_up(time_point now, ua_sink& sink, std::string_view headers) {
  if (!is_safe_header_lines(headers))
    headers = {};
  if (session_.valid()) {
    auto c = context(now, sink);
    // The 2xx must be ACKed even so (§13.2.2.4).
    if (!session_.ending() && !session_.over() && session_.owes_ack())
      session_.acknowledge(c, {}, {});
    session_.hang_up(c, end_cause::local_bye, headers);
    return;
  }
  if (!setup_ || setup_->hang_up)
    return;
  if (!setup_->sent) {
    end(end_cause::cancelled, 0, nullptr, sink);
    return;
  }
  setup_->hang_up = true;
  setup_->cancel_headers = headers;
  if (setup_->provisional)
    send_cancel(now, sink);
}

uint32_t invite_client::send_request(time_point now, method what, std::string_view body,
                                     ua_sink& sink, std::string_view content_type,
                                     std::string_view headers, unsigned fork) {
  if (!setup_)
    return leg_core::send_request(now, what, body, sink, content_type, headers);
  auto* dialog = setup_->hang_up ? nullptr : early(fork);
  if (dialog == nullptr || !is_safe_header_lines(headers) || !is_safe_value(content_type))
    return 0;
  return dialog->send_request(context(now, sink), what, headers, body, content_type);
}

bool invite_client::answer_request(time_point now, uint32_t number, int status, ua_sink& sink,
                                   std::string_view headers, std::string_view body,
                                   std::string_view content_type) {
  if (!setup_)
    return leg_core::answer_request(now, number, status, sink, headers, body, content_type);
  auto* dialog = early(session::fork_of(number));
  return dialog != nullptr && is_safe_header_lines(headers) && is_safe_value(content_type) &&
         dialog->answer_request(context(now, sink), number, status, headers, body, content_type);
}

bool invite_client::defer_request(time_point now, uint32_t number, ua_sink& sink) {
  if (!setup_)
    return leg_core::defer_request(now, number, sink);
  auto* dialog = early(session::fork_of(number));
  return dialog != nullptr && dialog->defer_request(context(now, sink), number);
}

bool invite_client::acknowledge(time_point now, std::string_view body, ua_sink& sink,
                                std::string_view content_type, unsigned fork) {
  if (!setup_)
    return leg_core::acknowledge(now, body, sink, content_type);
  auto* dialog = early(fork);
  if (dialog == nullptr || !is_safe_value(content_type) || setup_->forks[fork].owed == 0)
    return false;
  auto& f = setup_->forks[fork];
  if (!dialog->send_prack(context(now, sink), f.owed, setup_->cseq, body, content_type))
    return false;
  f.owed = 0;
  f.answered = true;
  dialog->allow_offers();
  return true;
}

bool invite_client::answer_offer(time_point now, std::string_view body, ua_sink& sink,
                                 std::string_view content_type, unsigned fork) {
  if (!setup_)
    return leg_core::answer_offer(now, body, sink, content_type);
  auto* dialog = early(fork);
  return dialog != nullptr && is_safe_value(content_type) &&
         dialog->answer_offer(context(now, sink), body, content_type);
}

bool invite_client::refuse_offer(time_point now, int status, ua_sink& sink, unsigned fork) {
  if (!setup_)
    return leg_core::refuse_offer(now, status, sink);
  auto* dialog = early(fork);
  return dialog != nullptr && dialog->refuse_offer(context(now, sink), status);
}

leg_phase invite_client::current() const noexcept {
  if (over_ || session_.over())
    return phase::over;
  if (session_.valid())
    return session_.ending() ? phase::ending : phase::established;
  if (!setup_)
    return phase::idle;
  if (!setup_->sent)
    return phase::prepared;
  if (setup_->hang_up)
    return phase::cancelling;
  return setup_->ringing ? phase::ringing : phase::calling;
}

void invite_client::leave(time_point now, linger_table& table) {
  if (!session_.valid()) {
    if (invite_cseq_ != 0)
      table.answer_late_2xx(now, id_, 0);
    return;
  }
  if (invite_cseq_ != 0 && now - answered_at_ < profile_->timers.transaction_limit())
    table.answer_late_2xx(now, id_, hash_of_tag(session_.state().remote_tag()));
  if (session_.parted())
    table.answer_bye(now, id_, 200);
  if (surplus_)
    for (auto& bye : *surplus_)
      if (!bye.over())
        table.finish(std::move(bye));
  surplus_.reset();
}

size_t invite_client::heap_bytes() const noexcept {
  auto of = [](const std::string& s) { return s.capacity() > 15 ? s.capacity() + 1 : 0; };
  auto n = core_heap_bytes();
  if (setup_) {
    auto& s = *setup_;
    n += sizeof s + of(s.from) + of(s.to) + of(s.contact) + of(s.route) + of(s.headers) +
         of(s.body) + of(s.content_type) + of(s.invite_text) + of(s.cancel_text) +
         s.targets.capacity() * sizeof(std::string) + s.forks.capacity() * sizeof(setup::fork);
    for (auto& f : s.forks)
      n += of(f.text) + (f.early ? sizeof(session) + f.early->heap_bytes() : 0);
    for (auto& t : s.targets)
      n += of(t);
  }
  if (surplus_)
    for (auto& bye : *surplus_)
      n += sizeof bye + bye.heap_bytes();
  return n;
}

} // namespace jackfield::sip

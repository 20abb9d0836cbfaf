#include "engine/sip/invite_client.hpp"

#include <algorithm>
#include <utility>

#include "engine/sip/fields.hpp"
#include "engine/sip/invite_client_setup.hpp"
#include "engine/sip/request_text.hpp"
#include "engine/sip/response_text.hpp"
#include "engine/sip/session_body.hpp"
#include "engine/sip/targets.hpp"
#include "engine/sip/text.hpp"
#include "engine/sip/uri.hpp"

namespace jackfield::sip {

invite_client::invite_client(const ua_profile& profile, const leg_id& id) : leg_core(profile, id) {}
invite_client::~invite_client() = default;
invite_client::invite_client(invite_client&&) noexcept = default;
invite_client& invite_client::operator=(invite_client&&) noexcept = default;

result<std::string_view> check_addresses(std::string_view uri_text, std::string_view from,
                                         std::string_view to, std::string_view route) {
  auto target = uri::parse(uri_text);
  if (!target || !target->is_sip())
    return fail(std::string(uri_text), "expected a SIP URI to call");
  for (auto [name, value] : {std::pair{"from", from}, {"to", to}, {"route", route}})
    if (!is_safe_value(value))
      return fail(name, "has a control character");
  if (auto address = parse_name_addr(from); !address || !address->tag.empty())
    return fail("from", "expected an address without tag");
  if (!to.empty())
    if (auto address = parse_name_addr(to); !address || !address->tag.empty())
      return fail("to", "expected an address without tag");
  return route.empty() ? std::string_view{} : first_loose_route(route);
}

result<void> invite_client::prepare(const call_options& o) {
  if (setup_ || session_.valid() || over_)
    return fail("call", "was started before");
  auto next_route = check_addresses(o.uri, o.from, o.to, o.route);
  if (!next_route)
    return tl::unexpected(next_route.error());
  for (auto [name, value] : {std::pair{"contact", o.contact}, {"content type", o.content_type}})
    if (!is_safe_value(value))
      return fail(name, "has a control character");
  if (!is_safe_header_lines(o.headers))
    return fail("headers", "expected whole lines \"Name: value\" that end with CR LF");
  if (o.cseq == 0 || o.cseq > 1u << 30)
    return fail("cseq", "expected 1 .. 2^30");
  if (o.max_forwards > 255)
    return fail("max forwards", "expected 0 .. 255");
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
  s.next_route = *next_route;
  s.headers = o.headers;
  s.body = o.body;
  s.content_type = o.content_type;
  s.targets.push_back({std::string{o.uri}, {}});
  s.random = o.random;
  s.cseq = o.cseq;
  s.max_forwards = o.max_forwards;
  s.ringing_limit = o.ringing_limit;
  s.hold_ack = o.hold_ack;
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
  t.max_forwards = s.max_forwards;
  t.contact = s.contact.empty() // §8.1.1.8
                ? profile_->contact_for(is_secure(s.uri_text()) || s.route.starts_with("<sips:"))
                : std::string_view{s.contact};
  t.capabilities = true;
  t.credentials = credentials;
  const auto headers = s.targets[s.target].headers + s.headers;
  t.headers = headers;
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

void invite_client::send_cancel(time_point now, send_to to, ua_sink& sink) {
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
  auto hop = to == send_to::next_hop ? s.next_hop() : std::string_view{};
  sink.send({text, send_rank::request, to, hop, method::cancel, 0, false});
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
  // Who still asks for its ACK after several BYEs may take none before it.
  if (session_.owes_ack() && session_.ending() && m.cseq_method() == method::invite &&
      m.cseq_number() == invite_cseq_ && m.status() >= 200 && m.status() < 300 &&
      m.to_tag() == session_.state().remote_tag() &&
      now - answered_at_ >= 8 * profile_->timers.t1) {
    session_.acknowledge(context(now, sink), {}, {});
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
    // An attempt before: its ACK was lost, or its server has answered after all. One that was taken
    // back may have had another since its record was made.
    if (counter > s.counter && !s.taken_back)
      return;
    if (status >= 300)
      acknowledge_failure(m, counter, send_to::request_source, true, sink);
    else if (status >= 200)
      on_surplus_answer(now, m, sink);
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
      send_cancel(now, send_to::again, sink);
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
  const auto described = session_body_of(m);
  sink.on_event({.kind = event_kind::provisional,
                 .status = status,
                 .what = method::invite,
                 .fork = fork,
                 .needs_answer = needs_answer,
                 .body = described.text,
                 .content_type = described.content_type,
                 .source = &m});
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
  const auto described = session_body_of(m);
  auto delayed =
    s.body.empty() && !described.text.empty() && wanted && !(known && s.forks[fork].answered);
  if (known && s.forks[fork].early) {
    session_ = std::move(*std::exchange(s.forks[fork].early, nullptr));
    session_.confirm(std::move(d));
  } else {
    session_ = session(std::move(d), true, s.contact, std::min(fork, session::max_forks - 1));
  }
  if (s.taken_back)
    session_.skip(unseen_requests);
  const auto held = s.hold_ack && wanted;
  const auto parts_first = (s.taken_back || s.hold_ack) && !wanted;
  confirmed_ = true;
  answered_at_ = now;
  auto headers = std::move(s.cancel_headers);
  auto losers = std::move(s.forks);
  setup_.reset();
  digest_.on_success(m);
  auto c = context(now, sink);
  // A crash before the BYE is answered, which may be lost, would leave the call up at a peer that
  // has its ACK, and nobody would know of its dialog; one that has not goes on asking for it. So it
  // gets it behind that answer.
  if (parts_first)
    session_.hang_up(c, why, headers);
  if (delayed || held || parts_first)
    session_.owe_ack(invite_cseq_);
  else
    session_.send_ack(c, invite_cseq_, {}, {});
  if (!wanted && !parts_first)
    session_.hang_up(c, why, headers);
  else if (wanted)
    sink.on_event({.kind = event_kind::answered,
                   .status = m.status(),
                   .what = method::invite,
                   .fork = fork,
                   .needs_answer = delayed,
                   .body = described.text,
                   .content_type = described.content_type,
                   .source = &m});
  for (auto& f : losers)
    if (f.early)
      f.early->abandon(c);
}

void invite_client::on_surplus_answer(time_point now, const message& m, ua_sink& sink) {
  if (session_.valid() && m.to_tag() == session_.state().remote_tag()) {
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
  if (status == 503 && try_next_server(now, &m, true, sink))
    return;
  if (status < 600 && try_next_target(now, &m, true, sink))
    return;
  end(cause_of_status(status), status, &m, sink);
}

bool invite_client::take_targets(const message& m) {
  auto& s = *setup_;
  if (++s.redirects > profile_->max_redirects)
    return false;
  return insert_redirect_targets(m, s.targets, s.target, profile_->max_targets);
}

bool invite_client::try_next_target(time_point now, const message* m, bool follows_ack,
                                    ua_sink& sink) {
  auto& s = *setup_;
  if (s.target + 1 >= s.targets.size())
    return false;
  ++s.target;
  ++s.counter;
  ++s.cseq;
  send_invite(now, sink, follows_ack);
  sink.on_event({.kind = event_kind::retrying,
                 .status = m != nullptr ? m->status() : 0,
                 .what = method::invite,
                 .source = m});
  return true;
}

bool invite_client::try_next_server(time_point now, const message* m, bool follows_ack,
                                    ua_sink& sink) {
  const auto* profile = another_server(sink, m);
  if (profile == nullptr)
    return false;
  release(setup_->invite_text);
  profile_ = profile;
  digest_ = {}; // a nonce is of the server that made it
  ++setup_->counter;
  send_invite(now, sink, follows_ack);
  sink.on_event({.kind = event_kind::retrying,
                 .status = m != nullptr ? m->status() : 0,
                 .what = method::invite,
                 .source = m});
  return true;
}

void invite_client::end(end_cause cause, int status, const message* source, ua_sink& sink) {
  if (setup_ && cause != end_cause::transport_failed)
    for (auto& f : setup_->forks)
      if (f.early)
        f.early->refuse_open(context({}, sink), 487);
  setup_.reset();
  over_ = true;
  sink.on_event({.kind = event_kind::ended,
                 .cause = cause,
                 .status = status,
                 .what = method::invite,
                 .seconds = source != nullptr ? retry_after_of(*source) : 0,
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
    if (s.hang_up)
      end(s.why, 0, nullptr, sink);
    else if (!try_next_server(now, nullptr, false, sink) &&
             !try_next_target(now, nullptr, false, sink))
      end(end_cause::timeout_b, 0, nullptr, sink);
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
  send_cancel(now, send_to::again, sink);
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
  if (!setup_ || !setup_->sent) // a way that is lost before it was used is looked for anew
    return;
  setup_->invite.on_transport_error();
  if (setup_->hang_up)
    end(setup_->why, 0, nullptr, sink);
  // Where it rings the call is on its way, and another server would place a second one.
  else if ((setup_->ringing || !try_next_server(now, nullptr, false, sink)) &&
           !try_next_target(now, nullptr, false, sink))
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
    send_cancel(now, send_to::again, sink);
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
  } else {
    if (invite_cseq_ != 0 && now - answered_at_ < profile_->timers.transaction_limit())
      table.answer_late_2xx(now, id_, hash_of_tag(session_.state().remote_tag()));
    if (session_.parted())
      table.answer_bye(now, id_, 200);
  }
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
         s.targets.capacity() * sizeof(request_target) + s.forks.capacity() * sizeof(setup::fork);
    for (auto& f : s.forks)
      n += of(f.text) + (f.early ? sizeof(session) + f.early->heap_bytes() : 0);
    for (auto& t : s.targets)
      n += of(t.uri) + of(t.headers);
  }
  if (surplus_)
    for (auto& bye : *surplus_)
      n += sizeof bye + bye.heap_bytes();
  return n;
}

} // namespace jackfield::sip

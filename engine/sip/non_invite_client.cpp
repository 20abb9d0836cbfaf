#include "engine/sip/non_invite_client.hpp"

#include <algorithm>
#include <utility>
#include <vector>

#include "engine/sip/fields.hpp"
#include "engine/sip/request_text.hpp"
#include "engine/sip/targets.hpp"
#include "engine/sip/text.hpp"
#include "engine/sip/uri.hpp"

namespace jackfield::sip {
struct non_invite_client::state {
  std::string method_name, from, to, route, next_route, headers, body, content_type;
  std::vector<request_target> targets;
  size_t target = 0;
  unsigned redirects = 0;
  client_transaction transaction;
  digest_session digest;
  std::span<const credential> credentials;
  std::string text; // for retransmission
  uint64_t random = 0;
  uint32_t cseq = 0;
  uint32_t counter = 0;
  method what = method::unknown;
  bool contact = false;

  [[nodiscard]] std::string_view next_hop() const noexcept {
    return next_route.empty() ? std::string_view(targets[target].uri) : next_route;
  }
};

non_invite_client::non_invite_client(const ua_profile& profile, const leg_id& id)
    : profile_(&profile), id_(id) {}
non_invite_client::~non_invite_client() = default;
non_invite_client::non_invite_client(non_invite_client&&) noexcept = default;
non_invite_client& non_invite_client::operator=(non_invite_client&&) noexcept = default;

result<void> non_invite_client::start(time_point now, const request_options& o, ua_sink& sink) {
  if (state_ || over_)
    return fail("request", "was started before");
  auto what = parse_method(o.method_name);
  if (o.method_name.empty() || !all_of(o.method_name, token_char) || what == method::invite ||
      what == method::ack || what == method::cancel)
    return fail(std::string(o.method_name), "expected a method other than INVITE, ACK, CANCEL");
  auto target = uri::parse(o.uri);
  if (!target || !target->is_sip())
    return fail(std::string(o.uri), "expected a SIP URI");
  for (auto [name, value] :
       {std::pair{"from", o.from}, {"to", o.to}, {"content type", o.content_type}})
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
  state_ = std::make_unique<state>();
  auto& s = *state_;
  s.what = what;
  s.method_name = o.method_name;
  s.from = o.from;
  if (o.to.empty())
    append(s.to, "<", o.uri, ">");
  else
    s.to = o.to;
  s.route = o.route;
  s.next_route = std::move(next_route);
  s.headers = o.headers;
  s.body = o.body;
  s.content_type = o.content_type;
  s.targets.push_back({std::string{o.uri}, {}});
  s.credentials = o.credentials;
  s.random = o.random;
  s.cseq = o.cseq;
  s.contact = o.contact;
  send(now, sink);
  return {};
}

void non_invite_client::send(time_point now, ua_sink& sink) {
  auto& s = *state_;
  auto tag = id_.text();
  std::string credentials;
  std::string_view target = s.targets[s.target].uri;
  if (!s.digest.empty())
    s.digest.append_authorization(credentials, {s.method_name, target, s.body}, host_of(target),
                                  host_of(s.next_hop()));
  request_text t;
  t.what = s.what;
  t.method_name = s.method_name;
  t.uri = target;
  t.branch = {id_, s.counter};
  t.route = s.route;
  t.from = s.from;
  t.from_tag = view(tag);
  t.to = s.to;
  t.call_id = view(tag);
  t.cseq = s.cseq;
  t.contact = s.contact ? std::string_view(profile_->contact) : std::string_view{};
  t.credentials = credentials;
  const auto headers = s.targets[s.target].headers + s.headers;
  t.headers = headers;
  t.body = s.body;
  t.content_type = s.content_type;
  auto& text = profile_->reliable ? scratch_text() : s.text;
  text.clear();
  append_request(text, *profile_, t);
  s.transaction.start(now, false, profile_->reliable, profile_->timers);
  sink.send({text, send_rank::request, send_to::next_hop, s.next_hop(), s.what, 0, false});
}

void non_invite_client::on_message(time_point now, const message& m, ua_sink& sink) {
  if (!state_ || !m.is_response())
    return;
  auto& s = *state_;
  auto tag = id_.text();
  auto branch = branch_id::parse(m.via().branch);
  if (!branch || branch->leg != id_ || branch->counter != s.counter || m.call_id() != view(tag) ||
      m.from_tag() != view(tag) || m.cseq_number() != s.cseq ||
      m.cseq_method_name() != s.method_name)
    return;
  auto step = s.transaction.on_response(now, m.status(), profile_->reliable, profile_->timers);
  if (!step.deliver)
    return;
  if (m.status() >= 200)
    on_final(now, m, sink);
  else
    sink.on_event({.kind = event_kind::provisional,
                   .status = m.status(),
                   .what = s.what,
                   .body = m.body(),
                   .content_type = m.first(header::content_type),
                   .source = &m});
}

void non_invite_client::on_final(time_point now, const message& m, ua_sink& sink) {
  auto& s = *state_;
  auto status = m.status();
  if (status == 503 && try_next_server(now, &m, sink))
    return;
  auto again = false;
  if (status == 401 || status == 407) {
    again = s.digest.on_challenge(m, s.credentials, host_of(s.targets[s.target].uri),
                                  host_of(s.next_hop()),
                                  s.random + s.counter) == digest_session::verdict::retry;
  } else if (status >= 300 && status < 400) {
    again = s.redirects++ < profile_->max_redirects &&
            insert_redirect_targets(m, s.targets, s.target, profile_->max_targets);
    s.target += again ? 1 : 0;
  } else if (status >= 400 && status < 600 && s.target + 1 < s.targets.size()) {
    ++s.target;
    again = true;
  }
  if (!again) {
    end(cause_of_status(status), status, &m, sink);
    return;
  }
  ++s.counter;
  ++s.cseq;
  auto what = s.what;
  send(now, sink);
  sink.on_event({.kind = event_kind::retrying, .status = status, .what = what, .source = &m});
}

bool non_invite_client::try_next_server(time_point now, const message* m, ua_sink& sink) {
  const auto* profile = another_server(sink, m);
  if (profile == nullptr)
    return false;
  auto& s = *state_;
  profile_ = profile;
  s.digest = {}; // a nonce is of the server that made it
  ++s.counter;
  auto what = s.what;
  send(now, sink);
  sink.on_event({.kind = event_kind::retrying,
                 .status = m != nullptr ? m->status() : 0,
                 .what = what,
                 .source = m});
  return true;
}

void non_invite_client::on_time(time_point now, ua_sink& sink) {
  if (!state_)
    return;
  auto& s = *state_;
  auto step = s.transaction.on_time(now, profile_->reliable, profile_->timers);
  if (step.send)
    sink.send({s.text, send_rank::request, send_to::again, {}, s.what, 0, true});
  else if (step.timed_out && !try_next_server(now, nullptr, sink))
    end(end_cause::timeout_f, 0, nullptr, sink);
}

void non_invite_client::on_transport_failed(time_point now, ua_sink& sink) {
  if (state_ && !try_next_server(now, nullptr, sink))
    end(end_cause::transport_failed, 0, nullptr, sink);
}

void non_invite_client::end(end_cause cause, int status, const message* source, ua_sink& sink) {
  ua_event e{.kind = event_kind::ended,
             .cause = cause,
             .status = status,
             .what = state_->what,
             .source = source};
  if (source != nullptr) {
    e.seconds = retry_after_of(*source);
    e.body = source->body();
    e.content_type = source->first(header::content_type);
  }
  state_.reset();
  over_ = true;
  sink.on_event(e);
}

time_point non_invite_client::next_deadline() const noexcept {
  return state_ ? state_->transaction.next_deadline() : never;
}

size_t non_invite_client::heap_bytes() const noexcept {
  if (!state_)
    return 0;
  auto of = [](const std::string& t) { return t.capacity() > 15 ? t.capacity() + 1 : 0; };
  auto& s = *state_;
  auto n = sizeof s + s.digest.heap_bytes() + s.targets.capacity() * sizeof(request_target);
  for (auto* t : {&s.method_name, &s.from, &s.to, &s.route, &s.next_route, &s.headers, &s.body,
                  &s.content_type, &s.text})
    n += of(*t);
  for (auto& t : s.targets)
    n += of(t.uri) + of(t.headers);
  return n;
}

} // namespace jackfield::sip

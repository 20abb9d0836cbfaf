#include "engine/sip/registration.hpp"

#include <algorithm>
#include <cmath>
#include <utility>

#include "engine/sip/dialog.hpp"
#include "engine/sip/fields.hpp"
#include "engine/sip/request_text.hpp"
#include "engine/sip/targets.hpp"
#include "engine/sip/text.hpp"
#include "engine/sip/uri.hpp"

namespace jackfield::sip {
namespace {

enum piece_index : size_t {
  registrar,
  aor,
  own_contact,
  route,
  headers,
  first_hop,
  given_call_id,
  contact_user
};

[[nodiscard]] duration times(duration d, double factor) {
  return duration(static_cast<duration::rep>(static_cast<double>(d.count()) * factor));
}

[[nodiscard]] unsigned whole_seconds(duration d) {
  return static_cast<unsigned>(std::chrono::ceil<std::chrono::seconds>(d).count());
}

} // namespace

registration::registration(const ua_profile& profile, const leg_id& id)
    : profile_(&profile), id_(id) {}
registration::~registration() = default;
registration::registration(registration&&) noexcept = default;
registration& registration::operator=(registration&&) noexcept = default;

std::string_view registration::piece(size_t i) const noexcept {
  size_t begin = i == 0 ? 0 : ends_[i - 1];
  return std::string_view(text_).substr(begin, ends_[i] - begin);
}

std::string_view registration::target() const noexcept {
  return redirected_ ? std::string_view(*redirected_) : piece(registrar);
}

std::string_view registration::next_hop() const noexcept {
  return piece(route).empty() ? target() : piece(first_hop);
}

std::string_view registration::contact() const noexcept {
  if (!piece(own_contact).empty())
    return piece(own_contact);
  return user_contact_.empty() ? profile_contact() : user_contact_;
}

// RFC 3261 sections 8.1.1.8 and 10.2.1.
std::string_view registration::profile_contact() const noexcept {
  return profile_->contact_for(is_secure(piece(registrar)) || is_secure(piece(aor)) ||
                               is_secure(piece(first_hop)));
}

void registration::name_contact() {
  const auto user = piece(contact_user);
  if (user.empty())
    return;
  user_contact_ = profile_contact();
  const auto host = user_contact_.find(':') + 1;
  user_contact_.insert(host, "@");
  user_contact_.insert(host, user);
}

std::string_view registration::call_id(std::string_view tag) const noexcept {
  return piece(given_call_id).empty() ? tag : piece(given_call_id);
}

result<void> registration::start(time_point now, const registration_options& o, ua_sink& sink) {
  return prepare(o).map([&] { begin(now, sink); });
}

void registration::begin(time_point now, ua_sink& sink) {
  if (over_ || started_)
    return;
  started_ = true;
  send(now, sink);
}

result<void> registration::prepare(const registration_options& o) {
  if (!text_.empty())
    return fail("registration", "was started before");
  for (auto [name, value] : {std::pair{"registrar", o.registrar}, {"address of record", o.aor}})
    if (auto u = uri::parse(value); !u || !u->is_sip())
      return fail(name, "expected a SIP URI");
  auto given = o.contact.empty() ? std::string_view(profile_->contact) : o.contact;
  if (auto c = parse_name_addr(given);
      !c || !uri::parse(c->uri) || c->parameter("expires") || !is_safe_value(given))
    return fail("contact", "expected one address, without expires");
  if (!o.contact_user.empty() && !uri::parse("sip:" + std::string{o.contact_user} + "@h"))
    return fail("contact", "expected an escaped user");
  if (!is_safe_value(o.call_id))
    return fail("Call-ID", "expected a value of one line");
  if (!is_safe_header_lines(o.headers))
    return fail("headers", "expected whole lines \"Name: value\" that end with CR LF");
  if (o.expires == 0 || o.cseq == 0 || o.cseq > 1u << 30)
    return fail("expires, cseq", "expected at least 1");
  std::string_view hop;
  if (!o.route.empty()) {
    auto first = first_loose_route(o.route);
    if (!first)
      return tl::unexpected(first.error());
    hop = *first;
  }
  std::array<std::string_view, pieces> texts{o.registrar, o.aor, o.contact, o.route,
                                             o.headers,   hop,   o.call_id, o.contact_user};
  size_t total = 0;
  for (auto t : texts)
    total += t.size();
  if (total > UINT16_MAX)
    return fail("registration", "expected less than 64 KiB of text");
  text_.reserve(total);
  for (size_t i = 0; i < pieces; ++i) {
    text_ += texts[i];
    ends_[i] = static_cast<uint16_t>(text_.size());
  }
  name_contact();
  credentials_ = o.credentials;
  random_ = o.random;
  expires_ = o.expires;
  cseq_ = o.cseq - 1;
  retry_base_ = std::max<duration>(o.retry_base, std::chrono::seconds{1});
  retry_max_ = std::max(o.retry_max, retry_base_);
  once_ = o.once;
  aim_ = o.remove ? aim::remove : aim::bind;
  set_jitter(o.jitter);
  return {};
}

void registration::use_profile(const ua_profile& profile) {
  profile_ = &profile;
  auto before = std::exchange(user_contact_, {});
  name_contact();
  if (bound_ && former_contact_.empty() && before != user_contact_)
    former_contact_ = std::move(before); // else what stands there was bound, and this was not
}

void registration::set_jitter(double jitter) noexcept {
  jitter_ = jitter >= 0 && jitter <= 1 ? static_cast<float>(jitter) : 0.5f;
}

void registration::send(time_point now, ua_sink& sink) {
  next_at_ = never;
  ++cseq_;
  auto tag = id_.text();
  std::string credentials;
  if (!digest_.empty())
    digest_.append_authorization(credentials, {"REGISTER", target(), {}}, host_of(target()),
                                 host_of(next_hop()));
  std::string party = "<";
  append(party, piece(aor), ">");
  std::string bind{contact()};
  if (!bind.ends_with('>') && bind.find('<') == std::string::npos) // or the parameter is the URI's
    bind = "<" + bind + ">";
  bind += ";expires=";
  append_number(bind, aim_ == aim::bind ? expires_ : 0);
  if (!former_contact_.empty())
    append(bind, ", ", former_contact_, ";expires=0");
  request_text t;
  t.what = method::register_;
  t.uri = target();
  t.branch = {id_, cseq_};
  t.route = piece(route);
  t.from = party;
  t.from_tag = view(tag);
  t.to = party;
  t.call_id = call_id(view(tag));
  t.cseq = cseq_;
  t.contact = bind;
  t.capabilities = aim_ == aim::bind;
  t.credentials = credentials;
  t.headers = piece(headers);
  auto& text = profile_->reliable ? scratch_text() : request_;
  text.clear();
  append_request(text, *profile_, t);
  transaction_.start(now, false, profile_->reliable, profile_->timers);
  sink.send({text, send_rank::request, send_to::next_hop, next_hop(), method::register_, 0, false});
}

void registration::on_message(time_point now, const message& m, ua_sink& sink) {
  auto tag = id_.text();
  auto branch = m.is_response() ? branch_id::parse(m.via().branch) : std::nullopt;
  if (over_ || !branch || *branch != branch_id{id_, cseq_} || m.cseq_number() != cseq_ ||
      m.cseq_method() != method::register_ || m.from_tag() != view(tag) ||
      m.call_id() != call_id(view(tag)))
    return;
  auto step = transaction_.on_response(now, m.status(), profile_->reliable, profile_->timers);
  if (!step.deliver || m.status() < 200)
    return;
  // What comes after it (timer K) does not match the next CSeq, so nothing is kept for it.
  transaction_.on_transport_error();
  release(request_);
  on_final(now, m, sink);
}

void registration::on_final(time_point now, const message& m, ua_sink& sink) {
  auto status = m.status();
  if (status < 300) {
    digest_.on_success(m);
    on_success(now, m, sink);
    return;
  }
  if (status == 503 && try_next_server(now, &m, sink))
    return;
  auto again = false;
  if (status == 401 || status == 407) {
    again = digest_.on_challenge(m, credentials_, host_of(target()), host_of(next_hop()),
                                 random_ + cseq_) == digest_session::verdict::retry;
  } else if (status == 423 && aim_ == aim::bind && !interval_raised_) {
    auto least = parse_uint(m.first(header::min_expires), UINT32_MAX).value_or(0);
    again = least > expires_;
    if (again)
      expires_ = static_cast<uint32_t>(least);
    interval_raised_ = true;
  } else if (status < 400) {
    again = follow(m);
  }
  if (!again) {
    fail_attempt(now, cause_of_status(status), status, &m, sink);
    return;
  }
  send(now, sink);
  sink.on_event(
    {.kind = event_kind::retrying, .status = status, .what = method::register_, .source = &m});
}

bool registration::try_next_server(time_point now, const message* m, ua_sink& sink) {
  const auto* profile = another_server(sink, m);
  if (profile == nullptr)
    return false;
  use_profile(*profile);
  digest_ = {}; // a nonce is of the server that made it
  send(now, sink);
  sink.on_event({.kind = event_kind::retrying,
                 .status = m != nullptr ? m->status() : 0,
                 .what = method::register_,
                 .source = m});
  return true;
}

bool registration::follow(const message& m) {
  if (redirects_ >= profile_->max_redirects)
    return false;
  ++redirects_;
  std::vector<request_target> targets{{std::string(piece(registrar)), {}}};
  if (redirected_)
    targets.push_back({*redirected_, {}});
  auto at = targets.size() - 1;
  if (!insert_redirect_targets(m, targets, at, profile_->max_targets))
    return false;
  redirected_ = std::make_unique<std::string>(std::move(targets[at + 1].uri));
  return true;
}

/// The lifetime of our binding, in seconds (§10.2.4). Registrars return all bindings of the
/// address; some rewrite the Contact, and some leave its lifetime out.
unsigned registration::granted(const message& m) const {
  auto ours = parse_name_addr(contact());
  auto our_uri = ours ? uri::parse(ours->uri) : std::nullopt;
  std::optional<uint32_t> matching, only;
  bool found = false;
  unsigned count = 0;
  m.each_value(header::contact, [&](std::string_view value) {
    auto c = parse_name_addr(value);
    auto u = c ? uri::parse(c->uri) : std::nullopt;
    if (!u)
      return true;
    ++count;
    only = c->expires();
    if (our_uri && equivalent(*our_uri, *u)) {
      matching = only;
      found = true;
    }
    return !found;
  });
  auto chosen = found ? matching : count == 1 ? only : std::nullopt;
  if (chosen)
    return *chosen;
  if (m.has(header::expires))
    if (auto all = parse_uint(m.first(header::expires), UINT32_MAX))
      return static_cast<unsigned>(*all);
  return expires_;
}

void registration::on_success(time_point now, const message& m, ua_sink& sink) {
  if (aim_ == aim::remove) {
    end(end_cause::unregistered, m.status(), &m, sink);
    return;
  }
  auto seconds = granted(m);
  if (seconds == 0) {
    fail_attempt(now, end_cause::rejected, m.status(), &m, sink);
    return;
  }
  former_contact_.clear();
  failures_ = 0;
  redirects_ = 0;
  interval_raised_ = false;
  bound_ = true;
  // More than a year is none of a registrar's business, and would overflow.
  duration lifetime = std::chrono::seconds{std::min(seconds, 31'536'000u)};
  bound_until_ = now + lifetime;
  auto wait = times(lifetime, 0.85 + 0.1 * jitter_);
  if (lifetime > std::chrono::seconds{20})
    wait = std::min<duration>(wait, lifetime - std::chrono::seconds{5});
  next_at_ = now + std::max<duration>(wait, std::chrono::seconds{1});
  if (unregister_) {
    aim_ = aim::remove;
    send(now, sink);
    return;
  }
  sink.on_event({.kind = event_kind::registered,
                 .status = m.status(),
                 .what = method::register_,
                 .seconds = seconds,
                 .source = &m});
}

void registration::fail_attempt(time_point now, end_cause cause, int status, const message* m,
                                ua_sink& sink) {
  if (aim_ == aim::remove || once_ || cause == end_cause::auth_failed) {
    end(cause, status, m, sink);
    return;
  }
  if (unregister_) {
    aim_ = aim::remove;
    if (bound_) {
      send(now, sink);
    } else {
      end(end_cause::unregistered, status, m, sink);
    }
    return;
  }
  redirects_ = 0;
  redirected_.reset();
  interval_raised_ = false;
  auto interval =
    std::min(times(retry_base_, std::ldexp(1.0, std::min<int>(failures_, 20))), retry_max_);
  auto wait = times(interval, 0.5 + 0.5 * jitter_);
  if (m != nullptr && m->has(header::retry_after))
    if (auto asked = parse_retry_after(m->first(header::retry_after)))
      wait = times(std::chrono::seconds{std::min(*asked, 86'400u)}, 1.0 + 0.1 * jitter_);
  wait = std::max<duration>(wait, std::chrono::seconds{1});
  failures_ += failures_ < UINT16_MAX ? 1 : 0;
  next_at_ = now + wait;
  sink.on_event({.kind = event_kind::registration_failed,
                 .cause = cause,
                 .status = status,
                 .what = method::register_,
                 .seconds = whole_seconds(wait),
                 .source = m});
}

void registration::on_time(time_point now, ua_sink& sink) {
  if (over_)
    return;
  auto step = transaction_.on_time(now, profile_->reliable, profile_->timers);
  if (step.send)
    sink.send({request_, send_rank::request, send_to::again, {}, method::register_, 0, true});
  if (step.timed_out) {
    release(request_);
    if (!try_next_server(now, nullptr, sink))
      fail_attempt(now, end_cause::timeout_f, 0, nullptr, sink);
    if (over_)
      return;
  }
  if (bound_ && now >= bound_until_) {
    bound_ = false;
    auto wait = next_at_ == never ? duration{} : std::max<duration>(next_at_ - now, duration{});
    sink.on_event({.kind = event_kind::registration_failed,
                   .cause = end_cause::expired,
                   .what = method::register_,
                   .seconds = whole_seconds(wait)});
  }
  if (now >= next_at_ && !transaction_.active())
    send(now, sink);
}

void registration::on_transport_failed(time_point now, ua_sink& sink) {
  if (over_ || !started_)
    return;
  if (!transaction_.active()) {
    // No attempt has failed, and nothing says that the server is gone; but over the connection that
    // is lost nobody reaches the user any more (RFC 5626 §4.5).
    if (bound_)
      next_at_ = std::min(next_at_, now + times(retry_base_, 0.5 + 0.5 * jitter_));
    return;
  }
  transaction_.on_transport_error();
  release(request_);
  if (!try_next_server(now, nullptr, sink))
    fail_attempt(now, end_cause::transport_failed, 0, nullptr, sink);
}

void registration::refresh(time_point now, ua_sink& sink) {
  if (!over_ && started_ && !transaction_.active())
    send(now, sink);
}

void registration::unregister(time_point now, ua_sink& sink) {
  if (over_ || unregister_)
    return;
  unregister_ = true;
  if (transaction_.active())
    return;
  aim_ = aim::remove;
  if (bound_)
    send(now, sink);
  else
    end(end_cause::unregistered, 0, nullptr, sink);
}

void registration::end(end_cause cause, int status, const message* source, ua_sink& sink) {
  over_ = true;
  bound_ = false;
  next_at_ = never;
  transaction_.on_transport_error();
  release(request_);
  sink.on_event({.kind = event_kind::ended,
                 .cause = cause,
                 .status = status,
                 .what = method::register_,
                 .seconds = source != nullptr ? retry_after_of(*source) : 0,
                 .source = source});
}

time_point registration::next_deadline() const noexcept {
  if (over_)
    return never;
  auto at = std::min(next_at_, transaction_.next_deadline());
  return bound_ ? std::min(at, bound_until_) : at;
}

bool registration::registered(time_point now) const noexcept {
  return bound_ && now < bound_until_;
}

size_t registration::heap_bytes() const noexcept {
  auto of = [](const std::string& t) { return t.capacity() > 15 ? t.capacity() + 1 : 0; };
  return of(text_) + of(request_) + of(user_contact_) + of(former_contact_) + digest_.heap_bytes() +
         (redirected_ ? sizeof(std::string) + of(*redirected_) : 0);
}

} // namespace jackfield::sip

#pragma once

#include <algorithm>
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <random>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "engine/sip/invite_client.hpp"
#include "engine/sip/invite_server.hpp"
#include "engine/sip/linger_table.hpp"
#include "engine/sip/message.hpp"
#include "engine/sip/ua.hpp"

namespace jackfield::sip::testing {

using std::chrono::milliseconds;
using std::chrono::seconds;

/// An event with copies of what it only lent.
struct seen_event {
  time_point at;
  ua_event event;
  std::string body, content_type;
};

/// A message that left, as sent.
struct sent_message {
  time_point at;
  std::string text;
  send_rank rank;
  send_to to;
  std::string next_hop;
  method what;
  int status;
  bool retransmission;
};

/// Collects what a machine does; `relay` passes messages on.
class recorder final // NOLINT(cppcoreguidelines-virtual-class-destructor): it is final
    : public ua_sink {
public:
  void send(const outgoing& m) override {
    sent.push_back({now, std::string(m.text), m.rank, m.to, std::string(m.next_hop), m.what,
                    m.status, m.retransmission});
    if (relay)
      relay(sent.back());
  }
  void on_event(const ua_event& e) override {
    seen_event copy{now, e, std::string(e.body), std::string(e.content_type)};
    copy.event.source = nullptr;
    copy.event.body = copy.event.content_type = {};
    events.push_back(copy);
    if (react)
      react(e);
  }
  packet_source source() const override { return from; }
  const ua_profile* next_server(duration rest) override {
    rests.push_back(rest);
    if (servers.empty())
      return nullptr;
    auto* next = servers.front();
    servers.erase(servers.begin());
    return next;
  }

  [[nodiscard]] size_t count(event_kind k) const {
    return static_cast<size_t>(
      std::count_if(events.begin(), events.end(), [k](auto& e) { return e.event.kind == k; }));
  }
  [[nodiscard]] const seen_event* last(event_kind k) const {
    for (auto i = events.size(); i-- > 0;)
      if (events[i].event.kind == k)
        return &events[i];
    return nullptr;
  }
  /// Messages of a kind: requests by method with status 0, responses by both.
  [[nodiscard]] std::vector<const sent_message*> all(method m, int status = 0) const {
    std::vector<const sent_message*> found;
    for (auto& s : sent)
      if (s.what == m && s.status == status)
        found.push_back(&s);
    return found;
  }
  [[nodiscard]] const sent_message& last_sent() const { return sent.back(); }
  void clear() {
    sent.clear();
    events.clear();
  }

  time_point now{};
  packet_source from;
  std::vector<const ua_profile*> servers; ///< that `next_server` gives, in this order
  std::vector<duration> rests;            ///< what it was asked for
  std::function<void(const sent_message&)> relay;
  std::function<void(const ua_event&)> react;
  std::vector<sent_message> sent;
  std::vector<seen_event> events;
};

/// Replaces the first occurrence of `what`; the test is wrong if there is none.
inline std::string with(std::string text, std::string_view what, std::string_view by) {
  auto at = text.find(what);
  if (at == std::string::npos)
    throw std::logic_error("no \"" + std::string(what) + "\" in:\n" + text);
  return text.replace(at, what.size(), by);
}

/// The value of a field of a message text.
inline std::string field(std::string_view text, std::string_view name) {
  message m;
  m.parse(text);
  for (auto& f : m.fields())
    if (f.name == name)
      return std::string(f.value);
  return {};
}

/// A response to a request text, as a well-behaved peer would write it.
inline std::string response_to(std::string_view request, int status, std::string_view to_tag,
                               std::string_view headers = {}, std::string_view body = {}) {
  message m;
  m.parse(request);
  std::string out = "SIP/2.0 " + std::to_string(status) + " Said\r\n";
  auto line = [&](std::string_view name, std::string_view value, std::string_view more = {}) {
    out.append(name).append(": ").append(value).append(more).append("\r\n");
  };
  line("Via", m.first(header::via));
  line("From", m.first(header::from));
  auto tag = m.to_tag().empty() && !to_tag.empty() ? ";tag=" + std::string(to_tag) : std::string{};
  line("To", m.first(header::to), tag);
  line("Call-ID", m.call_id());
  line("CSeq", m.first(header::cseq));
  out.append(headers);
  line("Content-Length", std::to_string(body.size()));
  return out.append("\r\n").append(body);
}

inline leg_id test_id(uint32_t n) {
  return {1, n, 7, 0x0123456789abcdefull * (n + 1)};
}

inline ua_profile udp_profile(std::string_view host) {
  ua_profile p;
  p.via = "SIP/2.0/UDP " + std::string(host) + ":5060";
  p.contact = "<sip:" + std::string(host) + ":5060>";
  p.user_agent = "test";
  return p;
}

inline ua_profile tcp_profile(std::string_view host) {
  auto p = udp_profile(host);
  p.via = "SIP/2.0/TCP " + std::string(host) + ":5060";
  p.contact = "<sip:" + std::string(host) + ":5060;transport=tcp>";
  p.reliable = true;
  p.rport = false;
  return p;
}

/// A clock and a machine under test, fed with texts.
template <class Machine>
struct bench_of {
  template <class... Ts>
  explicit bench_of(Ts&&... xs) : machine(std::forward<Ts>(xs)...) {
    out.now = now;
  }
  void take(std::string_view text) {
    message m;
    if (auto v = m.parse(text); v != parse_verdict::good)
      throw std::logic_error("not a good message: " + std::string(m.fault().cause) + "\n" +
                             std::string(text));
    machine.on_message(now, m, out);
  }
  /// Lets time pass, deadline by deadline.
  void pass(duration d) {
    auto end = now + d;
    for (auto at = machine.next_deadline(); at <= end; at = machine.next_deadline()) {
      now = std::max(now, at);
      out.now = now;
      machine.on_time(now, out);
      if (++steps > 100'000)
        throw std::logic_error("a deadline does not move");
    }
    now = end;
    out.now = now;
  }

  time_point now{seconds{1000}};
  recorder out;
  Machine machine;
  int steps = 0;
};

} // namespace jackfield::sip::testing

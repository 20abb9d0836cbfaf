#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <queue>
#include <string>
#include <vector>

#include <gtest/gtest.h>

#include "engine/sip/request_text.hpp"
#include "tests/sip/ua_harness.hpp"

namespace jackfield::sip::testing {

/// How bad the path is. One-way delay is uniform in [least, most]: messages overtake each other.
struct path {
  double loss = 0;
  double duplication = 0;
  duration least = milliseconds{5};
  duration most = milliseconds{5};
};

/// A calling and an answering leg with what their owners do for them (routing, linger), joined by a
/// bad path, in simulated time. One seed, one course of events.
class call_pair {
public:
  enum class reply : uint8_t { answer, refuse, ring_only };

  call_pair(uint64_t seed, path p, bool reliable = false)
      : path_(p), random_(seed),
        profile_a_(reliable ? tcp_profile("192.0.2.1") : udp_profile("192.0.2.1")),
        profile_b_(reliable ? tcp_profile("192.0.2.2") : udp_profile("192.0.2.2")),
        client(profile_a_, test_id(1)), linger_a(64, seconds{32}, 1), linger_b(64, seconds{32}, 2) {
    a.relay = [this](const sent_message& m) { transmit(true, m.text); };
    b.relay = [this](const sent_message& m) { transmit(false, m.text); };
    a.react = [this](const ua_event& e) {
      if (e.needs_answer)
        client.acknowledge(now, "v=0 answer", a);
      if (e.kind == event_kind::offer && answer_offers)
        client.answer_offer(now, "v=0 re-answer", a);
    };
    b.react = [this](const ua_event& e) {
      if (e.kind == event_kind::offer && answer_offers)
        server->answer_offer(now, "v=0 re-answer", b);
      if (e.needs_answer)
        server->acknowledge(now, "v=0 answer", b);
    };
  }

  void call(std::string_view body = "v=0 offer") {
    call_options o{.uri = "sip:bob@192.0.2.2", .from = "<sip:alice@192.0.2.1>", .body = body};
    ASSERT_TRUE(client.start(now, o, a));
  }

  /// Does something at a time.
  void at(duration when, std::function<void()> what) {
    events_.push({start_ + when, order_++, true, {}, std::move(what)});
  }

  /// Runs until nothing is left to happen. False if that takes more than `limit`.
  bool run(duration limit = seconds{400}) {
    for (size_t steps = 0; steps < 100'000; ++steps) {
      auto next = std::min(
        {client_deadline(), server_deadline(), linger_a.next_deadline(), linger_b.next_deadline()});
      if (!events_.empty())
        next = std::min(next, events_.top().at);
      if (next == never)
        return true;
      if (next > start_ + limit)
        return false;
      now = std::max(now, next);
      a.now = b.now = now;
      if (!events_.empty() && events_.top().at <= now) {
        auto e = events_.top();
        events_.pop();
        if (e.what)
          e.what();
        else
          deliver(e.to_b, e.text);
      }
      if (client_deadline() <= now)
        client.on_time(now, a);
      if (server_deadline() <= now)
        server->on_time(now, b);
      linger_a.on_time(now, stray_a);
      linger_b.on_time(now, stray_b);
      settle();
    }
    return false;
  }

  [[nodiscard]] end_cause cause_a() const { return cause(a); }
  [[nodiscard]] end_cause cause_b() const { return cause(b); }
  [[nodiscard]] bool answered_a() const { return a.count(event_kind::answered) > 0; }
  [[nodiscard]] bool answered_b() const { return b.count(event_kind::acknowledged) > 0; }

private:
  struct happening {
    time_point at;
    uint64_t order;
    bool to_b;
    std::string text;
    std::function<void()> what;
    bool operator<(const happening& o) const { return at != o.at ? at > o.at : order > o.order; }
  };

  static end_cause cause(const recorder& r) {
    auto* e = r.last(event_kind::ended);
    return e ? e->event.cause : end_cause::none;
  }
  time_point client_deadline() const { return client_left_ ? never : client.next_deadline(); }
  time_point server_deadline() const {
    return server && !server_left_ ? server->next_deadline() : never;
  }

  double draw() { return std::uniform_real_distribution<double>(0, 1)(random_); }

  void transmit(bool to_b, const std::string& text) {
    auto copies = draw() < path_.loss ? 0 : draw() < path_.duplication ? 2 : 1;
    for (int i = 0; i < copies; ++i) {
      auto span = static_cast<double>((path_.most - path_.least).count());
      auto delay = path_.least + duration{static_cast<int64_t>(draw() * span)};
      events_.push({now + delay, order_++, to_b, text, {}});
    }
  }

  void settle() {
    if (!client_left_ && client.current() == invite_client::phase::over) {
      client.leave(now, linger_a);
      client_left_ = true;
    }
    if (server && !server_left_ && server->current() == invite_server::phase::over) {
      server->leave(now, linger_b);
      server_left_ = true;
    }
  }

  void deliver(bool to_b, const std::string& text) {
    message m;
    if (auto v = m.parse(text); v != parse_verdict::good) {
      ADD_FAILURE() << "bad message: " << m.fault().cause << "\n" << text;
      return;
    }
    if (to_b)
      deliver_b(m);
    else
      deliver_a(m);
    settle();
  }

  void deliver_a(const message& m) {
    if (!client_left_) {
      client.on_message(now, m, a);
    } else if (!linger_a.on_message(now, m, profile_a_, stray_a)) {
      reject_statelessly(m, 481, profile_a_, stray_a);
    }
  }

  void deliver_b(const message& m) {
    auto first_invite =
      m.is_request() && m.request_method() == method::invite && m.to_tag().empty();
    auto known =
      server && !server_left_ &&
      (m.is_response() || !m.to_tag().empty() || transaction_key(m, linger_b.seed()) == key_);
    if (known) {
      server->on_message(now, m, b);
    } else if (linger_b.on_message(now, m, profile_b_, stray_b)) {
    } else if (first_invite && !server) {
      key_ = transaction_key(m, linger_b.seed());
      server.emplace(profile_b_, test_id(2));
      server->start(now, m, key_, {}, b);
      on_incoming();
    } else if (first_invite) {
      ++ghosts;
    } else {
      reject_statelessly(m, 481, profile_b_, stray_b);
    }
  }

  void on_incoming() {
    auto later = now - start_;
    at(later + ring_after, [this] { server->progress(now, 180, b); });
    if (how == reply::answer)
      at(later + answer_after, [this] { server->answer(now, "v=0 from b", b); });
    else if (how == reply::refuse)
      at(later + answer_after, [this] { server->reject(now, 486, b); });
  }

  path path_;
  std::mt19937_64 random_;
  ua_profile profile_a_, profile_b_;
  std::priority_queue<happening> events_;
  uint64_t order_ = 0;
  uint64_t key_ = 0;
  bool client_left_ = false, server_left_ = false;
  time_point start_{seconds{1000}};

public:
  reply how = reply::answer;
  bool answer_offers = true;
  duration ring_after = milliseconds{10};
  duration answer_after = milliseconds{300};
  time_point now = start_;
  recorder a, b;
  recorder stray_a, stray_b; // what tables and routers send: it goes the same way
  invite_client client;
  std::optional<invite_server> server;
  linger_table linger_a, linger_b;
  int ghosts = 0; // INVITEs that would have made a second call

  void join_strays() {
    stray_a.relay = a.relay;
    stray_b.relay = b.relay;
  }
};

} // namespace jackfield::sip::testing

#include <cstdint>
#include <cstdlib>
#include <deque>
#include <optional>
#include <string>
#include <string_view>

#include "engine/sip/leg.hpp"
#include "engine/sip/linger_table.hpp"

using namespace jackfield::sip;
using std::chrono::milliseconds;
using std::chrono::seconds;

namespace {

void require(bool holds) {
  if (!holds)
    std::abort();
}

struct side final : ua_sink {
  void send(const outgoing& m) override {
    require(!m.text.empty() && m.text.size() < 200'000);
    if (wire.size() < 64)
      wire.emplace_back(m.text);
  }
  void on_event(const ua_event& e) override {
    ended += e.kind == event_kind::ended;
    if (e.kind != event_kind::request || e.number == 0 || machine == nullptr)
      return;
    last_request = e.number;
    if (habit == 1)
      require(machine->defer_request(now, e.number, *this));
    else if (habit == 2)
      require(machine->answer_request(now, e.number, 202, *this, "X: y\r\n", "v=0", "text/plain"));
  }
  const ua_profile* next_server(duration) override { return servers-- > 0 ? other : nullptr; }
  std::deque<std::string> wire;
  const ua_profile* other = nullptr; // of the servers that are left to be tried
  int servers = 0;
  leg* machine = nullptr;
  time_point now{};
  uint32_t last_request = 0;
  int habit = 0; // with requests: left alone, deferred, answered
  int ended = 0;
};

class input {
public:
  input(const uint8_t* data, size_t size) : at_(data), end_(data + size) {}
  bool done() const { return at_ == end_; }
  uint8_t byte() { return at_ == end_ ? uint8_t{0} : *at_++; }

private:
  const uint8_t* at_;
  const uint8_t* end_;
};

ua_profile profile_of(bool reliable) {
  ua_profile p;
  p.via = "SIP/2.0/UDP 192.0.2.1";
  p.contact = "<sip:192.0.2.1>";
  p.supported = "100rel";
  p.reliable = reliable;
  return p;
}

const leg_id id_a{1, 2, 3, 4}, id_b{1, 5, 6, 7};

} // namespace

/// A calling and an answering machine and the tables behind them; each byte passes a message on,
/// loses, repeats, or alters it, lets time pass, or gives a command.
extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  if (size > 4096)
    return 0;
  input in(data, size);
  auto first = in.byte();
  static const ua_profile profiles[2] = {profile_of(false), profile_of(true)};
  auto& profile = profiles[first & 1];
  side a, b, stray;
  time_point now{seconds{1000}};
  linger_table table(8, seconds{32}, 1);
  leg client(profile, id_a);
  std::optional<leg> server;
  a.machine = &client;
  call_options options{.uri = "sip:b@192.0.2.1", .from = "<sip:a@192.0.2.1>"};
  if (first & 2)
    options.body = "v=0";
  if (first & 4)
    options.headers = "Require: 100rel\r\n";
  a.habit = first >> 3 & 3;
  b.habit = first >> 5 & 3;
  a.other = b.other = &profiles[first >> 6 & 1];
  a.servers = b.servers = static_cast<int>(size & 3);
  require(client.prepare(options).has_value());
  if (first & 128)
    client.hang_up(now, a);
  require(client.send(now, a).has_value() == ((first & 128) == 0));

  auto to_b = [&](const std::string& text) {
    message m;
    if (m.parse(text) != parse_verdict::good)
      return;
    if (server) {
      server->on_message(now, m, b);
    } else if (m.is_request() && m.request_method() == method::invite && m.to_tag().empty()) {
      b.machine = &server.emplace(profile, id_b);
      server->start(now, m, transaction_key(m, 1), {.reliable_provisionals = true}, b);
    }
    table.on_message(now, m, profile, stray);
  };
  auto to_a = [&](const std::string& text) {
    message m;
    if (m.parse(text) != parse_verdict::good)
      return;
    client.on_message(now, m, a);
    table.on_message(now, m, profile, stray);
  };
  while (!in.done()) {
    a.now = b.now = now;
    auto op = in.byte();
    auto& wire = op & 1 ? a.wire : b.wire;
    auto deliver = [&](const std::string& text) { (op & 1) ? to_b(text) : to_a(text); };
    switch (op >> 1 & 31) {
    case 0:
    case 1:
    case 2:
    case 3:
      if (!wire.empty()) {
        auto text = wire.front();
        wire.pop_front();
        deliver(text);
      }
      break;
    case 4: // out of order
      if (!wire.empty()) {
        auto text = wire.back();
        wire.pop_back();
        deliver(text);
      }
      break;
    case 5: // twice
      if (!wire.empty()) {
        auto text = wire.front();
        deliver(text);
      }
      break;
    case 6:
      if (!wire.empty())
        wire.pop_front();
      break;
    case 7: // altered
      if (!wire.empty()) {
        auto text = wire.front();
        auto at = (in.byte() << 8 | in.byte()) % text.size();
        text[at] = static_cast<char>(in.byte());
        deliver(text);
      }
      break;
    case 8: // another status
      if (!wire.empty() && wire.front().starts_with("SIP/2.0 ")) {
        auto text = wire.front();
        static constexpr const char* codes[] = {"100", "180", "200", "202", "301", "401", "407",
                                                "408", "481", "486", "487", "491", "500", "603"};
        text.replace(8, 3, codes[in.byte() % 14]);
        deliver(text);
      }
      break;
    case 9: // another fork
      if (!wire.empty() && wire.front().starts_with("SIP/2.0 ")) {
        auto text = wire.front();
        auto at = text.rfind(";tag=");
        if (at != std::string::npos && at + 6 < text.size())
          text[at + 5] = static_cast<char>('a' + in.byte() % 26);
        deliver(text);
      }
      break;
    case 10:
      now += milliseconds{in.byte()};
      break;
    case 11: { // the next timer
      auto at = client.next_deadline();
      if (server)
        at = std::min(at, server->next_deadline());
      if (at != never)
        now = std::max(now, at);
      break;
    }
    case 12:
      now += seconds{in.byte()};
      break;
    case 13:
      client.hang_up(now, a);
      break;
    case 14:
      if (server)
        server->hang_up(now, b);
      break;
    case 15:
      if (server)
        server->progress(now, 100 + in.byte(), b);
      break;
    case 16:
    case 17:
      if (server)
        server->answer(now, "v=0 b", b);
      break;
    case 18:
      if (server)
        server->reject(now, 300 + 2 * in.byte(), b);
      break;
    case 19:
      client.acknowledge(now, "v=0 a", a);
      break;
    case 20: {
      auto what = in.byte();
      client.send_request(now, static_cast<method>(what % 15), "v=0", a, "text/plain", {},
                          what >> 6);
      break;
    }
    case 21:
      if (server)
        server->send_request(now, static_cast<method>(in.byte() % 15), "v=0", b);
      break;
    case 22:
      client.answer_offer(now, "v=0", a);
      break;
    case 23:
      if (server)
        server->answer_offer(now, "v=0", b);
      break;
    case 24:
      client.refuse_offer(now, 488, a);
      break;
    case 25:
      if (op & 1)
        client.on_transport_failed(now, a);
      else if (server)
        server->on_transport_failed(now, b);
      break;
    case 26:
      client.leave(now, table);
      break;
    case 27:
      if (server)
        server->leave(now, table);
      break;
    case 28:
      if (op & 1)
        client.answer_request(now, a.last_request, 200 + 2 * in.byte(), a);
      else if (server)
        server->answer_request(now, b.last_request, 200 + 2 * in.byte(), b);
      break;
    case 29: // in an early dialog
      client.acknowledge(now, "v=0 a", a, "application/sdp", in.byte() & 3);
      break;
    case 30:
      client.answer_offer(now, "v=0 a", a, "application/sdp", {}, in.byte() & 3);
      break;
    case 31: { // kept, and taken up again
      auto& machine = op & 1 ? client : server ? *server : client;
      auto kept = machine.record();
      leg again(profile, machine.id());
      auto taken_up = again.adopt(kept).has_value();
      require(!taken_up || again.record() == kept);
      if (auto attempt = client.attempt()) {
        leg after(profile, id_a);
        side other;
        require(after.take_back(now, *attempt, other).has_value());
        require(other.wire.size() == 1 && after.attempt() == attempt);
      }
      break;
    }
    default:
      break;
    }
    a.now = b.now = now;
    client.on_time(now, a);
    if (server)
      server->on_time(now, b);
    table.on_time(now, stray);
    stray.wire.clear();
  }
  // Left alone after being hung up, both end in bounded time, once.
  client.hang_up(now, a);
  if (server)
    server->hang_up(now, b);
  for (int i = 0; i < 800; ++i) {
    auto at = client.next_deadline();
    if (server)
      at = std::min(at, server->next_deadline());
    if (at == never)
      break;
    now = std::max(now, at);
    client.on_time(now, a);
    if (server) {
      server->on_time(now, b);
      server->hang_up(now, b);
    }
  }
  require(client.next_deadline() == never);
  require(client.current() == leg_phase::over && a.ended == 1);
  if (server) {
    require(server->next_deadline() == never);
    require(server->current() == leg_phase::over && b.ended == 1);
  }
  return 0;
}

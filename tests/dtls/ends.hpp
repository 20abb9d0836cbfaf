#pragma once

#include <chrono>
#include <cstddef>
#include <memory>
#include <span>
#include <utility>
#include <vector>

#include "engine/dtls/handshake.hpp"
#include "engine/dtls/handshake_sink.hpp"
#include "engine/dtls/identity.hpp"
#include "engine/dtls/record.hpp"

namespace jackfield::dtls {

using datagram = std::vector<std::byte>;

/// Keeps what is sent until it is taken.
class outbox final : public handshake_sink {
public:
  void send(std::span<const std::byte> bytes) override {
    kept_.emplace_back(bytes.begin(), bytes.end());
  }
  std::vector<datagram> take() { return std::exchange(kept_, {}); }

private:
  std::vector<datagram> kept_;
};

/// One end of an association, and what it sends.
struct end {
  explicit end(role r, std::shared_ptr<const identity> own = identity::make().value())
      : who{std::move(own)}, machine{handshake::make(who, r, out).value()} {}

  handshake* operator->() const { return machine.get(); }

  std::shared_ptr<const identity> who;
  outbox out;
  std::unique_ptr<handshake> machine;
};

inline fingerprint_list only(const fingerprint& one) {
  fingerprint_list out;
  out.add(one);
  return out;
}

inline constexpr lane::time_point t0{std::chrono::seconds{1000}};

/// True if a plain ClientHello, or its beginning, is what the datagram begins with.
inline bool is_client_hello(std::span<const std::byte> bytes) {
  const auto first = next_record(bytes);
  return first && first->epoch == 0 && first->type == content_type::handshake &&
         plausible(*first) && first->fragment[0] == std::byte{1};
}

/// Each expects the other, and both begin.
inline void start_both(end& client, end& server) {
  client->expect(only(server.who->fingerprint()));
  server->expect(only(client.who->fingerprint()));
  server->start(t0);
  client->start(t0);
}

/// Carries datagrams both ways at once until both ends are silent.
inline void exchange(end& a, end& b, lane::time_point now) {
  for (;;) {
    const auto from_a = a.out.take();
    const auto from_b = b.out.take();
    if (from_a.empty() && from_b.empty())
      return;
    for (const auto& d : from_a)
      b->on_datagram(d, now);
    for (const auto& d : from_b)
      a->on_datagram(d, now);
  }
}

} // namespace jackfield::dtls

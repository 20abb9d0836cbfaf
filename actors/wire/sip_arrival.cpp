#include "actors/wire/sip_arrival.hpp"

#include <memory>
#include <vector>

namespace jackfield {

namespace {

/// Arrivals kept for reuse by one thread, and the largest buffer that is.
constexpr size_t most_kept = 1024;
constexpr size_t largest_kept = 8192;

std::vector<std::unique_ptr<sip_arrival>>& spent() {
  thread_local std::vector<std::unique_ptr<sip_arrival>> instance;
  return instance;
}

} // namespace

sip_arrival_ptr sip_arrival::make(const transport::flow& from, std::string_view bytes,
                                  lane::time_point arrived) {
  auto& kept = spent();
  std::unique_ptr<sip_arrival> made;
  if (kept.empty()) {
    made = std::make_unique<sip_arrival>();
  } else {
    made = std::move(kept.back());
    kept.pop_back();
  }
  made->from_ = from;
  made->arrived_ = arrived;
  made->bytes_.assign(bytes);
  // A WebSocket message is one SIP message, whose Content-Length may be absent (RFC 7118 §5.1).
  const bool framed =
    !transport::is_reliable(from.protocol) || transport::is_websocket(from.protocol);
  made->verdict_ = made->message_.parse(made->bytes_, framed);
  return sip_arrival_ptr{made.release()};
}

void intrusive_ptr_release(sip_arrival* p) noexcept {
  if (--p->references_ > 0)
    return;
  std::unique_ptr<sip_arrival> gone{p};
  if (auto& kept = spent(); kept.size() < most_kept && gone->bytes_.capacity() <= largest_kept)
    kept.push_back(std::move(gone));
}

} // namespace jackfield

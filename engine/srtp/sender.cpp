#include "engine/srtp/sender.hpp"

namespace jackfield::srtp {

namespace {

/// libsrtp keeps one for what is sent, too, and moves it bit by bit: as small as it can be.
constexpr unsigned long window = 64;

} // namespace

result<sender> sender::make(const master_key& key, uint32_t ssrc) {
  return make_session(key, {ssrc_specific, ssrc}, window).map([&](session_handle session) {
    return sender{std::move(session), ssrc};
  });
}

size_t sender::protect_rtp(std::span<std::byte> buffer, size_t size) noexcept {
  if (size < 12 || size + most_growth > buffer.size())
    return 0;
  auto length = static_cast<int>(size);
  return srtp_protect(session_.get(), buffer.data(), &length) == srtp_err_status_ok
           ? static_cast<size_t>(length)
           : 0;
}

size_t sender::protect_rtcp(std::span<std::byte> buffer, size_t size) noexcept {
  if (size < 8 || size + most_growth > buffer.size())
    return 0;
  auto length = static_cast<int>(size);
  return srtp_protect_rtcp(session_.get(), buffer.data(), &length) == srtp_err_status_ok
           ? static_cast<size_t>(length)
           : 0;
}

uint32_t sender::rollovers() const noexcept {
  uint32_t count = 0;
  srtp_get_stream_roc(session_.get(), ssrc_, &count);
  return count;
}

void sender::set_rollovers(uint32_t count) noexcept {
  srtp_set_stream_roc(session_.get(), ssrc_, count);
}

} // namespace jackfield::srtp

#include "engine/srtp/receiver.hpp"

#include <algorithm>

#include "engine/bytes/big_endian.hpp"

namespace jackfield::srtp {

namespace {

constexpr size_t rtp_header_bytes = 12;
constexpr size_t rtcp_header_bytes = 8;
constexpr size_t most_bytes = 65'535;

/// Packets that may come late and still be told from replayed ones (RFC 3711 §3.3.2: at least 64).
constexpr unsigned long window = 1'024;

} // namespace

result<receiver> receiver::make(const master_key& key) {
  return make_session(key, {ssrc_any_inbound, 0}, window).map([](session_handle session) {
    return receiver{std::move(session)};
  });
}

result<void> receiver::resume(const master_key& key, uint32_t ssrc, uint32_t rollovers) {
  note(ssrc);
  return add_stream(*session_, key, {ssrc_specific, ssrc}, window).map([&] {
    srtp_set_stream_roc(session_.get(), ssrc, rollovers);
  });
}

receiver::opened receiver::open_rtp(std::span<std::byte> packet) noexcept {
  auto size = static_cast<int>(packet.size());
  if (packet.size() < rtp_header_bytes || packet.size() > most_bytes)
    return judged(srtp_err_status_bad_param, 0, 0);
  const auto ssrc = bytes::load32(packet.data() + 8);
  const auto status = srtp_unprotect(session_.get(), packet.data(), &size);
  return judged(status, size, ssrc);
}

receiver::opened receiver::open_rtcp(std::span<std::byte> packet) noexcept {
  auto size = static_cast<int>(packet.size());
  if (packet.size() < rtcp_header_bytes || packet.size() > most_bytes)
    return judged(srtp_err_status_bad_param, 0, 0);
  const auto ssrc = bytes::load32(packet.data() + 4);
  const auto status = srtp_unprotect_rtcp(session_.get(), packet.data(), &size);
  return judged(status, size, ssrc);
}

receiver::opened receiver::judged(srtp_err_status_t status, int size, uint32_t ssrc) noexcept {
  switch (status) {
  case srtp_err_status_ok:
    ++counted_.accepted;
    note(ssrc);
    return {verdict::accepted, static_cast<size_t>(size)};
  case srtp_err_status_replay_fail:
  case srtp_err_status_replay_old:
    ++counted_.replayed;
    return {verdict::replayed, 0};
  case srtp_err_status_auth_fail:
  case srtp_err_status_cipher_fail: // AES-GCM's word for it
  case srtp_err_status_cant_check:
    ++counted_.forged;
    return {verdict::forged, 0};
  default:
    ++counted_.malformed;
    return {verdict::malformed, 0};
  }
}

// libsrtp keeps a stream for each source that it has heard, without end.
void receiver::note(uint32_t ssrc) noexcept {
  const auto known = std::span{sources_}.first(source_count_);
  if (source_count_ > 0 && sources_.front() == ssrc)
    return;
  auto at = std::ranges::find(known, ssrc);
  if (at == known.end()) {
    if (source_count_ == most_sources)
      srtp_remove_stream(session_.get(), ssrc_in_list_order(sources_.back()));
    else
      ++source_count_;
    at = std::span{sources_}.first(source_count_).end() - 1;
    *at = ssrc;
  }
  std::rotate(sources_.data(), &*at, &*at + 1);
}

uint32_t receiver::rollovers(uint32_t ssrc) const noexcept {
  uint32_t count = 0;
  srtp_get_stream_roc(session_.get(), ssrc, &count);
  return count;
}

} // namespace jackfield::srtp

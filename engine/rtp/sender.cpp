#include "engine/rtp/sender.hpp"

#include <algorithm>

namespace jackfield::rtp {
namespace {

bool fits(std::span<const std::byte> payload, std::span<std::byte> out) noexcept {
  return out.size() >= header_size && out.size() - header_size >= payload.size();
}

} // namespace

sender::sender(const sender_options& options) noexcept
    : ssrc_(options.ssrc), timestamp_(options.first_timestamp), sequence_(options.first_sequence),
      payload_type_(options.payload_type & 0x7f) {}

size_t sender::write(std::span<const std::byte> payload, uint32_t samples,
                     std::span<std::byte> out) noexcept {
  if (!fits(payload, out))
    return 0;
  put({payload_type_, talkspurt_starts_, sequence_, timestamp_, ssrc_}, payload, out);
  talkspurt_starts_ = false;
  timestamp_ += samples;
  return header_size + payload.size();
}

void sender::pause(uint32_t samples) noexcept {
  timestamp_ += samples;
  talkspurt_starts_ = true;
}

size_t sender::write_event(uint8_t payload_type, bool marker, uint32_t timestamp,
                           std::span<const std::byte> payload, std::span<std::byte> out) noexcept {
  if (!fits(payload, out))
    return 0;
  put({static_cast<uint8_t>(payload_type & 0x7f), marker, sequence_, timestamp, ssrc_}, payload,
      out);
  return header_size + payload.size();
}

size_t sender::forward(uint8_t payload_type, bool marker, uint16_t sequence, uint32_t timestamp,
                       std::span<const std::byte> payload, std::span<std::byte> out) noexcept {
  if (!fits(payload, out))
    return 0;
  const auto expected = sequence_;
  put({static_cast<uint8_t>(payload_type & 0x7f), marker, sequence, timestamp, ssrc_}, payload,
      out);
  const auto ahead = static_cast<int16_t>(sequence - expected);
  if (ahead >= 0) {
    gaps_ += static_cast<uint32_t>(ahead);
    sequence_ = static_cast<uint16_t>(sequence + 1);
  } else {
    sequence_ = expected;
    gaps_ -= gaps_ > 0 ? 1 : 0;
  }
  return header_size + payload.size();
}

void sender::move_to(uint32_t timestamp) noexcept {
  timestamp_ = timestamp;
  talkspurt_starts_ = true;
}

void sender::set_payload_type(uint8_t payload_type) noexcept {
  payload_type_ = payload_type & 0x7f;
}

void sender::put(const header& h, std::span<const std::byte> payload,
                 std::span<std::byte> out) noexcept {
  write_header(h, out.first<header_size>());
  std::copy(payload.begin(), payload.end(), out.begin() + header_size);
  ++sequence_;
  ++packets_;
  octets_ += payload.size();
}

} // namespace jackfield::rtp

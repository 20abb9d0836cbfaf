#include "actors/media/packet_protection.hpp"

#include <algorithm>
#include <array>
#include <cstring>
#include <utility>

#include "engine/bytes/big_endian.hpp"
#include "engine/rtp/packet.hpp"

namespace jackfield {

namespace {

constexpr size_t rtp_ssrc_at = 8;
constexpr size_t rtcp_ssrc_at = 4;

uint32_t ssrc_of(std::span<const std::byte> packet, bool rtcp) {
  const auto at = rtcp ? rtcp_ssrc_at : rtp_ssrc_at;
  return packet.size() >= at + 4 ? bytes::load32(packet.data() + at) : 0;
}

void add(path_counters& to, const srtp::receiver::counters& from) {
  to.forged += from.forged;
  to.replayed += from.replayed;
  to.malformed += from.malformed;
}

} // namespace

result<void> packet_protection::use(const srtp::master_key& ours, const srtp::master_key& theirs) {
  key_pair wanted{ours, theirs};
  if (keys_ && *keys_ == wanted)
    return {};
  auto receiver = srtp::receiver::make(theirs);
  if (!receiver)
    return tl::unexpected{std::move(receiver.error())};
  if (receiver_)
    add(before_, receiver_->counted());
  receiver_ = std::move(*receiver);
  if (!keys_ || keys_->ours != ours)
    sender_.reset();
  heard_ = false;
  late_tries_ = 0;
  keys_ = std::make_unique<const key_pair>(std::move(wanted));
  return {};
}

std::string_view packet_protection::profile() const noexcept {
  return keys_ ? srtp::suite_of(keys_->ours.used_by()) : std::string_view{};
}

std::span<const std::byte> packet_protection::protect(std::span<const std::byte> packet, bool rtcp,
                                                      std::span<std::byte> room) {
  if (!keys_ || packet.size() > room.size()) {
    ++unprotected_;
    return {};
  }
  if (!sender_)
    if (auto made = srtp::sender::make(keys_->ours, ssrc_of(packet, rtcp)))
      sender_ = std::move(*made);
  std::memcpy(room.data(), packet.data(), packet.size());
  const auto size = !sender_ ? 0
                    : rtcp   ? sender_->protect_rtcp(room, packet.size())
                             : sender_->protect_rtp(room, packet.size());
  unprotected_ += size == 0 ? 1 : 0;
  return room.first(size);
}

std::span<const std::byte> packet_protection::open(std::span<std::byte> packet) {
  if (!receiver_)
    return {};
  if (rtp::is_rtcp(packet))
    return packet.first(receiver_->open_rtcp(packet).size);
  if (!heard_ && late_tries_ < most_late_tries)
    return open_late(packet);
  return packet.first(receiver_->open_rtp(packet).size);
}

std::span<const std::byte> packet_protection::open_late(std::span<std::byte> packet) {
  alignas(8) std::array<std::byte, 2'048> room;
  if (packet.size() > room.size())
    return {};
  const auto copy = std::span{room}.first(packet.size());
  std::ranges::copy(packet, copy.begin());
  const auto at_once = receiver_->open_rtp(packet);
  heard_ = at_once.is == srtp::receiver::verdict::accepted;
  if (at_once.is != srtp::receiver::verdict::forged)
    return packet.first(at_once.size);
  ++late_tries_;
  for (uint32_t wraps = 1; wraps <= most_rollovers; ++wraps) {
    auto late = srtp::receiver::make(keys_->theirs);
    if (!late || !late->resume(keys_->theirs, ssrc_of(copy, false), wraps))
      return {};
    std::ranges::copy(copy, packet.begin());
    if (const auto opened = late->open_rtp(packet);
        opened.is == srtp::receiver::verdict::accepted) {
      add(before_, receiver_->counted());
      --before_.forged; // it was not
      receiver_ = std::move(*late);
      heard_ = true;
      return packet.first(opened.size);
    }
  }
  return {};
}

void packet_protection::count(path_counters& to) const noexcept {
  to.forged += before_.forged;
  to.replayed += before_.replayed;
  to.malformed += before_.malformed;
  to.unprotected += unprotected_;
  if (receiver_)
    add(to, receiver_->counted());
}

} // namespace jackfield

#include "engine/rtp/rtcp.hpp"

#include <algorithm>
#include <cmath>

#include "engine/bytes/big_endian.hpp"

namespace jackfield::rtp {

using namespace bytes;
namespace {

constexpr uint8_t version = 2;
constexpr size_t head_size = 4; // version, count, type, length
constexpr size_t sender_info_size = 20;
constexpr size_t block_size = 24;
constexpr size_t max_count = 31;

// Packet types (RFC 3550 §12.1, RFC 3611 §6).
constexpr uint8_t type_sr = 200;
constexpr uint8_t type_rr = 201;
constexpr uint8_t type_sdes = 202;
constexpr uint8_t type_bye = 203;
constexpr uint8_t type_xr = 207;

constexpr uint8_t sdes_cname = 1;
constexpr uint8_t xr_voip_metrics = 7;
constexpr size_t voip_block_size = 36; // with the block's own header

constexpr uint64_t seconds_1900_to_1970 = 2'208'988'800;
constexpr int64_t nanoseconds_per_second = 1'000'000'000;

using bytes = std::span<const std::byte>;
using outcome = tl::expected<void, rtcp_fault>;

std::string_view text(bytes b) noexcept {
  return {reinterpret_cast<const char*>(b.data()), b.size()};
}

// What parsing tells while it only checks.
class deaf final : public rtcp_visitor {};

report_block load_block(const std::byte* p) noexcept {
  report_block out;
  out.ssrc = load32(p);
  out.fraction_lost = load8(p + 4);
  // 24 bits with their sign.
  out.cumulative_lost = static_cast<int32_t>(load32(p + 4) << 8) >> 8;
  out.highest_sequence = load32(p + 8);
  out.jitter = load32(p + 12);
  out.lsr = load32(p + 16);
  out.dlsr = load32(p + 20);
  return out;
}

void store_block(const report_block& b, std::byte* p) noexcept {
  const auto lost = std::clamp(b.cumulative_lost, -0x800000, 0x7fffff);
  store32(p, b.ssrc);
  store32(p + 4, static_cast<uint32_t>(lost) & 0xffffff);
  store8(p + 4, b.fraction_lost);
  store32(p + 8, b.highest_sequence);
  store32(p + 12, b.jitter);
  store32(p + 16, b.lsr);
  store32(p + 20, b.dlsr);
}

voip_metrics load_voip(const std::byte* p) noexcept {
  voip_metrics out;
  out.ssrc = load32(p + 4);
  out.loss_rate = load8(p + 8);
  out.discard_rate = load8(p + 9);
  out.burst_density = load8(p + 10);
  out.gap_density = load8(p + 11);
  out.burst_duration = load16(p + 12);
  out.gap_duration = load16(p + 14);
  out.round_trip_delay = load16(p + 16);
  out.end_system_delay = load16(p + 18);
  out.signal_level = load8(p + 20);
  out.noise_level = load8(p + 21);
  out.rerl = load8(p + 22);
  out.gmin = load8(p + 23);
  out.r_factor = load8(p + 24);
  out.external_r_factor = load8(p + 25);
  out.mos_lq = load8(p + 26);
  out.mos_cq = load8(p + 27);
  out.rx_config = load8(p + 28);
  out.jb_nominal = load16(p + 30);
  out.jb_maximum = load16(p + 32);
  out.jb_abs_max = load16(p + 34);
  return out;
}

void store_voip(const voip_metrics& m, std::byte* p) noexcept {
  store8(p, xr_voip_metrics);
  store8(p + 1, 0);
  store16(p + 2, voip_block_size / 4 - 1);
  store32(p + 4, m.ssrc);
  store8(p + 8, m.loss_rate);
  store8(p + 9, m.discard_rate);
  store8(p + 10, m.burst_density);
  store8(p + 11, m.gap_density);
  store16(p + 12, m.burst_duration);
  store16(p + 14, m.gap_duration);
  store16(p + 16, m.round_trip_delay);
  store16(p + 18, m.end_system_delay);
  store8(p + 20, m.signal_level);
  store8(p + 21, m.noise_level);
  store8(p + 22, m.rerl);
  store8(p + 23, m.gmin);
  store8(p + 24, m.r_factor);
  store8(p + 25, m.external_r_factor);
  store8(p + 26, m.mos_lq);
  store8(p + 27, m.mos_cq);
  store8(p + 28, m.rx_config);
  store8(p + 29, 0);
  store16(p + 30, m.jb_nominal);
  store16(p + 32, m.jb_maximum);
  store16(p + 34, m.jb_abs_max);
}

// Each of these gets a packet's body: what follows its first word, without padding.

bool read_blocks(uint32_t reporter, size_t count, bytes body, rtcp_visitor& visitor) {
  if (body.size() / block_size < count)
    return false;
  for (size_t i = 0; i < count; ++i)
    visitor.on_report_block(reporter, load_block(body.data() + i * block_size));
  return true;
}

bool read_sr(size_t count, bytes body, rtcp_visitor& visitor) {
  if (body.size() < 4 + sender_info_size)
    return false;
  const auto* p = body.data();
  const auto ssrc = load32(p);
  visitor.on_sender_report(
    ssrc, {ntp_timestamp{load64(p + 4)}, load32(p + 12), load32(p + 16), load32(p + 20)});
  return read_blocks(ssrc, count, body.subspan(4 + sender_info_size), visitor);
}

bool read_rr(size_t count, bytes body, rtcp_visitor& visitor) {
  if (body.size() < 4)
    return false;
  const auto ssrc = load32(body.data());
  visitor.on_receiver_report(ssrc);
  return read_blocks(ssrc, count, body.subspan(4), visitor);
}

bool read_sdes(size_t count, bytes body, rtcp_visitor& visitor) {
  size_t at = 0;
  for (size_t i = 0; i < count; ++i) {
    if (body.size() - at < 4)
      return false;
    const auto ssrc = load32(body.data() + at);
    at += 4;
    for (;;) {
      if (at == body.size())
        return false;
      const auto item = load8(body.data() + at);
      if (item == 0) {
        // One to four zeros end a chunk on a word; a body is whole words, so this stays inside
        // unless padding cut it short.
        at = at / 4 * 4 + 4;
        if (at > body.size())
          return false;
        break;
      }
      if (body.size() - at < 2)
        return false;
      const size_t length = load8(body.data() + at + 1);
      if (body.size() - at - 2 < length)
        return false;
      if (item == sdes_cname)
        visitor.on_cname(ssrc, text(body.subspan(at + 2, length)));
      at += 2 + length;
    }
  }
  return true;
}

bool read_bye(size_t count, bytes body, rtcp_visitor& visitor) {
  if (body.size() / 4 < count)
    return false;
  auto rest = body.subspan(count * 4);
  std::string_view reason;
  if (!rest.empty()) {
    const size_t length = load8(rest.data());
    if (rest.size() - 1 < length)
      return false;
    reason = text(rest.subspan(1, length));
  }
  for (size_t i = 0; i < count; ++i)
    visitor.on_bye(load32(body.data() + i * 4), reason);
  return true;
}

bool read_xr(bytes body, rtcp_visitor& visitor) {
  if (body.size() < 4)
    return false;
  const auto reporter = load32(body.data());
  auto rest = body.subspan(4);
  while (!rest.empty()) {
    if (rest.size() < 4)
      return false;
    const auto type = load8(rest.data());
    const size_t length = 4 + load16(rest.data() + 2) * size_t{4};
    if (rest.size() < length)
      return false;
    if (type == xr_voip_metrics) {
      if (length != voip_block_size)
        return false;
      visitor.on_voip_metrics(reporter, load_voip(rest.data()));
    } else {
      visitor.on_unknown(type_xr);
    }
    rest = rest.subspan(length);
  }
  return true;
}

outcome walk(bytes datagram, rtcp_visitor& visitor) {
  if (datagram.size() < head_size)
    return tl::unexpected(rtcp_fault::too_short);
  auto rest = datagram;
  while (!rest.empty()) {
    if (rest.size() < head_size)
      return tl::unexpected(rtcp_fault::too_short);
    const auto first = load8(rest.data());
    const auto type = load8(rest.data() + 1);
    const size_t length = head_size + load16(rest.data() + 2) * size_t{4};
    if (first >> 6 != version)
      return tl::unexpected(rtcp_fault::bad_version);
    if (rest.size() < length)
      return tl::unexpected(rtcp_fault::bad_length);
    const bool alone = length == datagram.size();
    if (rest.size() == datagram.size() && !alone && type != type_sr && type != type_rr)
      return tl::unexpected(rtcp_fault::bad_first);
    auto body = rest.subspan(head_size, length - head_size);
    rest = rest.subspan(length);
    if ((first & 0x20) != 0) {
      if (!rest.empty() || body.empty())
        return tl::unexpected(rtcp_fault::bad_padding);
      const size_t padding = load8(&body.back());
      if (padding == 0 || padding > body.size())
        return tl::unexpected(rtcp_fault::bad_padding);
      body = body.first(body.size() - padding);
    }
    const size_t count = first & 0x1f;
    bool good = true;
    switch (type) {
    case type_sr:
      good = read_sr(count, body, visitor);
      break;
    case type_rr:
      good = read_rr(count, body, visitor);
      break;
    case type_sdes:
      good = read_sdes(count, body, visitor);
      break;
    case type_bye:
      good = read_bye(count, body, visitor);
      break;
    case type_xr:
      good = read_xr(body, visitor);
      break;
    default:
      visitor.on_unknown(type);
    }
    if (!good)
      return tl::unexpected(rtcp_fault::truncated_block);
  }
  return {};
}

} // namespace

// -- time ------------------------------------------------------------------------

namespace {

// A duration in units of 2^-32 s; exact to the unit for any length.
uint64_t to_fixed(duration d) noexcept {
  const auto ns = d.count();
  auto seconds = ns / nanoseconds_per_second;
  auto part = ns % nanoseconds_per_second;
  if (part < 0) {
    part += nanoseconds_per_second;
    --seconds;
  }
  return (static_cast<uint64_t>(seconds) << 32) +
         (static_cast<uint64_t>(part) << 32) / nanoseconds_per_second;
}

} // namespace

ntp_clock::ntp_clock(time_point steady, std::chrono::system_clock::time_point wall) noexcept
    : base_((seconds_1900_to_1970 << 32) + to_fixed(wall.time_since_epoch())), steady_(steady) {}

ntp_timestamp ntp_clock::at(time_point t) const noexcept {
  return ntp_timestamp{base_ + to_fixed(t - steady_)};
}

std::optional<duration> round_trip(const report_block& block, ntp_timestamp now) noexcept {
  constexpr int32_t units_per_second = 65536;
  // Both ends round: a round trip of microseconds may come out a few units below nothing.
  constexpr int32_t rounding = units_per_second / 1000;
  if (block.lsr == 0)
    return std::nullopt;
  const auto units = static_cast<int32_t>(now.middle() - block.lsr - block.dlsr);
  if (units < -rounding || units > 60 * units_per_second)
    return std::nullopt;
  return duration{std::max(units, 0) * nanoseconds_per_second / units_per_second};
}

duration report_interval(bool first, double random) noexcept {
  constexpr double compensation = 2.71828182845904523536 - 1.5;
  const double seconds = first ? 2.5 : 5.0;
  const double drawn = seconds * (0.5 + std::clamp(random, 0.0, 1.0)) / compensation;
  return duration{static_cast<int64_t>(drawn * 1e9)};
}

// -- parse -----------------------------------------------------------------------

std::string_view to_string(rtcp_fault f) noexcept {
  switch (f) {
  case rtcp_fault::too_short:
    return "too short";
  case rtcp_fault::bad_version:
    return "bad version";
  case rtcp_fault::bad_first:
    return "compound begins with neither SR nor RR";
  case rtcp_fault::bad_length:
    return "packet length passes the end";
  case rtcp_fault::bad_padding:
    return "bad padding";
  case rtcp_fault::truncated_block:
    return "truncated block";
  }
  return "";
}

void rtcp_visitor::on_sender_report(uint32_t, const sender_info&) {}
void rtcp_visitor::on_receiver_report(uint32_t) {}
void rtcp_visitor::on_report_block(uint32_t, const report_block&) {}
void rtcp_visitor::on_cname(uint32_t, std::string_view) {}
void rtcp_visitor::on_bye(uint32_t, std::string_view) {}
void rtcp_visitor::on_voip_metrics(uint32_t, const voip_metrics&) {}
void rtcp_visitor::on_unknown(uint8_t) {}

tl::expected<void, rtcp_fault> parse_rtcp(std::span<const std::byte> datagram,
                                          rtcp_visitor& visitor) noexcept {
  deaf check;
  if (auto good = walk(datagram, check); !good)
    return good;
  return walk(datagram, visitor);
}

// -- build -----------------------------------------------------------------------

std::span<std::byte> rtcp_builder::take(uint8_t count, uint8_t type, size_t length) noexcept {
  const bool report = type == type_sr || type == type_rr;
  if (length > out_.size() - size_ || (size_ == 0 && !report))
    return {};
  auto packet = out_.subspan(size_, length);
  std::fill(packet.begin(), packet.end(), std::byte{0});
  store8(packet.data(), static_cast<uint8_t>(version << 6 | count));
  store8(packet.data() + 1, type);
  store16(packet.data() + 2, static_cast<uint16_t>(length / 4 - 1));
  size_ += length;
  return packet;
}

bool rtcp_builder::sender_report(uint32_t ssrc, const sender_info& info,
                                 std::span<const report_block> blocks) noexcept {
  if (blocks.size() > max_count)
    return false;
  auto packet = take(static_cast<uint8_t>(blocks.size()), type_sr,
                     head_size + 4 + sender_info_size + blocks.size() * block_size);
  if (packet.empty())
    return false;
  auto* p = packet.data();
  store32(p + 4, ssrc);
  store64(p + 8, info.ntp.value);
  store32(p + 16, info.rtp_timestamp);
  store32(p + 20, info.packets);
  store32(p + 24, info.octets);
  p += head_size + 4 + sender_info_size;
  for (const auto& block : blocks) {
    store_block(block, p);
    p += block_size;
  }
  return true;
}

bool rtcp_builder::receiver_report(uint32_t ssrc, std::span<const report_block> blocks) noexcept {
  if (blocks.size() > max_count)
    return false;
  auto packet =
    take(static_cast<uint8_t>(blocks.size()), type_rr, head_size + 4 + blocks.size() * block_size);
  if (packet.empty())
    return false;
  auto* p = packet.data();
  store32(p + 4, ssrc);
  p += head_size + 4;
  for (const auto& block : blocks) {
    store_block(block, p);
    p += block_size;
  }
  return true;
}

bool rtcp_builder::cname(uint32_t ssrc, std::string_view cname) noexcept {
  if (cname.size() > 255)
    return false;
  // The item, and one to four zeros that end the chunk on a word.
  const size_t item = (2 + cname.size()) / 4 * 4 + 4;
  auto packet = take(1, type_sdes, head_size + 4 + item);
  if (packet.empty())
    return false;
  store32(packet.data() + 4, ssrc);
  store8(packet.data() + 8, sdes_cname);
  store8(packet.data() + 9, static_cast<uint8_t>(cname.size()));
  std::ranges::copy(std::as_bytes(std::span{cname}), packet.begin() + 10);
  return true;
}

bool rtcp_builder::bye(uint32_t ssrc, std::string_view reason) noexcept {
  if (reason.size() > 255)
    return false;
  const size_t words = reason.empty() ? 0 : (1 + reason.size() + 3) / 4 * 4;
  auto packet = take(1, type_bye, head_size + 4 + words);
  if (packet.empty())
    return false;
  store32(packet.data() + 4, ssrc);
  if (!reason.empty()) {
    store8(packet.data() + 8, static_cast<uint8_t>(reason.size()));
    std::ranges::copy(std::as_bytes(std::span{reason}), packet.begin() + 9);
  }
  return true;
}

bool rtcp_builder::voip(uint32_t reporter, const voip_metrics& metrics) noexcept {
  auto packet = take(0, type_xr, head_size + 4 + voip_block_size);
  if (packet.empty())
    return false;
  store32(packet.data() + 4, reporter);
  store_voip(metrics, packet.data() + 8);
  return true;
}

} // namespace jackfield::rtp

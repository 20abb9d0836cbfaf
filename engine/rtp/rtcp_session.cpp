#include "engine/rtp/rtcp_session.hpp"

#include <algorithm>

namespace jackfield::rtp {
namespace {

constexpr size_t max_cname = 64;

// DLSR: 16 bits of seconds and 16 of fraction; a longer time is as good as unknown.
uint32_t to_dlsr(duration d) noexcept {
  constexpr int64_t longest = int64_t{65535} * 1'000'000'000;
  const auto ns = std::clamp<int64_t>(d.count(), 0, longest);
  return static_cast<uint32_t>(ns * 1024 / 15'625'000); // 65536 / 1e9
}

} // namespace

class rtcp_session::listener final : public rtcp_visitor {
public:
  listener(rtcp_session& self, time_point now) noexcept : self_(self), now_(now) {}

  void on_sender_report(uint32_t ssrc, const sender_info& info) override {
    self_.remote_ssrc_ = ssrc;
    self_.report_ssrc_ = ssrc;
    self_.last_report_ = info.ntp.middle();
    self_.report_arrival_ = now_;
    ++self_.received_;
  }
  void on_receiver_report(uint32_t ssrc) override {
    self_.remote_ssrc_ = ssrc;
    ++self_.received_;
  }
  void on_report_block(uint32_t, const report_block& block) override {
    if (block.ssrc != self_.ssrc_)
      return;
    self_.remote_report_ = block;
    if (const auto rtt = rtp::round_trip(block, self_.clock_.at(now_))) {
      self_.round_trip_ = rtt;
      self_.least_ = std::min(self_.least_.value_or(*rtt), *rtt);
    }
  }
  void on_voip_metrics(uint32_t, const voip_metrics& metrics) override {
    if (metrics.ssrc == self_.ssrc_)
      self_.remote_metrics_ = metrics;
  }
  void on_bye(uint32_t ssrc, std::string_view) override {
    if (self_.remote_ssrc_ == ssrc)
      self_.peer_left_ = true;
  }

private:
  rtcp_session& self_;
  time_point now_;
};

rtcp_session::rtcp_session(uint32_t ssrc, std::string_view cname, const ntp_clock& clock) noexcept
    : clock_(clock), cname_(cname.substr(0, max_cname)), ssrc_(ssrc) {}

void rtcp_session::on_datagram(std::span<const std::byte> datagram, time_point now) noexcept {
  listener ear{*this, now};
  if (!parse_rtcp(datagram, ear))
    ++malformed_;
}

size_t rtcp_session::report(const sender& out_stream, receiver_statistics& in_stream,
                            uint32_t media_timestamp, time_point now, std::span<std::byte> out,
                            const voip_metrics* metrics) noexcept {
  rtcp_builder to{out};
  if (!build(to, out_stream, in_stream, media_timestamp, now, metrics))
    return 0;
  ++sent_;
  return to.size();
}

size_t rtcp_session::bye(const sender& out_stream, receiver_statistics& in_stream,
                         uint32_t media_timestamp, time_point now, std::span<std::byte> out,
                         const voip_metrics* metrics) noexcept {
  rtcp_builder to{out};
  if (!build(to, out_stream, in_stream, media_timestamp, now, metrics) || !to.bye(ssrc_))
    return 0;
  ++sent_;
  return to.size();
}

bool rtcp_session::build(rtcp_builder& to, const sender& out_stream, receiver_statistics& in_stream,
                         uint32_t media_timestamp, time_point now,
                         const voip_metrics* metrics) noexcept {
  report_block block;
  const bool heard = in_stream.next_report(block);
  if (heard && last_report_ != 0 && report_ssrc_ == block.ssrc) {
    block.lsr = last_report_;
    block.dlsr = to_dlsr(now - report_arrival_);
  }
  const std::span<const report_block> blocks{&block, heard ? 1u : 0u};
  const bool sent_any = out_stream.packets() != packets_reported_;
  packets_reported_ = out_stream.packets();
  const sender_info info{clock_.at(now), media_timestamp,
                         static_cast<uint32_t>(out_stream.packets()),
                         static_cast<uint32_t>(out_stream.octets())};
  return (sent_any ? to.sender_report(ssrc_, info, blocks) : to.receiver_report(ssrc_, blocks)) &&
         to.cname(ssrc_, cname_) && (metrics == nullptr || to.voip(ssrc_, *metrics));
}

} // namespace jackfield::rtp

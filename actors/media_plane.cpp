#include "actors/media_plane.hpp"

#include <utility>

namespace jackfield {

namespace {

/// Socket buffers of a media stream, bytes: half a second of G.711 and its overhead.
constexpr size_t media_buffer_bytes = 1U << 16U;

} // namespace

media_plane::media_plane(lane::lane& home, const media_plane_settings& settings)
    : home_(home), settings_(settings), clock_(home.now(), home.wall_now()) {
  // Lanes of a process begin at different places, so that they seldom meet.
  const uint32_t pairs = (settings.last_port - settings.first_port + 1U) / 2;
  next_port_ = static_cast<uint32_t>(home.random() % pairs);
  static constexpr char digits[] = "0123456789abcdef";
  for (auto bits = home.random(); cname_.size() < 16; bits >>= 4U)
    cname_ += digits[bits & 15U];
}

result<std::unique_ptr<lane::datagram_socket>>
media_plane::open_rtp(lane::datagram_handler& handler) {
  const uint32_t first = settings_.first_port + (settings_.first_port & 1U);
  const uint32_t pairs = (settings_.last_port - first + 1U) / 2;
  lane::datagram_options options;
  options.media = true;
  options.buffer_bytes = media_buffer_bytes;
  for (uint32_t tried = 0; tried < pairs; ++tried) {
    const auto port = static_cast<uint16_t>(first + 2 * (next_port_ % pairs));
    next_port_ = (next_port_ + 1) % pairs;
    auto socket = home_.open_datagram(settings_.address.with_port(port), handler, options);
    if (socket || tried + 1 == pairs)
      return socket;
  }
  return fail("rtp " + settings_.address.address(), "no port left in " +
                                                      std::to_string(settings_.first_port) + "-" +
                                                      std::to_string(settings_.last_port));
}

result<std::unique_ptr<lane::datagram_socket>>
media_plane::open_rtcp(lane::datagram_handler& handler, const lane::endpoint& rtp) {
  lane::datagram_options options;
  options.media = true;
  options.buffer_bytes = media_buffer_bytes;
  return home_.open_datagram(rtp.with_port(static_cast<uint16_t>(rtp.port() + 1)), handler,
                             options);
}

lane::duration media_plane::next_phase(std::chrono::milliseconds period) noexcept {
  // 618034 / 1000000 is the golden ratio's fraction: successive multiples spread evenly however
  // many streams there are.
  phase_ = (phase_ + 618'034U) % 1'000'000U;
  return lane::duration{period} * phase_ / 1'000'000;
}

} // namespace jackfield

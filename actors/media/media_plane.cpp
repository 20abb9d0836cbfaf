#include "actors/media/media_plane.hpp"

#include <algorithm>
#include <utility>

namespace jackfield {

namespace {

/// Ports tried for one stream: the lane does nothing else meanwhile.
constexpr uint32_t most_tries = 512;

} // namespace

media_plane::media_plane(lane::lane& home, const media_plane_settings& settings)
    : home_(home), settings_(settings), clock_(home.now(), home.wall_now()),
      read_([](void* self) { static_cast<media_plane*>(self)->read_all(); }, this) {
  // Lanes of a process begin at different places, so that they seldom meet.
  const uint32_t pairs = (settings.last_port - settings.first_port + 1U) / 2;
  next_port_ = static_cast<uint32_t>(home.random() % pairs);
  static constexpr char digits[] = "0123456789abcdef";
  for (auto bits = home.random(); cname_.size() < 16; bits >>= 4U)
    cname_ += digits[bits & 15U];
}

result<void> media_plane::check_address() {
  class deaf final : public lane::datagram_handler {
    void on_datagram(const lane::endpoint& /*from*/, std::span<const std::byte> /*bytes*/,
                     lane::time_point /*arrived*/) override {}
  } nobody;
  return home_.open_datagram(settings_.address.with_port(0), nobody, {}).map([](auto&&) {});
}

result<std::unique_ptr<lane::datagram_socket>>
media_plane::open_rtp(lane::datagram_handler& handler, bool on_demand) {
  const uint32_t first = settings_.first_port + (settings_.first_port & 1U);
  const uint32_t pairs = (settings_.last_port - first + 1U) / 2;
  lane::datagram_options options;
  options.media = true;
  options.on_demand = on_demand;
  options.buffer_bytes = media_buffer_bytes;
  for (uint32_t tried = 0; tried < std::min(pairs, most_tries); ++tried) {
    const auto port = static_cast<uint16_t>(first + 2 * (next_port_ % pairs));
    next_port_ = (next_port_ + 1) % pairs;
    auto socket = home_.open_datagram(settings_.address.with_port(port), handler, options);
    if (socket)
      return socket;
    // Not the port's fault: no other would do.
    if (tried == 0)
      if (auto any = home_.open_datagram(settings_.address.with_port(0), handler, options); !any)
        return any;
  }
  return fail("rtp " + settings_.address.address(), "no port free in " +
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

void media_plane::read_soon(lane::datagram_socket& socket) {
  to_read_.push_back(&socket);
  if (!read_.armed())
    home_.arm(read_, home_.now());
}

void media_plane::forget(lane::datagram_socket& socket) noexcept {
  std::replace(to_read_.begin(), to_read_.end(), &socket,
               static_cast<lane::datagram_socket*>(nullptr));
}

void media_plane::read_all() {
  // A stream that hears something may end another; what is asked for meanwhile waits.
  const auto due = to_read_.size();
  for (size_t i = 0; i < due; ++i) {
    if (i + 1 < due)
      __builtin_prefetch(to_read_[i + 1]); // of thousands, its turn comes once a frame
    if (auto* socket = to_read_[i])
      socket->receive_pending();
  }
  to_read_.erase(to_read_.begin(), to_read_.begin() + static_cast<std::ptrdiff_t>(due));
  if (!to_read_.empty() && !read_.armed())
    home_.arm(read_, home_.now());
}

lane::duration media_plane::next_phase(std::chrono::milliseconds period) noexcept {
  // 618034 / 1000000 is the golden ratio's fraction: successive multiples spread evenly however
  // many streams there are.
  phase_ = (phase_ + 618'034U) % 1'000'000U;
  return lane::duration{period} * phase_ / 1'000'000;
}

} // namespace jackfield

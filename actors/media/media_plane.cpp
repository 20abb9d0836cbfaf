#include "actors/media/media_plane.hpp"

#include <algorithm>
#include <cstring>
#include <utility>

namespace jackfield {

namespace {

/// Ports tried for one stream: the lane does nothing else meanwhile.
constexpr uint32_t most_tries = 512;

std::string_view as_text(std::span<const std::byte> bytes) {
  return {reinterpret_cast<const char*>(bytes.data()), bytes.size()};
}

/// Packets begin at multiples of 8, as encryption wants them.
uint32_t round_up(size_t size) {
  return static_cast<uint32_t>((size + 7U) / 8 * 8);
}

} // namespace

media_plane::media_plane(lane::lane& home, const media_plane_settings& settings)
    : home_(home), settings_(settings), clock_(home.now(), home.wall_now()),
      work_([](void* self) { static_cast<media_plane*>(self)->work(); }, this) {
  to_send_.reserve(batch);
  to_open_.reserve(batch);
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
media_plane::open_rtp(lane::datagram_handler& handler, bool on_demand, uint16_t wanted) {
  const uint32_t first = settings_.first_port + (settings_.first_port & 1U);
  const uint32_t pairs = (settings_.last_port - first + 1U) / 2;
  lane::datagram_options options;
  options.media = true;
  options.on_demand = on_demand;
  options.buffer_bytes = media_buffer_bytes;
  if (wanted != 0)
    if (auto socket = home_.open_datagram(settings_.address.with_port(wanted), handler, options))
      return socket;
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

void media_plane::work_soon() {
  if (!work_.armed())
    home_.arm(work_, home_.now());
}

void media_plane::read_soon(lane::datagram_socket& socket) {
  to_read_.push_back(&socket);
  work_soon();
}

void media_plane::send_soon(lane::datagram_socket& socket, const lane::endpoint& to, size_t size) {
  to_send_.push_back({&socket, to, as_text(sending_room().first(size))});
  to_send_used_ += round_up(size);
  if (to_send_.size() == batch || sending_room().size() < most_packet)
    send_all();
  else
    work_soon();
}

void media_plane::send_all() noexcept {
  home_.send_all(to_send_);
  to_send_.clear();
  to_send_used_ = 0;
}

bool media_plane::open(packet_opener& opener, std::span<const std::byte> packet,
                       lane::time_point arrived) {
  if (packet.size() > most_packet)
    return false;
  if (!reading_) {
    std::ranges::copy(packet, opened_at_once_.begin());
    opener.open_packet(std::span{opened_at_once_}.first(packet.size()), arrived);
    return true;
  }
  std::memcpy(to_open_bytes_.data() + to_open_used_, packet.data(), packet.size());
  to_open_.push_back({&opener, arrived, to_open_used_, static_cast<uint32_t>(packet.size())});
  to_open_used_ += round_up(packet.size());
  if (to_open_bytes_.size() - to_open_used_ < most_packet)
    open_all();
  return true;
}

void media_plane::open_all() {
  const auto reading = std::exchange(reading_, false);
  for (size_t i = 0; i < to_open_.size(); ++i) {
    if (i + 1 < to_open_.size())
      __builtin_prefetch(to_open_[i + 1].opener);
    if (const auto each = to_open_[i]; each.opener != nullptr)
      each.opener->open_packet(std::span{to_open_bytes_}.subspan(each.at, each.size), each.arrived);
  }
  to_open_.clear();
  to_open_used_ = 0;
  reading_ = reading;
}

void media_plane::forget(lane::datagram_socket& socket) noexcept {
  constexpr lane::datagram_socket* gone = nullptr;
  std::ranges::replace(to_read_, &socket, gone);
  std::ranges::replace(read_now_, &socket, gone);
  if (std::ranges::find(to_send_, &socket, &lane::outgoing_datagram::socket) != to_send_.end())
    send_all();
}

void media_plane::forget(packet_opener& opener) noexcept {
  for (auto& each : to_open_)
    if (each.opener == &opener)
      each.opener = nullptr;
}

void media_plane::work() {
  send_all();
  // A stream that hears something may end another; what is asked for meanwhile waits.
  const auto due = to_read_.size();
  for (size_t i = 0; i < due;) {
    const auto count = std::min(batch, due - i);
    std::copy_n(to_read_.begin() + static_cast<std::ptrdiff_t>(i), count, read_now_.begin());
    reading_ = true;
    home_.receive_all(std::span{read_now_}.first(count));
    reading_ = false;
    open_all();
    i += count;
  }
  to_read_.erase(to_read_.begin(), to_read_.begin() + static_cast<std::ptrdiff_t>(due));
  if (!to_read_.empty() || !to_send_.empty())
    work_soon();
}

lane::duration media_plane::next_phase(std::chrono::milliseconds period) noexcept {
  // 618034 / 1000000 is the golden ratio's fraction: successive multiples spread evenly however
  // many streams there are.
  phase_ = (phase_ + 618'034U) % 1'000'000U;
  return lane::duration{period} * phase_ / 1'000'000;
}

} // namespace jackfield

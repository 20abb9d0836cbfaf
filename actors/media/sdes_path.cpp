#include "actors/media/sdes_path.hpp"

#include <algorithm>
#include <array>
#include <utility>

namespace jackfield {

sdes_path::~sdes_path() {
  packet_opener& self = *this;
  plane_.forget(self);
}

void sdes_path::open(media_path_user& user) {
  user_ = &user;
  keys_.reserve(srtp::profiles.size());
  for (const auto profile : srtp::profiles) {
    std::array<std::byte, srtp::master_key::most_bytes> drawn{};
    const auto secret = std::span{drawn}.first(srtp::master_key::size_for(profile));
    plane_.home().random_bytes(secret);
    keys_.push_back(srtp::master_key::from(profile, secret).value());
  }
  socket_.open(*this);
}

void sdes_path::on_path_opened(const lane::endpoint& local,
                               std::shared_ptr<const sdp::stream_transport> /*transport*/) {
  auto own = std::make_shared<sdp::stream_transport>();
  for (const auto& key : keys_)
    own->keys.push_back({static_cast<uint32_t>(own->keys.size() + 1),
                         std::string{srtp::suite_of(key.used_by())}, key.base64()});
  user_->on_path_opened(local, std::move(own));
}

void sdes_path::connect(const media_remote& remote) {
  if (auto agreed = agree(remote.transport.get()); agreed)
    socket_.connect(remote);
  else
    user_->on_path_failed(agreed.error());
}

result<void> sdes_path::agree(const sdp::stream_transport* theirs) {
  if (theirs == nullptr || theirs->keys.empty())
    return fail("srtp key", "the peer has none, expected a=crypto");
  const auto& crypto = theirs->keys.front();
  const auto profile = srtp::profile_of(crypto.suite);
  const auto own = std::ranges::find(
    keys_, profile, [](const srtp::master_key& key) { return std::optional{key.used_by()}; });
  if (own == keys_.end())
    return fail("srtp key", "suite " + crypto.suite + ", expected one of ours");
  return srtp::master_key::parse(*profile, crypto.key).and_then([&](const srtp::master_key& key) {
    return protection_.use(*own, key);
  });
}

void sdes_path::on_path_connected(bool can_send) {
  user_->on_path_connected(can_send);
}

void sdes_path::on_path_failed(const error& why) {
  user_->on_path_failed(why);
}

void sdes_path::send_rtp(std::span<const std::byte> packet) {
  if (const auto sent = protection_.protect(packet, false, plane_.sending_room()); !sent.empty())
    socket_.send_rtp_soon(sent.size());
}

void sdes_path::send_rtcp(std::span<const std::byte> packet) {
  if (const auto sent = protection_.protect(packet, true, plane_.sending_room()); !sent.empty())
    socket_.send_rtcp_soon(sent.size());
}

void sdes_path::on_path_packet(std::span<const std::byte> bytes, lane::time_point arrived) {
  if (!plane_.open(*this, bytes, arrived))
    protection_.note_malformed();
}

void sdes_path::open_packet(std::span<std::byte> packet, lane::time_point arrived) {
  if (const auto clear = protection_.open(packet); !clear.empty())
    user_->on_path_packet(clear, arrived);
}

path_counters sdes_path::counted() const {
  auto made = socket_.counted();
  protection_.count(made);
  return made;
}

} // namespace jackfield

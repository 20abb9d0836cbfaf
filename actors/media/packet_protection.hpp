#pragma once

#include <cstddef>
#include <memory>
#include <optional>
#include <span>
#include <string_view>

#include "actors/media/media_path.hpp"
#include "engine/error/error.hpp"
#include "engine/srtp/receiver.hpp"
#include "engine/srtp/sender.hpp"

namespace jackfield {

/// SRTP both ways for one stream of one SSRC each lane-side. Before `use`, nothing passes.
class packet_protection {
public:
  /// From now on these keys, both of one profile. The same ones again change nothing: sequence
  /// numbers and the window of what has come go on.
  result<void> use(const srtp::master_key& ours, const srtp::master_key& theirs);
  [[nodiscard]] bool ready() const noexcept { return receiver_.has_value(); }
  /// By its name in SDES; empty before `use`.
  [[nodiscard]] std::string_view profile() const noexcept;

  /// The packet encrypted, in `room`; empty if it cannot be sent.
  std::span<const std::byte> protect(std::span<const std::byte> packet, bool rtcp,
                                     std::span<std::byte> room);
  /// The peer's packet decrypted, in its place; empty if it is none of the peer's, and before
  /// `use`: a peer whose handshake ended first sends before we can read. RTP and RTCP are told
  /// apart by their second byte (RFC 5761 §4).
  std::span<const std::byte> open(std::span<std::byte> packet);
  /// A packet that was not even tried.
  void note_malformed() noexcept { ++before_.malformed; }

  /// Adds what was refused.
  void count(path_counters& to) const noexcept;

private:
  /// Packets that are tried so before the first that is the peer's, and wraps that are tried: seven
  /// hours of 50 packets a second.
  static constexpr unsigned most_late_tries = 8;
  static constexpr uint32_t most_rollovers = 20;
  /// Opens a packet of a peer who goes on under a key whose sequence numbers have wrapped before we
  /// had it, as after a crash of ours (RFC 3711 §3.3.1: the count of wraps is in no packet).
  std::span<const std::byte> open_late(std::span<std::byte> packet);

  struct key_pair {
    srtp::master_key ours;
    srtp::master_key theirs;
    friend bool operator==(const key_pair&, const key_pair&) = default;
  };

  std::unique_ptr<const key_pair> keys_;
  std::optional<srtp::sender> sender_; // from the first packet on, which tells the SSRC
  std::optional<srtp::receiver> receiver_;
  path_counters before_; // by receivers of earlier keys; what was not tried
  uint32_t unprotected_ = 0;
  bool heard_ = false; // RTP of the peer's, by the keys in force
  uint8_t late_tries_ = 0;
};

} // namespace jackfield

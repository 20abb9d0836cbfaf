#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string_view>
#include <vector>

#include "engine/srtp/profile.hpp"

/// SRTP a second time, straight from the RFCs and slow: what the RFCs' vectors, which give session
/// keys, are held against, and then the engine, which takes master keys.
namespace jackfield::srtp::reference {

using bytes = std::vector<std::byte>;

[[nodiscard]] bytes from_hex(std::string_view hex);

/// RFC 3711 §4.3: `length` bytes for a label (0, 1, 2: cipher key, authentication key, salt of RTP;
/// 3, 4, 5: of RTCP). A salt of 12 bytes is that of RFC 7714 §11.
[[nodiscard]] bytes derive(std::span<const std::byte> master_key,
                           std::span<const std::byte> master_salt, uint8_t label, size_t length);

/// What one direction of a session encrypts with.
struct session_keys {
  bytes key;
  bytes authentication; ///< AES_CM only
  bytes salt;
};
[[nodiscard]] session_keys session_keys_of(profile p, std::span<const std::byte> master, bool rtcp);

/// RFC 3711 §4.1.1.
[[nodiscard]] bytes counter_keystream(std::span<const std::byte> key,
                                      std::span<const std::byte> salt, uint32_t ssrc,
                                      uint64_t index, size_t length);

/// An RTP packet without CSRCs and extension, `rollovers` before it.
[[nodiscard]] bytes protect_rtp(profile p, const session_keys& keys, const bytes& packet,
                                uint32_t rollovers);
[[nodiscard]] bytes protect_rtcp(profile p, const session_keys& keys, const bytes& packet,
                                 uint32_t index);

} // namespace jackfield::srtp::reference

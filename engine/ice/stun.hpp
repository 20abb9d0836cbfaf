#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string_view>

#include <tl/expected.hpp>

#include "engine/lane/endpoint.hpp"

namespace jackfield::ice {

/// STUN binding messages as ICE uses them (RFC 8489, RFC 8445 §7). Written here and not with
/// libnice's StunAgent, which has 13 kB of its own for each end, chooses transaction ids itself and
/// believes a response by its transaction id wherever that came from.

using transaction_id = std::array<std::byte, 12>;

enum class message_class : uint8_t { request, indication, success, error };

/// Error codes that are sent (RFC 8489 §14.8, RFC 8445 §7.3.1.1).
enum class stun_error : uint16_t {
  bad_request = 400,
  unauthenticated = 401,
  unknown_attribute = 420,
  role_conflict = 487,
};

/// Why bytes are no binding message.
enum class stun_fault : uint8_t {
  not_stun,    ///< something else that shares the socket
  malformed,   ///< a length that does not fit, or an attribute of a wrong size
  fingerprint, ///< has one that is wrong
  method,      ///< STUN, but not Binding
};

/// Attributes of which one may say that it was not understood, in order of their appearance.
struct unknown_attributes {
  static constexpr size_t most = 8;

  std::array<uint16_t, most> types{};
  uint8_t count = 0; ///< at most `most`; further ones are not told
};

/// What a binding message says. Of an attribute that is repeated the first one counts, and nothing
/// that follows MESSAGE-INTEGRITY does. Views are into the bytes read.
struct binding_message {
  message_class kind = message_class::request;
  transaction_id id{};
  std::optional<std::string_view> username;
  std::optional<uint32_t> priority;
  std::optional<uint64_t> controlling; ///< the tie-breaker
  std::optional<uint64_t> controlled;
  lane::endpoint mapped; ///< XOR-MAPPED-ADDRESS; not valid if there is none
  uint16_t error = 0;    ///< 300..699; 0 if there is none
  bool use_candidate = false;
  bool has_fingerprint = false; ///< and it is right
  uint16_t integrity_at = 0;    ///< offset of MESSAGE-INTEGRITY; 0 if there is none
  unknown_attributes unknown;   ///< those that must be understood (RFC 8489 §14)
};

/// Room for every message that is written here: two ufrags of 256 characters included.
inline constexpr size_t longest_stun = 640;

/// Tells STUN from DTLS, RTP and the rest on one socket (RFC 7983 §7): the first two bits, the
/// magic cookie, and that there is a header.
[[nodiscard]] bool is_stun(std::span<const std::byte> datagram) noexcept;

/// Reads one datagram that is one whole message. FINGERPRINT is checked where there is one, and
/// must be last.
[[nodiscard]] tl::expected<binding_message, stun_fault>
read_stun(std::span<const std::byte> datagram) noexcept;

/// True if `message`, read from `datagram`, has a MESSAGE-INTEGRITY made with `password`. Takes as
/// long for a wrong one as for a right one.
[[nodiscard]] bool has_integrity(std::span<const std::byte> datagram,
                                 const binding_message& message,
                                 std::string_view password) noexcept;

/// A connectivity check (RFC 8445 §7.1) as it is to be sent.
struct connectivity_check {
  transaction_id id{};
  std::string_view peer_ufrag; ///< at most 256 characters, as all ufrags
  std::string_view own_ufrag;
  uint32_t priority = 0; ///< that of a peer-reflexive candidate found by this check
  bool controlling = false;
  uint64_t tie_breaker = 0;
  bool use_candidate = false;
};

/// These write a message, MESSAGE-INTEGRITY and FINGERPRINT included, and return its part of
/// `buffer`; empty if a ufrag is too long.
using stun_buffer = std::array<std::byte, longest_stun>;
[[nodiscard]] std::span<const std::byte> write_check(stun_buffer& buffer,
                                                     const connectivity_check& check,
                                                     std::string_view password) noexcept;
[[nodiscard]] std::span<const std::byte> write_success(stun_buffer& buffer,
                                                       const transaction_id& id,
                                                       const lane::endpoint& mapped,
                                                       std::string_view password) noexcept;
/// Without integrity where `password` is empty: who is not authenticated gets none (RFC 8489
/// §9.1.3). `unknown` goes with `unknown_attribute` alone.
[[nodiscard]] std::span<const std::byte> write_error(stun_buffer& buffer, const transaction_id& id,
                                                     stun_error error, std::string_view password,
                                                     const unknown_attributes& unknown) noexcept;

} // namespace jackfield::ice

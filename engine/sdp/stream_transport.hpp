#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "engine/error/error.hpp"
#include "engine/sdp/session.hpp"

/// What a description says of how a stream is reached and protected, beside addresses and codecs.
namespace jackfield::sdp {

/// How a stream's packets are protected, and by what its keys are agreed on.
enum class protection : std::uint8_t {
  none, ///< plain RTP
  sdes, ///< keys in the description (RFC 4568)
  dtls, ///< keys by DTLS, whose certificates the description vouches for (RFC 5763)
};

/// `a=crypto` (RFC 4568 section 9.1) with one key. Keys are secret.
struct crypto {
  std::uint32_t tag = 0; ///< 1..999,999,999
  std::string suite;
  std::string key; ///< master key and salt in base64

  friend bool operator==(const crypto&, const crypto&) = default;
};

/// Reads the value of `a=crypto`. Nothing for what is no such line, and for one that asks for more
/// than one plain key: several, an MKI, or session parameters that change how packets are made.
[[nodiscard]] std::optional<crypto> parse_crypto(std::string_view value);

/// ICE's part (RFC 8839). The password is secret.
struct ice_description {
  std::string ufrag;
  std::string pwd;
  std::vector<std::string> candidates; ///< values of `a=candidate`
  bool lite = false;                   ///< answers checks and makes none (RFC 8445 section 2.5)
  bool trickles = false;               ///< takes candidates that come later (RFC 8840)
  bool complete = true;                ///< no more candidates of its own will follow
  std::string mid = {};                ///< of a peer's: its m-line's `a=mid`; empty: none

  friend bool operator==(const ice_description&, const ice_description&) = default;
};

/// All of it, of one stream: what we show, or what a peer did.
struct stream_transport {
  std::vector<crypto> keys; ///< preferred first
  std::vector<fingerprint> fingerprints;
  std::optional<setup> role;
  std::optional<ice_description> ice;
  /// Ours alone: where the stream's port is, an IP literal; empty: at the session's own address.
  std::string host = {};

  friend bool operator==(const stream_transport&, const stream_transport&) = default;
};

/// What `description` says of its m-line `media`: what stands there counts before what stands for
/// the whole session.
[[nodiscard]] stream_transport transport_of(const session& description,
                                            const media_description& media);

/// Adds it to an m-line, and to the description what can only be said of all of it: `a=ice-lite`
/// (RFC 8839 section 5.3).
void add_transport(session& description, media_description& media,
                   const stream_transport& transport);

/// True if all of it is said at the end of the m-line.
[[nodiscard]] bool is_appendable(const stream_transport& transport) noexcept;

/// Appends it, which is appendable, to the text of a description that ends with the m-line.
void print_transport(const stream_transport& transport, std::string& out);

/// True for a profile that asks for SRTP ("RTP/SAVP", "UDP/TLS/RTP/SAVPF" ...).
[[nodiscard]] bool is_secure(std::string_view profile) noexcept;

/// What of it an answer is judged by.
struct protection_terms {
  std::span<const protection> accepted;     ///< preferred first
  std::span<const std::string> suites = {}; ///< of SDES that we can
  /// What was agreed on before, which is for the session's life: a stream that was protected never
  /// goes on without (nobody on the way may talk it out of that).
  std::optional<protection> settled = {};
};

/// How an offered stream is to be protected; `keys` is left with the one that is accepted. Fails
/// with a cause alone, fit to follow "sdp offer: ".
[[nodiscard]] tl::expected<protection, std::string>
protection_for(std::string_view profile, stream_transport& offered, const protection_terms& terms);

/// Our role in DTLS for an offer with that role (RFC 5763 section 5), `before` if there is an
/// association that may live on; nothing if the offer leaves none (`holdconn`).
[[nodiscard]] std::optional<setup> role_answering(std::optional<setup> offered,
                                                  std::optional<setup> before) noexcept;
/// Our role after an answer with that role to our `actpass`.
[[nodiscard]] setup role_answered(std::optional<setup> answered) noexcept;

} // namespace jackfield::sdp

#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "engine/error/error.hpp"

/// Session descriptions (RFC 8866): a value that is parsed from, edited and printed as text. Plain
/// values throughout: no I/O, no threads, no references into the text that was parsed.
namespace jackfield::sdp {

/// What one description may hold; `parse` refuses anything above with an error, so that its cost
/// and its memory are bounded by the text's length.
inline constexpr std::size_t max_bytes = 64 * 1024;
inline constexpr std::size_t max_lines = 2'000;
inline constexpr std::size_t max_media = 32;
inline constexpr std::size_t max_formats = 64;
inline constexpr std::size_t max_candidates = 64;

/// RTP payload types are 7 bits wide (RFC 3550 section 5.1).
inline constexpr unsigned max_payload_type = 127;

/// The packet lengths that the engine works with, in milliseconds. `a=ptime` and `a=maxptime` are
/// clamped into this range when they are parsed.
inline constexpr unsigned min_ptime_ms = 10;
inline constexpr unsigned max_ptime_ms = 120;

/// What a textual address is, judged by its text and not by the `IP4` or `IP6` beside it.
enum class host_kind : std::uint8_t { ipv4, ipv6, name };

/// Judges an address; anything that is not an IP literal counts as a name.
[[nodiscard]] host_kind kind_of(std::string_view host) noexcept;

/// `c=` and the address part of `o=` and `a=rtcp` (RFC 8866 section 5.7).
struct connection {
  std::string network = "IN";
  std::string family = "IP4"; ///< "IP4" or "IP6" where the network is "IN"
  std::string host;           ///< an IP literal or a name, without brackets
  std::string suffix;         ///< multicast TTL and count as they came ("/127/3"), else empty

  friend bool operator==(const connection&, const connection&) = default;
};

/// A unicast connection at an IP literal or a name; the family follows from the text (a name is
/// taken to resolve to IPv4).
[[nodiscard]] connection connection_at(std::string_view host);

/// `o=` (RFC 8866 section 5.2).
struct origin {
  std::string username = "-";
  std::uint64_t session_id = 0;
  std::uint64_t version = 0;
  connection address;

  friend bool operator==(const origin&, const origin&) = default;
};

/// `b=` (RFC 8866 section 5.8). The unit depends on the type: kbit/s for AS and CT, bit/s for TIAS.
struct bandwidth {
  std::string type;
  std::uint64_t value = 0;

  friend bool operator==(const bandwidth&, const bandwidth&) = default;
};

/// A line of a type that the engine doesn't interpret, kept as it came.
struct raw_line {
  char type = 0;
  std::string value;

  friend bool operator==(const raw_line&, const raw_line&) = default;
};

/// `t=` with the `r=` and `z=` lines that followed it (RFC 8866 section 5.9 to 5.11). Seconds since
/// 1900; 0 means unbounded.
struct timing {
  std::uint64_t start = 0;
  std::uint64_t stop = 0;
  std::vector<raw_line> repeats;

  friend bool operator==(const timing&, const timing&) = default;
};

/// Who sends (RFC 8866 section 6.7), as the writer of the description sees it.
enum class direction : std::uint8_t { sendrecv, sendonly, recvonly, inactive };

[[nodiscard]] std::string_view to_string(direction value) noexcept;

/// The same direction as the other side sees it.
[[nodiscard]] direction reversed(direction value) noexcept;

[[nodiscard]] constexpr bool sends(direction value) noexcept {
  return value == direction::sendrecv || value == direction::sendonly;
}

[[nodiscard]] constexpr bool receives(direction value) noexcept {
  return value == direction::sendrecv || value == direction::recvonly;
}

/// The direction that sends if both do and receives if both do, both as seen from one side.
[[nodiscard]] direction common(direction a, direction b) noexcept;

/// `a=rtpmap` (RFC 8866 section 6.6). Encoding names compare case-insensitively.
struct rtpmap {
  std::uint8_t payload_type = 0;
  std::string encoding;
  std::uint32_t clock_rate = 0; ///< Hz, never 0 after parsing
  std::uint32_t channels = 1;   ///< printed only if above 1

  friend bool operator==(const rtpmap&, const rtpmap&) = default;
};

/// `a=fmtp` (RFC 8866 section 6.15) of an RTP payload type.
struct fmtp {
  std::uint8_t payload_type = 0;
  std::string parameters;

  friend bool operator==(const fmtp&, const fmtp&) = default;
};

/// `a=ptime` in milliseconds, within `min_ptime_ms` and `max_ptime_ms`.
struct ptime {
  std::uint8_t ms = 20;

  friend bool operator==(const ptime&, const ptime&) = default;
};

/// `a=maxptime` in milliseconds, within the same bounds.
struct maxptime {
  std::uint8_t ms = max_ptime_ms;

  friend bool operator==(const maxptime&, const maxptime&) = default;
};

/// `a=rtcp` (RFC 3605).
struct rtcp {
  std::uint16_t port = 0;
  std::optional<connection> address; ///< none: that of the m-line

  friend bool operator==(const rtcp&, const rtcp&) = default;
};

/// `a=rtcp-mux` (RFC 5761).
struct rtcp_mux {
  friend bool operator==(const rtcp_mux&, const rtcp_mux&) = default;
};

/// `a=ssrc` (RFC 5576).
struct ssrc {
  std::uint32_t id = 0;
  std::string attribute; ///< "cname:..." and so on

  friend bool operator==(const ssrc&, const ssrc&) = default;
};

/// `a=mid` (RFC 5888).
struct mid {
  std::string tag;

  friend bool operator==(const mid&, const mid&) = default;
};

/// `a=group` (RFC 5888).
struct group {
  std::string semantics;
  std::vector<std::string> mids;

  friend bool operator==(const group&, const group&) = default;
};

inline constexpr std::string_view bundle_semantics = "BUNDLE"; // RFC 9143

/// `a=fingerprint` (RFC 8122).
struct fingerprint {
  std::string hash;
  std::string value; ///< upper or lower case hexadecimal, colons between, as it came

  friend bool operator==(const fingerprint&, const fingerprint&) = default;
};

/// `a=setup` (RFC 4145).
enum class setup : std::uint8_t { active, passive, actpass, holdconn };

[[nodiscard]] std::string_view to_string(setup value) noexcept;

/// Any other attribute, ICE's (ice-*, candidate) and SDES's (crypto) among them, as it came.
struct raw_attribute {
  std::string name;
  std::optional<std::string> value; ///< none for a flag ("a=name")

  friend bool operator==(const raw_attribute&, const raw_attribute&) = default;
};

using attribute = std::variant<raw_attribute, rtpmap, fmtp, ptime, maxptime, direction, rtcp,
                               rtcp_mux, ssrc, mid, group, fingerprint, setup>;

/// Attributes in the order in which they came, which is the order in which they are printed.
using attribute_list = std::vector<attribute>;

/// The first attribute of type T, or null.
template <class T>
[[nodiscard]] const T* find(const attribute_list& attributes) noexcept {
  for (const auto& each : attributes) {
    if (const T* found = std::get_if<T>(&each); found != nullptr) {
      return found;
    }
  }
  return nullptr;
}

/// The first raw attribute of that name (exact, as attribute names are case-sensitive), or null.
[[nodiscard]] const raw_attribute* find(const attribute_list& attributes,
                                        std::string_view name) noexcept;

/// One m-line and what belongs to it (RFC 8866 section 5.14).
struct media_description {
  std::string type;                 ///< "audio", "video", "application" ...
  std::uint16_t port = 0;           ///< 0: rejected or disabled
  std::uint16_t port_count = 1;     ///< printed only if above 1
  std::string profile;              ///< "RTP/AVP" ...
  std::vector<std::string> formats; ///< for RTP profiles decimal payload types, 0..127
  std::vector<raw_line> lines;      ///< i=, k= and unknown types
  std::vector<connection> connections;
  std::vector<bandwidth> bandwidths;
  attribute_list attributes;

  friend bool operator==(const media_description&, const media_description&) = default;
};

/// A whole description. Default-made it prints with an empty o= address, which is not valid: fill
/// `from` first.
struct session {
  origin from;
  std::string name = "-";
  std::vector<raw_line> lines; ///< i=, u=, e=, p=, k= and unknown types
  std::optional<connection> address;
  std::vector<bandwidth> bandwidths;
  std::vector<timing> times; ///< none is printed as "t=0 0"
  attribute_list attributes;
  std::vector<media_description> media;

  friend bool operator==(const session&, const session&) = default;
};

/// True if the m-line of that mid is in a group that shares one transport (RFC 9143).
[[nodiscard]] bool is_bundled(const session& description, std::string_view mid) noexcept;

/// True for a profile whose formats are RTP payload types ("RTP/AVP", "UDP/TLS/RTP/SAVPF" ...).
[[nodiscard]] bool is_rtp(std::string_view profile) noexcept;

/// Parses a description in one pass; time and memory are linear in the text. Lines end in CRLF or
/// LF. An error's place is "sdp line 7", or "sdp" for what concerns the whole.
[[nodiscard]] result<session> parse(std::string_view text);

/// Appends the description, every line ending in CRLF. What `parse` made prints as text that
/// parses into an equal value, as long as that text is within the bounds itself (it may be a
/// little longer: line ends become CRLF, and s= and t= are added where they were missing).
void print(const session& description, std::string& out);

[[nodiscard]] std::string print(const session& description);

} // namespace jackfield::sdp

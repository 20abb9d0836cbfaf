#pragma once

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

#include "engine/error/error.hpp"
#include "engine/sdp/stream_transport.hpp"

/// What is told of ICE after the description: the body of an INFO of Trickle ICE (RFC 8840 section
/// 9). Plain values, like the descriptions themselves.
namespace jackfield::sdp {

/// The media type of such a body, and the name of its INFO package (RFC 8840 section 10).
inline constexpr std::string_view ice_fragment_type = "application/trickle-ice-sdpfrag";
inline constexpr std::string_view ice_fragment_package = "trickle-ice";

/// All candidates of one generation so far, in their order: each fragment repeats those of the
/// one before it (RFC 8840 section 4.4). The password is secret.
struct ice_fragment {
  /// What `parse_ice_fragment` takes; more is an error.
  static constexpr std::size_t max_bytes = 16 * 1024;
  static constexpr std::size_t max_streams = max_media;
  static constexpr std::size_t max_candidates = sdp::max_candidates; ///< of all streams

  /// What is said of one m-line.
  struct stream {
    std::string ufrag; ///< of the m-line, else of the whole fragment
    std::string pwd;
    std::string mid;                     ///< empty: not said
    std::vector<std::string> candidates; ///< values of `a=candidate`
    bool complete = false;               ///< no more will follow: `a=end-of-candidates`

    friend bool operator==(const stream&, const stream&) = default;
  };
  /// At least one; where no m-line was there, what was said of all of them.
  std::vector<stream> streams;

  friend bool operator==(const ice_fragment&, const ice_fragment&) = default;
};

/// Reads a fragment in one pass; attributes that are of no use here are skipped. Lines end in CRLF
/// or LF. An error's place is "ice fragment".
[[nodiscard]] result<ice_fragment> parse_ice_fragment(std::string_view text);

/// Prints what is told of one audio stream; `parse_ice_fragment` reads it back. Every line ends in
/// CRLF.
[[nodiscard]] std::string print_ice_fragment(const ice_fragment::stream& told);

/// True if the fragment's stream is about the one that is described so: it is of the same
/// generation, by ufrag and password, and of the same m-line where both name theirs.
[[nodiscard]] bool is_about(const ice_fragment::stream& told,
                            const ice_description& described) noexcept;

} // namespace jackfield::sdp

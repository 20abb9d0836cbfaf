#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "engine/sdp/offer_answer.hpp"
#include "engine/sdp/session.hpp"

namespace jackfield::sdp {

/// How a peer's offer laid a session out, where that isn't how we would: m-lines keep their number
/// and order for the session's life, and payload types their meaning (RFC 3264 sections 8 and
/// 8.3.2), so our next offer has to follow.
struct media_layout {
  struct line {
    std::string type;
    std::string profile;
    std::string format; ///< one of those offered, empty if there was none

    friend bool operator==(const line&, const line&) = default;
  };

  /// Stands for a codec that no payload type is left for.
  static constexpr std::uint8_t no_payload_type = 255;

  std::vector<line> lines; ///< never empty
  std::size_t audio = 0;   ///< which line carries it; all others are refused
  std::optional<std::string> mid;
  bool bundled = false;                    ///< in a group, which is of that line alone
  std::vector<std::uint8_t> payload_types; ///< one for each codec that we can

  friend bool operator==(const media_layout&, const media_layout&) = default;
};

/// Null stands for the plain layout: one audio stream with our own payload types and profile.
using media_layout_ptr = std::shared_ptr<const media_layout>;

/// The layout after m-line `audio` of `offer` was accepted with `capabilities`; `before` is that of
/// the session so far and is returned if nothing changes.
[[nodiscard]] media_layout_ptr layout_after(const session& offer, std::size_t audio,
                                            const media_capabilities& capabilities,
                                            const media_layout_ptr& before);

/// Our offer in that layout, alike `offer_template::shape`: port and session id are not those of
/// the call yet, the direction is `sendrecv`.
[[nodiscard]] session shape_of(const media_layout& layout, const offer_template& local);

} // namespace jackfield::sdp

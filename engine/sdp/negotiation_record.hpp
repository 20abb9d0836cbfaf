#pragma once

#include <cstdint>
#include <optional>

#include "engine/sdp/media_layout.hpp"
#include "engine/sdp/session.hpp"
#include "engine/sdp/stream_transport.hpp"

namespace jackfield::sdp {

/// What the descriptions of a session have to go on from, as plain data, to be kept in a store and
/// taken up again by `negotiation::take_up`. The media themselves are agreed on anew.
struct negotiation_record {
  std::uint32_t version = 0;           ///< o= of our last description
  direction way = direction::sendrecv; ///< as seen from here, agreed last
  bool held = false;                   ///< the peer does not want our media
  protection protected_by = protection::none;
  setup role = setup::active;         ///< ours in DTLS
  std::optional<media_layout> layout; ///< unset: the plain one

  friend bool operator==(const negotiation_record&, const negotiation_record&) = default;
};

} // namespace jackfield::sdp

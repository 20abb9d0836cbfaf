#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <vector>

#include "engine/sdp/ice_fragment.hpp"
#include "engine/sip/message.hpp"

namespace jackfield {

/// True if a peer's message says that it takes candidates in INFO (RFC 8840 §5.2).
[[nodiscard]] bool says_it_trickles(const sip::message& m) noexcept;

/// What a leg keeps for candidates that come and go in INFO (RFC 8840): which INFO is next, one at
/// a time, and what of the peer's came before its description was agreed on.
class leg_trickle {
public:
  /// Of fragments that wait; the oldest go first, as each repeats those before it.
  static constexpr size_t most_kept = 4;

  bool peer_takes = false; ///< it said so
  bool connected = false;  ///< the stream has been told of the peer
  uint32_t deferred = 0;   ///< the request that the user answers later

  // -- what comes
  void keep(sdp::ice_fragment told);
  [[nodiscard]] std::vector<sdp::ice_fragment> take_kept() noexcept;

  // -- what goes
  /// All that there is to tell now. What was told before as such is not told again.
  void tell(sdp::ice_fragment::stream all);
  /// What to send; null while one is under way, or nothing is left to tell.
  [[nodiscard]] const sdp::ice_fragment::stream* next() const noexcept;
  /// `next` went out in the request of this number.
  void on_sent(uint32_t number) noexcept;
  /// A final response; 0: none came. False if it is of another request. A peer that refuses one is
  /// sent no more, but where the INFO was only overtaken (500).
  [[nodiscard]] bool on_response(uint32_t number, int status) noexcept;

private:
  std::vector<sdp::ice_fragment> kept_;
  std::optional<sdp::ice_fragment::stream> all_;
  uint32_t under_way_ = 0;
  unsigned overtaken_ = 0;
  bool told_ = true; // `all_` is on its way or was taken
  bool refused_ = false;
};

} // namespace jackfield

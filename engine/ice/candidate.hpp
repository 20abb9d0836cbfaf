#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "engine/error/error.hpp"
#include "engine/lane/endpoint.hpp"

namespace jackfield::ice {

/// RFC 8445 §5.1.1.
enum class candidate_type : uint8_t { host, server_reflexive, peer_reflexive, relayed };

/// What carries the packets; `other` is a token that is known to nobody here.
enum class candidate_transport : uint8_t { udp, tcp, other };

/// RFC 6544 §4.5; `none` for UDP.
enum class candidate_tcp_type : uint8_t { none, active, passive, simultaneous_open };

/// "host", "srflx", "prflx" or "relay", as in SDP.
[[nodiscard]] std::string_view to_string(candidate_type type) noexcept;

/// One address at which an end may be reached: the value of an a=candidate line (RFC 8839 §5.1).
struct candidate {
  /// Longest line that is read. What browsers send is below 200.
  static constexpr size_t longest = 1024;

  std::string foundation; ///< 1..32 ice-chars
  uint16_t component = 1; ///< 1..256
  candidate_transport transport = candidate_transport::udp;
  uint32_t priority = 1;  ///< 1..2^31-1
  lane::endpoint address; ///< not valid where `name` is given
  std::string name;       ///< in place of an address, for instance "f3b1.local"
  uint16_t name_port = 0; ///< the port that goes with `name`
  candidate_type type = candidate_type::host;
  std::optional<lane::endpoint> related; ///< raddr and rport, where both are given and numeric
  candidate_tcp_type tcp_type = candidate_tcp_type::none;

  /// Reads what follows "a=candidate:". Unknown extensions are skipped; an unknown transport is
  /// kept as `other`, an unknown type is an error, and the caller should skip the line alone.
  static result<candidate> parse(std::string_view value);

  /// The value again, without the extensions that were skipped. A transport of `other` cannot be
  /// printed and gives an empty text.
  [[nodiscard]] std::string to_string() const;

  /// True for a name that only multicast DNS could resolve (RFC 6762). It is never looked up.
  [[nodiscard]] bool is_mdns() const noexcept;

  /// True if checks can be sent to it: UDP, the first component, a numeric address that a packet
  /// may be sent to.
  [[nodiscard]] bool usable() const noexcept;

  friend bool operator==(const candidate&, const candidate&) = default;
};

/// That of a host with one address, first component (RFC 8445 §5.1.2.1).
[[nodiscard]] candidate host_candidate(const lane::endpoint& address);

/// The one with the highest priority that can be checked from `own`; null if there is none.
[[nodiscard]] const candidate* best_from(const lane::endpoint& own,
                                         const std::vector<candidate>& candidates) noexcept;

} // namespace jackfield::ice

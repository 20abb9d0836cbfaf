#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string_view>

#include "engine/sdp/session.hpp"

namespace jackfield::sdp {

/// What a payload type means in an m-line. Views into its description, or of static storage.
struct payload_meaning {
  std::string_view encoding;
  std::uint32_t clock_rate = 0;
  std::uint32_t channels = 1;
  std::string_view parameters; ///< a=fmtp, empty for none
};

/// What each payload type of one m-line means, which must outlive it. Made in one pass over its
/// attributes, so that an m-line with many formats and attributes costs their sum and not their
/// product.
class payload_types {
public:
  explicit payload_types(const media_description& media) noexcept;

  /// Nothing if no rtpmap names it and it is not a static type (RFC 3551 table 4).
  [[nodiscard]] std::optional<payload_meaning> find(std::uint8_t payload_type) const noexcept;

private:
  /// Places in `attributes`, counted from 1; 0: none. The first one for a type counts.
  using table = std::array<std::uint16_t, max_payload_type + 1>;
  static void keep_first(table& places, std::size_t payload_type, std::size_t at) noexcept;

  const media_description& media_;
  table maps_{};
  table formats_{};
};

} // namespace jackfield::sdp

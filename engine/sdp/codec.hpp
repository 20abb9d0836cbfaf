#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "engine/sdp/session.hpp"

/// Audio encodings and the payload types that stand for them in an m-line.
namespace jackfield::sdp {

/// An audio encoding that this side can send and receive.
struct codec {
  std::string encoding;            ///< as in a=rtpmap; compared case-insensitively
  std::uint32_t clock_rate = 8000; ///< Hz, as in a=rtpmap (8000 for G722, RFC 3551)
  std::uint32_t channels = 1;      ///< as in a=rtpmap (2 for opus, RFC 7587)
  std::uint8_t payload_type = 0;   ///< used when offering; an answer takes the offerer's
  std::string parameters;          ///< a=fmtp, empty for none

  friend bool operator==(const codec&, const codec&) = default;
};

[[nodiscard]] codec pcmu();
[[nodiscard]] codec pcma();
[[nodiscard]] codec g722();
[[nodiscard]] codec opus(std::uint8_t payload_type = 111);
[[nodiscard]] codec telephone_event(std::uint8_t payload_type = 101,
                                    std::uint32_t clock_rate = 8000);

/// True for telephone-event (RFC 4733), which accompanies a codec and is none itself.
[[nodiscard]] bool is_telephone_event(const codec& value) noexcept;

/// True for names that are equal without regard to ASCII case, as encodings and profiles are
/// compared (RFC 8866 section 6.6).
[[nodiscard]] bool equal_names(std::string_view a, std::string_view b) noexcept;

/// The value of one of `parameters` that are "name=value; name=value", as those of most audio
/// encodings; nothing if it is not there.
[[nodiscard]] std::optional<std::string_view> parameter_of(std::string_view parameters,
                                                           std::string_view name) noexcept;

/// True if both mean the same a=rtpmap, whatever their payload types and parameters.
[[nodiscard]] bool same_encoding(const codec& a, const codec& b) noexcept;

/// A format of an RTP profile as a number, or nothing if it is none of 0..127.
[[nodiscard]] std::optional<std::uint8_t> payload_type_of(std::string_view format) noexcept;

/// What an m-line lists, in its order; formats of unknown meaning are left out. What the m-line
/// doesn't explain by itself is looked up in `fallback`, an answer's in its offer.
[[nodiscard]] std::vector<codec> codecs_of(const media_description& media,
                                           const media_description* fallback = nullptr);

} // namespace jackfield::sdp

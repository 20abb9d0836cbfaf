#include "engine/sdp/payload_types.hpp"

#include <algorithm>
#include <variant>

namespace jackfield::sdp {

namespace {

struct static_encoding {
  std::uint8_t payload_type;
  payload_meaning meaning;
};

/// The audio payload types that need no a=rtpmap (RFC 3551 table 4, and 13 of RFC 3389).
constexpr std::array<static_encoding, 17> static_encodings{{
  {0, {"PCMU", 8000, 1, {}}},
  {3, {"GSM", 8000, 1, {}}},
  {4, {"G723", 8000, 1, {}}},
  {5, {"DVI4", 8000, 1, {}}},
  {6, {"DVI4", 16000, 1, {}}},
  {7, {"LPC", 8000, 1, {}}},
  {8, {"PCMA", 8000, 1, {}}},
  {9, {"G722", 8000, 1, {}}},
  {10, {"L16", 44100, 2, {}}},
  {11, {"L16", 44100, 1, {}}},
  {12, {"QCELP", 8000, 1, {}}},
  {13, {"CN", 8000, 1, {}}},
  {14, {"MPA", 90000, 1, {}}},
  {15, {"G728", 8000, 1, {}}},
  {16, {"DVI4", 11025, 1, {}}},
  {17, {"DVI4", 22050, 1, {}}},
  {18, {"G729", 8000, 1, {}}},
}};

} // namespace

payload_types::payload_types(const media_description& media) noexcept : media_(media) {
  // As many as there are places for; a description that was parsed never has that many.
  const auto count = std::min<std::size_t>(media.attributes.size(), UINT16_MAX - 1);
  for (std::size_t i = 0; i < count; ++i) {
    if (const auto* map = std::get_if<rtpmap>(&media.attributes[i]); map != nullptr) {
      keep_first(maps_, map->payload_type, i);
    } else if (const auto* format = std::get_if<fmtp>(&media.attributes[i]); format != nullptr) {
      keep_first(formats_, format->payload_type, i);
    }
  }
}

void payload_types::keep_first(table& places, std::size_t payload_type, std::size_t at) noexcept {
  // A value that was made by hand and not parsed may hold any number.
  if (payload_type < places.size() && places[payload_type] == 0) {
    places[payload_type] = static_cast<std::uint16_t>(at + 1);
  }
}

std::optional<payload_meaning> payload_types::find(std::uint8_t payload_type) const noexcept {
  if (payload_type > max_payload_type) {
    return std::nullopt;
  }
  payload_meaning made;
  if (const auto place = maps_[payload_type]; place != 0) {
    const auto* map = std::get_if<rtpmap>(&media_.attributes[place - 1U]);
    made = {map->encoding, map->clock_rate, map->channels, {}};
  } else {
    const auto at =
      std::find_if(static_encodings.begin(), static_encodings.end(),
                   [&](const auto& each) { return each.payload_type == payload_type; });
    if (at == static_encodings.end()) {
      return std::nullopt;
    }
    made = at->meaning;
  }
  if (const auto place = formats_[payload_type]; place != 0) {
    made.parameters = std::get_if<fmtp>(&media_.attributes[place - 1U])->parameters;
  }
  return made;
}

} // namespace jackfield::sdp

#include "engine/sdp/codec.hpp"

#include <algorithm>
#include <array>
#include <charconv>
#include <utility>

namespace jackfield::sdp {

namespace {

constexpr std::string_view event_encoding = "telephone-event";

struct static_encoding {
  std::uint8_t payload_type;
  std::string_view encoding;
  std::uint32_t clock_rate;
  std::uint32_t channels;
};

/// The audio payload types that need no a=rtpmap (RFC 3551 table 4, and 13 of RFC 3389).
constexpr std::array<static_encoding, 17> static_encodings{{
  {0, "PCMU", 8000, 1},
  {3, "GSM", 8000, 1},
  {4, "G723", 8000, 1},
  {5, "DVI4", 8000, 1},
  {6, "DVI4", 16000, 1},
  {7, "LPC", 8000, 1},
  {8, "PCMA", 8000, 1},
  {9, "G722", 8000, 1},
  {10, "L16", 44100, 2},
  {11, "L16", 44100, 1},
  {12, "QCELP", 8000, 1},
  {13, "CN", 8000, 1},
  {14, "MPA", 90000, 1},
  {15, "G728", 8000, 1},
  {16, "DVI4", 11025, 1},
  {17, "DVI4", 22050, 1},
  {18, "G729", 8000, 1},
}};

/// What each payload type of one m-line means. Made in one pass over its attributes, so that an
/// m-line with many formats and attributes costs their sum and not their product.
class payload_types {
public:
  explicit payload_types(const media_description& media) {
    for (const auto& each : media.attributes) {
      if (const auto* map = std::get_if<rtpmap>(&each); map != nullptr) {
        keep_first(maps_, map->payload_type, map);
      } else if (const auto* format = std::get_if<fmtp>(&each); format != nullptr) {
        keep_first(formats_, format->payload_type, format);
      }
    }
  }

  /// The encoding, or nothing if no rtpmap names it and it is not a static type.
  [[nodiscard]] std::optional<codec> find(std::uint8_t payload_type) const {
    codec made;
    made.payload_type = payload_type;
    if (const auto* map = maps_[payload_type]; map != nullptr) {
      made.encoding = map->encoding;
      made.clock_rate = map->clock_rate;
      made.channels = map->channels;
    } else {
      auto at = std::find_if(static_encodings.begin(), static_encodings.end(),
                             [&](const auto& each) { return each.payload_type == payload_type; });
      if (at == static_encodings.end()) {
        return std::nullopt;
      }
      made.encoding = at->encoding;
      made.clock_rate = at->clock_rate;
      made.channels = at->channels;
    }
    if (const auto* format = formats_[payload_type]; format != nullptr) {
      made.parameters = format->parameters;
    }
    return made;
  }

private:
  /// A value that was made by hand and not parsed may hold any number.
  template <class T>
  static void keep_first(std::array<const T*, max_payload_type + 1>& table, std::size_t at,
                         const T* value) {
    if (at < table.size() && table[at] == nullptr) {
      table[at] = value;
    }
  }

  std::array<const rtpmap*, max_payload_type + 1> maps_{};
  std::array<const fmtp*, max_payload_type + 1> formats_{};
};

} // namespace

codec pcmu() {
  return {"PCMU", 8000, 1, 0, ""};
}

codec pcma() {
  return {"PCMA", 8000, 1, 8, ""};
}

codec g722() {
  return {"G722", 8000, 1, 9, ""};
}

codec opus(std::uint8_t payload_type) {
  return {"opus", 48000, 2, payload_type, "useinbandfec=1"};
}

codec telephone_event(std::uint8_t payload_type, std::uint32_t clock_rate) {
  return {std::string(event_encoding), clock_rate, 1, payload_type, "0-15"};
}

bool is_telephone_event(const codec& value) noexcept {
  return equal_names(value.encoding, event_encoding);
}

bool equal_names(std::string_view a, std::string_view b) noexcept {
  auto lower = [](char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c; };
  return std::equal(a.begin(), a.end(), b.begin(), b.end(),
                    [&](char x, char y) { return lower(x) == lower(y); });
}

bool same_encoding(const codec& a, const codec& b) noexcept {
  return a.clock_rate == b.clock_rate && a.channels == b.channels &&
         equal_names(a.encoding, b.encoding);
}

std::optional<std::uint8_t> payload_type_of(std::string_view format) noexcept {
  unsigned number = 0;
  auto [stop, code] = std::from_chars(format.data(), format.data() + format.size(), number);
  if (code != std::errc{} || stop != format.data() + format.size() || number > max_payload_type) {
    return std::nullopt;
  }
  return static_cast<std::uint8_t>(number);
}

std::vector<codec> codecs_of(const media_description& media, const media_description* fallback) {
  const payload_types types(media);
  std::optional<payload_types> others;
  if (fallback != nullptr) {
    others.emplace(*fallback);
  }
  std::vector<codec> made;
  made.reserve(media.formats.size());
  for (const auto& format : media.formats) {
    auto payload_type = payload_type_of(format);
    if (!payload_type) {
      continue;
    }
    auto found = types.find(*payload_type);
    if (!found && others) {
      found = others->find(*payload_type);
    }
    if (found) {
      made.push_back(std::move(*found));
    }
  }
  return made;
}

} // namespace jackfield::sdp

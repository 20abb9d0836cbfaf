#include "engine/sdp/codec.hpp"

#include <algorithm>
#include <charconv>
#include <utility>

#include "engine/sdp/payload_types.hpp"

namespace jackfield::sdp {

namespace {

constexpr std::string_view event_encoding = "telephone-event";

std::string_view trimmed(std::string_view text) noexcept {
  const auto begin = text.find_first_not_of(" \t");
  return begin == std::string_view::npos
           ? std::string_view{}
           : text.substr(begin, text.find_last_not_of(" \t") + 1 - begin);
}

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
  return a.size() == b.size() &&
         (a == b || std::equal(a.begin(), a.end(), b.begin(),
                               [&](char x, char y) { return lower(x) == lower(y); }));
}

std::optional<std::string_view> parameter_of(std::string_view parameters,
                                             std::string_view name) noexcept {
  while (!parameters.empty()) {
    const auto end = std::min(parameters.find(';'), parameters.size());
    const auto each = parameters.substr(0, end);
    parameters.remove_prefix(std::min(end + 1, parameters.size()));
    const auto equals = each.find('=');
    if (equals != std::string_view::npos && equal_names(trimmed(each.substr(0, equals)), name)) {
      return trimmed(each.substr(equals + 1));
    }
  }
  return std::nullopt;
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
      made.push_back({std::string(found->encoding), found->clock_rate, found->channels,
                      *payload_type, std::string(found->parameters)});
    }
  }
  return made;
}

} // namespace jackfield::sdp

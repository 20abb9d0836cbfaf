#include "engine/sdp/media_layout.hpp"

#include <algorithm>
#include <bitset>
#include <utility>

#include "engine/sdp/payload_types.hpp"

namespace jackfield::sdp {

namespace {

constexpr std::uint8_t first_dynamic = 96; // RFC 3551 section 6

/// Gives each of our codecs a payload type that means nothing else in the session.
class numbering {
public:
  explicit numbering(const media_description& offered) : theirs_(codecs_of(offered)) {
    for (const auto& format : offered.formats) {
      if (auto number = payload_type_of(format); number) {
        taken_.set(*number);
      }
    }
  }

  /// `made` holds the numbers so far and becomes the numbers from now on.
  void apply(const std::vector<codec>& ours, std::vector<std::uint8_t>& made) {
    std::vector<bool> numbered(ours.size());
    for (std::size_t i = 0; i < ours.size(); ++i) {
      numbered[i] = take_theirs(ours[i], made[i]) || take(made[i]);
    }
    for (std::size_t i = 0; i < ours.size(); ++i) {
      if (!numbered[i]) {
        made[i] = take_free();
      }
    }
  }

private:
  bool take_theirs(const codec& ours, std::uint8_t& number) {
    auto at = std::find_if(theirs_.begin(), theirs_.end(),
                           [&](const codec& each) { return same_encoding(each, ours); });
    if (at == theirs_.end()) {
      return false;
    }
    number = at->payload_type;
    theirs_.erase(at); // no second codec of ours under the same number
    return true;
  }

  bool take(std::uint8_t number) {
    if (number > max_payload_type || taken_[number]) {
      return false;
    }
    taken_.set(number);
    return true;
  }

  std::uint8_t take_free() {
    for (std::uint8_t number = first_dynamic; number <= max_payload_type; ++number) {
      if (take(number)) {
        return number;
      }
    }
    return media_layout::no_payload_type;
  }

  std::vector<codec> theirs_;
  std::bitset<max_payload_type + 1> taken_;
};

std::vector<std::uint8_t> numbers_of(const std::vector<codec>& codecs) {
  std::vector<std::uint8_t> made;
  made.reserve(codecs.size());
  for (const auto& each : codecs) {
    made.push_back(each.payload_type);
  }
  return made;
}

/// True if that is how our own offers name the stream.
bool is_our_tag(std::optional<std::string_view> mid, bool bundled,
                const media_capabilities& capabilities) {
  return capabilities.bundle ? mid == own_mid && bundled : !mid;
}

/// True if an offer of that one m-line leaves us our own layout: what nearly all offers do, so that
/// it is found out without making one.
bool leaves_plain(const session& offer, const media_capabilities& capabilities) {
  if (offer.media.size() != 1 || capabilities.profiles.empty()) {
    return false;
  }
  const auto& offered = offer.media.front();
  const auto* tag = find<mid>(offered.attributes);
  if (!equal_names(offered.profile, capabilities.profiles.front()) ||
      !is_our_tag(tag == nullptr ? std::nullopt : std::optional<std::string_view>(tag->tag),
                  tag != nullptr && is_bundled(offer, tag->tag), capabilities)) {
    return false;
  }
  // Plain if our number for a codec is the first that stands for it there, or none is and ours
  // means nothing else.
  const payload_types types(offered);
  std::bitset<max_payload_type + 1> taken;
  std::bitset<64> met; // of our codecs
  if (capabilities.codecs.size() > met.size()) {
    return false;
  }
  for (const auto& format : offered.formats) {
    const auto number = payload_type_of(format);
    if (!number || taken[*number]) {
      continue;
    }
    taken.set(*number);
    const auto means = types.find(*number);
    for (std::size_t i = 0; means && i < capabilities.codecs.size(); ++i) {
      const auto& ours = capabilities.codecs[i];
      if (met[i] || ours.clock_rate != means->clock_rate || ours.channels != means->channels ||
          !equal_names(ours.encoding, means->encoding)) {
        continue;
      }
      if (ours.payload_type != *number) {
        return false;
      }
      met.set(i);
      break;
    }
  }
  for (std::size_t i = 0; i < capabilities.codecs.size(); ++i) {
    const auto number = capabilities.codecs[i].payload_type;
    if (met[i]) {
      continue;
    }
    if (number > max_payload_type || taken[number]) {
      return false;
    }
    taken.set(number);
  }
  return true;
}

bool is_plain(const media_layout& layout, const media_capabilities& capabilities) {
  return layout.lines.size() == 1 && !capabilities.profiles.empty() &&
         is_our_tag(layout.mid, layout.bundled, capabilities) &&
         equal_names(layout.lines.front().profile, capabilities.profiles.front()) &&
         layout.payload_types == numbers_of(capabilities.codecs);
}

} // namespace

media_layout_ptr layout_after(const session& offer, std::size_t audio,
                              const media_capabilities& capabilities,
                              const media_layout_ptr& before) {
  if (!before && leaves_plain(offer, capabilities)) {
    return nullptr;
  }
  media_layout made;
  made.audio = audio;
  made.lines.reserve(offer.media.size());
  for (const auto& each : offer.media) {
    made.lines.push_back(
      {each.type, each.profile, each.formats.empty() ? std::string{} : each.formats.front()});
  }
  const auto& offered = offer.media[audio];
  if (const auto* tag = find<mid>(offered.attributes); tag != nullptr) {
    made.mid = tag->tag;
    made.bundled = is_bundled(offer, tag->tag);
  }
  made.payload_types = before ? before->payload_types : numbers_of(capabilities.codecs);
  numbering(offered).apply(capabilities.codecs, made.payload_types);
  if (is_plain(made, capabilities)) {
    return nullptr;
  }
  return before && *before == made ? before : std::make_shared<const media_layout>(std::move(made));
}

session shape_of(const media_layout& layout, const offer_template& local) {
  auto capabilities = local.capabilities();
  capabilities.wanted = direction::sendrecv;
  capabilities.profiles = {layout.lines[layout.audio].profile};
  capabilities.bundle = false; // by the layout's own names
  capabilities.codecs.clear();
  for (std::size_t i = 0; i < layout.payload_types.size(); ++i) {
    if (layout.payload_types[i] != media_layout::no_payload_type) {
      auto& added = capabilities.codecs.emplace_back(local.capabilities().codecs[i]);
      added.payload_type = layout.payload_types[i];
    }
  }
  auto made = make_offer(local.host(), offer_template::min_port, capabilities,
                         offer_template::session_id_base);
  auto carried = std::move(made.media.front());
  if (layout.mid) {
    carried.attributes.emplace_back(mid{*layout.mid});
  }
  if (layout.bundled) {
    made.attributes.emplace_back(group{std::string(bundle_semantics), {*layout.mid}});
  }
  made.media.clear();
  made.media.reserve(layout.lines.size());
  for (const auto& line : layout.lines) {
    auto& media = made.media.emplace_back();
    media.type = line.type;
    media.profile = line.profile;
    if (!line.format.empty()) {
      media.formats.push_back(line.format);
    }
  }
  made.media[layout.audio] = std::move(carried);
  return made;
}

} // namespace jackfield::sdp

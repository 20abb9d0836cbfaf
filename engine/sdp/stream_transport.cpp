#include "engine/sdp/stream_transport.hpp"

#include <algorithm>
#include <charconv>

#include "engine/sdp/codec.hpp"

namespace jackfield::sdp {

namespace {

/// The next word of a text, which is left with the rest.
std::string_view take_word(std::string_view& text) {
  const auto begin = std::min(text.find_first_not_of(" \t"), text.size());
  text.remove_prefix(begin);
  const auto word = text.substr(0, text.find_first_of(" \t"));
  text.remove_prefix(word.size());
  return word;
}

std::optional<crypto> usable_key(std::uint32_t tag, std::string_view suite, std::string_view key) {
  constexpr std::string_view method = "inline:";
  if (!key.starts_with(method) || key.find(';') != std::string_view::npos) {
    return std::nullopt;
  }
  key.remove_prefix(method.size());
  auto rest = key.substr(std::min(key.find('|'), key.size()));
  key = key.substr(0, key.size() - rest.size());
  // A lifetime ("|2^31") is longer than any call; an MKI ("|1:4") would be in every packet.
  if (key.empty() || rest.find(':') != std::string_view::npos) {
    return std::nullopt;
  }
  return crypto{tag, std::string(suite), std::string(key)};
}

/// The first raw attribute of that name: the m-line's, else the session's.
const raw_attribute* nearest(const session& description, const media_description& media,
                             std::string_view name) {
  const auto* own = find(media.attributes, name);
  return own != nullptr ? own : find(description.attributes, name);
}

std::string value_of(const raw_attribute* attribute) {
  return attribute == nullptr ? std::string() : attribute->value.value_or("");
}

bool has_word(std::string_view text, std::string_view wanted) {
  while (!text.empty()) {
    if (take_word(text) == wanted) {
      return true;
    }
  }
  return false;
}

void add_fingerprints(const attribute_list& from, std::vector<fingerprint>& to) {
  constexpr std::size_t most = 8;
  for (const auto& each : from) {
    if (const auto* one = std::get_if<fingerprint>(&each); one != nullptr && to.size() < most) {
      to.push_back(*one);
    }
  }
}

/// Calls `line(name, value)` for each attribute; an empty value is a flag.
template <class Line>
void for_each_line(const stream_transport& transport, Line line) {
  for (const auto& each : transport.keys) {
    line("crypto", std::to_string(each.tag) + ' ' + each.suite + " inline:" + each.key);
  }
  if (const auto& ice = transport.ice; ice) {
    line("ice-ufrag", ice->ufrag);
    line("ice-pwd", ice->pwd);
    if (ice->trickles) {
      line("ice-options", "trickle");
    }
    for (const auto& each : ice->candidates) {
      line("candidate", each);
    }
    if (ice->complete) {
      line("end-of-candidates", "");
    }
  }
}

bool contains(std::span<const protection> list, protection wanted) {
  return std::ranges::find(list, wanted) != list.end();
}

} // namespace

std::optional<crypto> parse_crypto(std::string_view value) {
  constexpr std::uint32_t most_tag = 999'999'999;
  const auto tag_text = take_word(value);
  std::uint32_t tag = 0;
  const auto* const end = tag_text.data() + tag_text.size();
  if (const auto read = std::from_chars(tag_text.data(), end, tag);
      read.ec != std::errc() || read.ptr != end || tag == 0 || tag > most_tag) {
    return std::nullopt;
  }
  const auto suite = take_word(value);
  const auto key = take_word(value);
  for (auto each = take_word(value); !each.empty(); each = take_word(value)) {
    // A hint for the size of the replay window, or one that may be ignored (section 6.3).
    if (!each.starts_with("WSH=") && !each.starts_with('-')) {
      return std::nullopt;
    }
  }
  return usable_key(tag, suite, key);
}

stream_transport transport_of(const session& description, const media_description& media) {
  stream_transport made;
  for (const auto& each : media.attributes) {
    const auto* raw = std::get_if<raw_attribute>(&each);
    if (raw == nullptr || raw->name != "crypto" || !raw->value) {
      continue;
    }
    if (auto key = parse_crypto(*raw->value); key) {
      made.keys.push_back(std::move(*key));
    }
  }
  add_fingerprints(media.attributes, made.fingerprints);
  if (made.fingerprints.empty()) {
    add_fingerprints(description.attributes, made.fingerprints);
  }
  if (const auto* own = find<setup>(media.attributes); own != nullptr) {
    made.role = *own;
  } else if (const auto* shared = find<setup>(description.attributes); shared != nullptr) {
    made.role = *shared;
  }
  if (const auto* ufrag = nearest(description, media, "ice-ufrag"); ufrag != nullptr) {
    auto& ice = made.ice.emplace();
    ice.ufrag = value_of(ufrag);
    ice.pwd = value_of(nearest(description, media, "ice-pwd"));
    ice.lite = find(description.attributes, "ice-lite") != nullptr;
    ice.trickles = has_word(value_of(nearest(description, media, "ice-options")), "trickle");
    ice.complete = !ice.trickles || nearest(description, media, "end-of-candidates") != nullptr;
    if (const auto* tag = find<mid>(media.attributes); tag != nullptr) {
      ice.mid = tag->tag;
    }
    for (const auto& each : media.attributes) {
      const auto* raw = std::get_if<raw_attribute>(&each);
      if (raw != nullptr && raw->name == "candidate" && raw->value) {
        ice.candidates.push_back(*raw->value);
      }
    }
  }
  return made;
}

void add_transport(session& description, media_description& media,
                   const stream_transport& transport) {
  if (transport.ice && transport.ice->lite) {
    description.attributes.emplace_back(raw_attribute{"ice-lite", std::nullopt});
  }
  if (!transport.host.empty()) {
    media.connections = {connection_at(transport.host)};
  }
  for (const auto& each : transport.fingerprints) {
    media.attributes.emplace_back(each);
  }
  if (transport.role) {
    media.attributes.emplace_back(*transport.role);
  }
  for_each_line(transport, [&](std::string_view name, std::string_view value) {
    media.attributes.emplace_back(raw_attribute{
      std::string(name), value.empty() ? std::nullopt : std::optional<std::string>(value)});
  });
}

bool is_appendable(const stream_transport& transport) noexcept {
  return transport.host.empty() && !(transport.ice && transport.ice->lite);
}

void print_transport(const stream_transport& transport, std::string& out) {
  auto line = [&out](std::string_view name, std::string_view value) {
    out.append("a=").append(name);
    if (!value.empty()) {
      out.append(":").append(value);
    }
    out.append("\r\n");
  };
  for (const auto& each : transport.fingerprints) {
    line("fingerprint", each.hash + ' ' + each.value);
  }
  if (transport.role) {
    line("setup", to_string(*transport.role));
  }
  for_each_line(transport, line);
}

bool is_secure(std::string_view profile) noexcept {
  for (const std::string_view each :
       {"RTP/SAVP", "RTP/SAVPF", "UDP/TLS/RTP/SAVP", "UDP/TLS/RTP/SAVPF"}) {
    if (equal_names(each, profile)) {
      return true;
    }
  }
  return false;
}

tl::expected<protection, std::string>
protection_for(std::string_view profile, stream_transport& offered, const protection_terms& terms) {
  const auto key = std::ranges::find_if(offered.keys, [&](const crypto& each) {
    return std::ranges::find(terms.suites, each.suite) != terms.suites.end();
  });
  const bool had_keys = !offered.keys.empty();
  if (key != offered.keys.end()) {
    auto chosen = std::move(*key);
    offered.keys.clear();
    offered.keys.push_back(std::move(chosen));
  } else {
    offered.keys.clear();
  }
  auto can = [&](protection each) {
    return contains(terms.accepted, each) && (!terms.settled || *terms.settled == each);
  };
  if (!offered.fingerprints.empty() && can(protection::dtls)) {
    return protection::dtls;
  }
  if (!offered.keys.empty() && can(protection::sdes)) {
    return protection::sdes;
  }
  if (!is_secure(profile)) { // then keys and fingerprints are the offerer's wish
    if (can(protection::none)) {
      return protection::none;
    }
    return tl::unexpected(
      std::string(terms.settled ? "the audio stream was protected so far and is not in this offer"
                                : "the audio stream is not protected, expected SRTP"));
  }
  if (terms.settled) {
    return tl::unexpected(std::string("the audio stream is protected otherwise than so far"));
  }
  if (had_keys && contains(terms.accepted, protection::sdes)) {
    return tl::unexpected(std::string("no a=crypto line of the audio stream can be used"));
  }
  if (!had_keys && offered.fingerprints.empty()) {
    return tl::unexpected("the audio stream is " + std::string(profile) +
                          " without a=crypto or a=fingerprint");
  }
  return tl::unexpected("the audio stream is protected by " +
                        std::string(offered.fingerprints.empty() ? "SDES" : "DTLS") +
                        ", which is not done here");
}

std::optional<setup> role_answering(std::optional<setup> offered,
                                    std::optional<setup> before) noexcept {
  switch (offered.value_or(setup::active)) { // RFC 4145 section 4: its default
  case setup::active:
    return setup::passive;
  case setup::passive:
    return setup::active;
  case setup::actpass:
    return before.value_or(setup::active);
  case setup::holdconn:
    break;
  }
  return std::nullopt;
}

setup role_answered(std::optional<setup> answered) noexcept {
  // Some answer actpass, which is no answer: who does waits.
  return answered == setup::passive || answered == setup::actpass ? setup::active : setup::passive;
}

} // namespace jackfield::sdp

#include "engine/sdp/offer_answer.hpp"

#include <algorithm>
#include <cstring>
#include <limits>
#include <utility>

#include <arpa/inet.h>

namespace jackfield::sdp {

namespace {

constexpr std::string_view rsize_name = "rtcp-rsize";

direction direction_of(const session& description, const media_description& media) {
  if (const auto* own = find<direction>(media.attributes); own != nullptr) {
    return *own;
  }
  const auto* shared = find<direction>(description.attributes);
  return shared == nullptr ? direction::sendrecv : *shared;
}

enum class address_use : std::uint8_t { unicast, unspecified, multicast };

address_use use_of(const connection& address) {
  in_addr ipv4;
  in6_addr ipv6;
  switch (kind_of(address.host)) {
  case host_kind::ipv4:
    inet_pton(AF_INET, address.host.c_str(), &ipv4);
    if (ipv4.s_addr == htonl(INADDR_ANY)) {
      return address_use::unspecified;
    }
    return IN_MULTICAST(ntohl(ipv4.s_addr)) || ipv4.s_addr == htonl(INADDR_BROADCAST)
             ? address_use::multicast
             : address_use::unicast;
  case host_kind::ipv6:
    inet_pton(AF_INET6, address.host.c_str(), &ipv6);
    if (IN6_IS_ADDR_UNSPECIFIED(&ipv6)) {
      return address_use::unspecified;
    }
    return IN6_IS_ADDR_MULTICAST(&ipv6) ? address_use::multicast : address_use::unicast;
  case host_kind::name:
    break;
  }
  return address_use::unicast;
}

tl::unexpected<error> fail_at(std::string_view description, std::string_view fault,
                              std::string cause) {
  return fail(std::string(description).append(fault), std::move(cause));
}

/// Where the writer of a description wants RTP and RTCP of one m-line.
struct destination {
  std::string host; ///< empty: nowhere for now, the old form of hold (RFC 3264 section 8.4)
  std::uint16_t port = 0;
  std::string rtcp_host;
  std::uint16_t rtcp_port = 0;
};

/// The c= line that counts for an m-line, its own or the session's, or null.
const connection* address_of(const session& description, const media_description& media) {
  if (!media.connections.empty()) {
    return &media.connections.front();
  }
  return description.address ? &*description.address : nullptr;
}

result<destination> destination_of(const session& description, const media_description& media,
                                   bool muxed, std::string_view place) {
  const auto* address = address_of(description, media);
  if (address == nullptr) {
    return fail(std::string(place), "no c= line for the audio stream");
  }
  if (address->network != "IN" || address->host.empty()) {
    return fail_at(place, network_fault,
                   "the audio stream's network is " + address->network + ", expected IN");
  }
  if (address->family != "IP4" && address->family != "IP6") {
    return fail_at(place, address_fault,
                   "the audio stream's address is of type " + address->family +
                     ", expected IP4 or IP6");
  }
  auto use = use_of(*address);
  if (use == address_use::multicast || !address->suffix.empty()) {
    return fail_at(place, multicast_fault, "the audio stream's address is not unicast");
  }
  destination made;
  made.port = media.port;
  if (use == address_use::unspecified) {
    return made;
  }
  made.host = address->host;
  made.rtcp_host = address->host;
  if (muxed) {
    made.rtcp_port = media.port;
  } else if (const auto* own = find<rtcp>(media.attributes); own != nullptr) {
    made.rtcp_port = own->port;
    if (own->address && own->address->network == "IN" && own->address->suffix.empty() &&
        use_of(*own->address) == address_use::unicast) {
      made.rtcp_host = own->address->host;
    }
  } else if (media.port < std::numeric_limits<std::uint16_t>::max()) {
    made.rtcp_port = static_cast<std::uint16_t>(media.port + 1);
  }
  if (made.rtcp_port == 0) {
    made.rtcp_host.clear();
  }
  return made;
}

std::uint8_t clamped_ptime(std::uint8_t ms) {
  return static_cast<std::uint8_t>(std::clamp<unsigned>(ms, min_ptime_ms, max_ptime_ms));
}

/// How long the packets are that the writer of `media` wants, `ours` if it doesn't say.
std::uint8_t wanted_ptime(const media_description& media, std::uint8_t ours) {
  const auto* wanted = find<ptime>(media.attributes);
  const auto* most = find<maxptime>(media.attributes);
  auto made = wanted == nullptr ? ours : wanted->ms;
  return clamped_ptime(most == nullptr ? made : std::min(made, most->ms));
}

void add_format(media_description& media, const codec& value) {
  media.formats.push_back(std::to_string(value.payload_type));
  media.attributes.emplace_back(
    rtpmap{value.payload_type, value.encoding, value.clock_rate, value.channels});
  if (!value.parameters.empty()) {
    media.attributes.emplace_back(fmtp{value.payload_type, value.parameters});
  }
}

session make_frame(std::string_view host, std::uint64_t session_id, std::uint64_t version) {
  session made;
  made.from.session_id = session_id;
  made.from.version = version;
  made.from.address = connection_at(host);
  made.address = made.from.address;
  made.times.emplace_back();
  return made;
}

/// What is left of an m-line that is refused (RFC 3264 section 6).
media_description refused(const media_description& offered) {
  media_description made;
  made.type = offered.type;
  made.profile = offered.profile;
  made.formats = offered.formats;
  return made;
}

bool is_listed(const std::vector<std::string>& profiles, std::string_view profile) {
  return std::any_of(profiles.begin(), profiles.end(),
                     [&](const auto& each) { return equal_names(each, profile); });
}

bool is_by_ice(const negotiated_audio& audio) {
  return audio.protected_by == protection::dtls && audio.remote && audio.remote->ice;
}

/// Fills in what both roles derive from the other side's m-line in the same way; how it is
/// protected is known by then. With ICE an unspecified address is no hold: browsers write it where
/// they have no candidate yet, or none that they want to show (RFC 8829 section 5.2.1).
void apply(negotiated_audio& audio, destination to) {
  audio.remote_host = std::move(to.host);
  audio.remote_port = to.port;
  audio.remote_rtcp_host = std::move(to.rtcp_host);
  audio.remote_rtcp_port = to.rtcp_port;
  if (audio.remote_host.empty() && !is_by_ice(audio)) {
    audio.way = common(audio.way, direction::recvonly);
  }
}

/// Audio can be sent where the other side wants it: an address of our own kind. Names are not
/// looked up. With ICE it says itself where to send.
result<void> check_reach(const negotiated_audio& audio, std::string_view our_host,
                         std::string_view place) {
  if (is_by_ice(audio) || audio.remote_host.empty() || audio.way == direction::inactive) {
    return {};
  }
  const auto ours = kind_of(our_host);
  const auto theirs = kind_of(audio.remote_host);
  if (theirs == host_kind::name || (ours != host_kind::name && theirs != ours)) {
    return fail_at(place, address_fault,
                   "audio cannot be sent to " + audio.remote_host + ", expected an address of " +
                     (ours == host_kind::ipv6 ? "IPv6" : "IPv4"));
  }
  return {};
}

/// The codec to use of those listed, and our own entry for it.
struct match {
  codec theirs;
  codec ours;
};

template <class Accepts>
std::optional<match> first_match(const std::vector<codec>& theirs, const std::vector<codec>& ours,
                                 Accepts accepts) {
  for (const auto& each : theirs) {
    if (!accepts(each)) {
      continue;
    }
    auto own = std::find_if(ours.begin(), ours.end(),
                            [&](const codec& value) { return same_encoding(value, each); });
    if (own != ours.end()) {
      return match{each, *own};
    }
  }
  return std::nullopt;
}

/// The first codec that both lists hold, in the order of `theirs`.
std::optional<match> match_audio(const std::vector<codec>& theirs, const std::vector<codec>& ours) {
  return first_match(theirs, ours, [](const codec& each) { return !is_telephone_event(each); });
}

/// Events run on the clock of the codec that they accompany (RFC 4733 section 2.6).
std::optional<match> match_events(const std::vector<codec>& theirs, const std::vector<codec>& ours,
                                  std::uint32_t clock_rate) {
  return first_match(theirs, ours, [&](const codec& each) {
    return is_telephone_event(each) && each.clock_rate == clock_rate;
  });
}

/// What else of the own offer the answer lists. Timestamps of one stream have one clock.
std::vector<codec> others_heard(const std::vector<codec>& theirs, const std::vector<codec>& ours,
                                const match& first) {
  std::vector<codec> made;
  for (const auto& own : ours) {
    const bool listed = std::any_of(theirs.begin(), theirs.end(),
                                    [&](const codec& each) { return same_encoding(own, each); });
    if (listed && !is_telephone_event(own) && own.payload_type != first.ours.payload_type &&
        own.clock_rate == first.ours.clock_rate) {
      made.push_back(own);
    }
  }
  return made;
}

/// Answers one m-line of an offer, or says why it cannot be accepted.
class stream_answerer {
public:
  stream_answerer(const session& offer, const media_capabilities& capabilities, direction wanted,
                  std::string_view host, std::uint16_t port, const settled_terms& settled)
      : offer_(offer), capabilities_(capabilities), settled_(settled), wanted_(wanted), host_(host),
        port_(port) {}

  result<negotiated_audio> answer(std::size_t index, media_description& out) const {
    const auto& offered = offer_.media[index];
    if (offered.port == 0) {
      return refuse("the audio stream is disabled (port 0)");
    }
    if (!is_listed(capabilities_.profiles, offered.profile)) {
      return refuse("the audio stream's profile is " + offered.profile + ", expected " +
                    expected_profiles());
    }
    auto theirs = codecs_of(offered);
    auto audio = match_audio(theirs, capabilities_.codecs);
    if (!audio) {
      return refuse("no codec in common for the audio stream");
    }
    auto transport = transport_of(offer_, offered);
    auto protected_by =
      protection_for(offered.profile, transport,
                     {capabilities_.protections, capabilities_.suites, settled_.protected_by});
    if (!protected_by) {
      return refuse(std::move(protected_by.error()));
    }
    auto role = role_answering(transport.role, settled_.role);
    if (*protected_by == protection::dtls && !role) {
      return refuse("the audio stream's DTLS is on hold (setup:holdconn)");
    }
    bool muxed = capabilities_.rtcp_mux && find<rtcp_mux>(offered.attributes) != nullptr;
    auto to = destination_of(offer_, offered, muxed, place);
    if (!to) {
      return tl::unexpected(std::move(to.error()));
    }
    auto events = match_events(theirs, capabilities_.codecs, audio->theirs.clock_rate);

    negotiated_audio made;
    made.media_index = index;
    made.audio = audio->theirs;
    made.send_payload_type = audio->theirs.payload_type;
    made.receive_payload_type = audio->theirs.payload_type;
    if (events) {
      made.send_event_payload_type = events->theirs.payload_type;
      made.receive_event_payload_type = events->theirs.payload_type;
    }
    made.send_ptime_ms = wanted_ptime(offered, capabilities_.ptime_ms);
    made.way = common(wanted_, reversed(direction_of(offer_, offered)));
    made.muxed = muxed;
    made.protected_by = *protected_by;
    if (*protected_by != protection::none) {
      made.role = role.value_or(setup::active);
      made.remote = std::make_shared<const stream_transport>(std::move(transport));
    }
    apply(made, std::move(*to));
    if (auto reach = check_reach(made, host_, place); !reach) {
      return tl::unexpected(std::move(reach.error()));
    }

    out.type = offered.type;
    out.profile = offered.profile;
    out.port = port_;
    add_ours(out, *audio);
    if (events) {
      add_ours(out, *events);
    }
    out.attributes.emplace_back(ptime{clamped_ptime(capabilities_.ptime_ms)});
    out.attributes.emplace_back(made.way);
    if (muxed) {
      out.attributes.emplace_back(rtcp_mux{});
    }
    if (capabilities_.rtcp_rsize && find(offered.attributes, rsize_name) != nullptr) {
      out.attributes.emplace_back(raw_attribute{std::string(rsize_name), std::nullopt});
    }
    if (const auto* tag = find<mid>(offered.attributes); tag != nullptr) {
      out.attributes.emplace_back(*tag);
    }
    return made;
  }

  static tl::unexpected<error> refuse(std::string cause) {
    return fail(std::string(place), std::move(cause));
  }

private:
  static constexpr std::string_view place = "sdp offer";

  /// Our parameters under the offerer's payload type: an answer keeps the numbers (RFC 3264
  /// section 6.1).
  static void add_ours(media_description& out, const match& from) {
    codec made = from.ours;
    made.payload_type = from.theirs.payload_type;
    add_format(out, made);
  }

  [[nodiscard]] std::string expected_profiles() const {
    std::string made;
    for (const auto& each : capabilities_.profiles) {
      made += (made.empty() ? "" : " or ") + each;
    }
    return made;
  }

  const session& offer_;
  const media_capabilities& capabilities_;
  const settled_terms& settled_;
  direction wanted_;
  std::string_view host_;
  std::uint16_t port_;
};

/// The group that holds our one stream, if the offer has it in one (RFC 9143 section 7.3): all
/// other m-lines are refused.
std::optional<group> bundle_answering(const session& offer, const media_description& accepted) {
  const auto* tag = find<mid>(accepted.attributes);
  if (tag == nullptr || !is_bundled(offer, tag->tag)) {
    return std::nullopt;
  }
  return group{std::string(bundle_semantics), {tag->tag}};
}

/// Our offered key that the answer's one belongs to.
bool answers_a_key_of(const stream_transport& local, const crypto& theirs) {
  return std::ranges::any_of(local.keys, [&](const crypto& each) {
    return each.tag == theirs.tag && each.suite == theirs.suite;
  });
}

/// Fills in how an answer to an offer with `local` protects the stream. Returns what is wrong, or
/// nothing.
std::optional<std::string> judge_protection(const session& answer, const media_description& theirs,
                                            const stream_transport& local,
                                            negotiated_audio& audio) {
  auto transport = transport_of(answer, theirs);
  if (!local.fingerprints.empty()) {
    if (transport.fingerprints.empty()) {
      return "no a=fingerprint for the audio stream";
    }
    audio.protected_by = protection::dtls;
    audio.role = role_answered(transport.role);
  } else if (!local.keys.empty()) {
    if (transport.keys.size() != 1 || !answers_a_key_of(local, transport.keys.front())) {
      return "no a=crypto line of the offer's for the audio stream";
    }
    audio.protected_by = protection::sdes;
  } else {
    return std::nullopt;
  }
  audio.remote = std::make_shared<const stream_transport>(std::move(transport));
  return std::nullopt;
}

template <std::size_t Width>
void write_digits(char* out, std::uint64_t number) {
  for (std::size_t i = Width; i-- > 0;) {
    out[i] = static_cast<char>('0' + number % 10);
    number /= 10;
  }
}

constexpr std::size_t session_id_width = 10;
constexpr std::size_t port_width = 5;

} // namespace

session make_offer(std::string_view host, std::uint16_t port,
                   const media_capabilities& capabilities, std::uint64_t session_id,
                   std::uint64_t version) {
  session made = make_frame(host, session_id, version);
  auto& media = made.media.emplace_back();
  media.type = "audio";
  media.port = port;
  media.profile = capabilities.profiles.empty() ? "RTP/AVP" : capabilities.profiles.front();
  for (const auto& each : capabilities.codecs) {
    add_format(media, each);
  }
  media.attributes.emplace_back(ptime{clamped_ptime(capabilities.ptime_ms)});
  media.attributes.emplace_back(capabilities.wanted);
  if (capabilities.rtcp_mux) {
    media.attributes.emplace_back(rtcp_mux{});
  }
  if (capabilities.rtcp_rsize) {
    media.attributes.emplace_back(raw_attribute{std::string(rsize_name), std::nullopt});
  }
  if (capabilities.bundle) {
    made.attributes.emplace_back(group{std::string(bundle_semantics), {std::string(own_mid)}});
    media.attributes.emplace_back(mid{std::string(own_mid)});
  }
  return made;
}

result<answer_outcome> make_answer(const session& offer, const media_capabilities& capabilities,
                                   std::string_view host, std::uint16_t port,
                                   std::uint64_t session_id, std::uint64_t version) {
  return make_answer(offer, capabilities, capabilities.wanted, host, port, session_id, version);
}

result<answer_outcome> make_answer(const session& offer, const media_capabilities& capabilities,
                                   direction wanted, std::string_view host, std::uint16_t port,
                                   std::uint64_t session_id, std::uint64_t version,
                                   const settled_terms& settled) {
  stream_answerer answerer(offer, capabilities, wanted, host, port, settled);
  answer_outcome made{make_frame(host, session_id, version), {}};
  if (!offer.times.empty()) { // section 6: the same t= as in the offer
    made.answer.times.front() = {offer.times.front().start, offer.times.front().stop, {}};
  }
  made.answer.media.reserve(offer.media.size());
  auto accepted = result<negotiated_audio>(stream_answerer::refuse("no audio stream is offered"));
  for (std::size_t i = 0; i < offer.media.size(); ++i) {
    auto& out = made.answer.media.emplace_back();
    if (!accepted && offer.media[i].type == "audio") {
      accepted = answerer.answer(i, out);
    }
    if (!accepted || accepted->media_index != i) {
      out = refused(offer.media[i]);
    }
  }
  if (!accepted) {
    return tl::unexpected(std::move(accepted.error()));
  }
  made.audio = std::move(*accepted);
  if (auto bundle = bundle_answering(offer, made.answer.media[made.audio.media_index]); bundle) {
    made.answer.attributes.emplace_back(std::move(*bundle));
  }
  return made;
}

result<void> add_own_transport(session& answer, const negotiated_audio& audio,
                               const stream_transport* local) {
  if (audio.protected_by == protection::none) {
    return {};
  }
  stream_transport own = local == nullptr ? stream_transport() : *local;
  if (audio.protected_by == protection::sdes) {
    const auto& theirs = audio.remote->keys.front();
    auto key = std::ranges::find(own.keys, theirs.suite, &crypto::suite);
    if (key == own.keys.end()) {
      return fail("sdp answer", "no key of our own for " + theirs.suite);
    }
    own.keys = {crypto{theirs.tag, key->suite, key->key}};
  } else if (own.fingerprints.empty()) {
    return fail("sdp answer", "no fingerprint of our own");
  } else {
    own.role = audio.role;
  }
  add_transport(answer, answer.media[audio.media_index], own);
  return {};
}

result<negotiated_audio> accept_answer(const session& offer, const session& answer,
                                       const stream_transport* local) {
  auto refuse = [](std::string cause) { return fail("sdp answer", std::move(cause)); };
  if (answer.media.size() != offer.media.size()) {
    return refuse(std::to_string(answer.media.size()) + " m-lines, expected " +
                  std::to_string(offer.media.size()) + " as in the offer");
  }
  for (std::size_t i = 0; i < offer.media.size(); ++i) {
    const auto& ours = offer.media[i];
    const auto& theirs = answer.media[i];
    if (theirs.type != ours.type) {
      return refuse("m-line " + std::to_string(i + 1) + " is " + theirs.type + ", expected " +
                    ours.type);
    }
    if (ours.type != "audio" || ours.port == 0 || theirs.port == 0) {
      continue;
    }
    if (!equal_names(theirs.profile, ours.profile)) {
      return refuse("the audio stream's profile is " + theirs.profile + ", expected " +
                    ours.profile);
    }
    auto our_codecs = codecs_of(ours);
    auto their_codecs = codecs_of(theirs, &ours);
    auto audio = match_audio(their_codecs, our_codecs);
    if (!audio) {
      return refuse("no codec of the offer for the audio stream");
    }
    bool muxed =
      find<rtcp_mux>(ours.attributes) != nullptr && find<rtcp_mux>(theirs.attributes) != nullptr;
    auto to = destination_of(answer, theirs, muxed, "sdp answer");
    if (!to) {
      return tl::unexpected(std::move(to.error()));
    }

    negotiated_audio made;
    made.media_index = i;
    made.audio = audio->theirs;
    made.send_payload_type = audio->theirs.payload_type;
    made.receive_payload_type = audio->ours.payload_type;
    made.also_heard = others_heard(their_codecs, our_codecs, *audio);
    if (auto events = match_events(their_codecs, our_codecs, audio->theirs.clock_rate); events) {
      made.send_event_payload_type = events->theirs.payload_type;
      made.receive_event_payload_type = events->ours.payload_type;
    }
    const auto* own_ptime = find<ptime>(ours.attributes);
    made.send_ptime_ms = wanted_ptime(theirs, own_ptime == nullptr ? ptime{}.ms : own_ptime->ms);
    made.way = common(direction_of(offer, ours), reversed(direction_of(answer, theirs)));
    made.muxed = muxed;
    if (local != nullptr) {
      if (auto wrong = judge_protection(answer, theirs, *local, made); wrong) {
        return refuse(std::move(*wrong));
      }
    }
    apply(made, std::move(*to));
    const auto* own = address_of(offer, ours);
    if (auto reach = check_reach(made, own == nullptr ? "" : own->host, "sdp answer"); !reach) {
      return tl::unexpected(std::move(reach.error()));
    }
    return made;
  }
  return refuse("every audio stream is refused");
}

void set_direction(media_description& media, direction wanted) {
  auto at = std::find_if(media.attributes.begin(), media.attributes.end(),
                         [](const auto& each) { return std::holds_alternative<direction>(each); });
  if (at == media.attributes.end()) {
    media.attributes.emplace_back(wanted);
  } else {
    *at = wanted;
  }
}

session make_reoffer(const session& last_sent, direction wanted) {
  session made = last_sent;
  ++made.from.version;
  for (auto& media : made.media) {
    if (media.port != 0) {
      set_direction(media, wanted);
    }
  }
  return made;
}

offer_template::offer_template(std::string_view host, media_capabilities capabilities)
    : host_(host), capabilities_(std::move(capabilities)),
      shape_(make_offer(host_, min_port, capabilities_, session_id_base)), bytes_(print(shape_)) {
  constexpr std::string_view before_session_id = "o=- ";
  constexpr std::string_view before_port = "m=audio ";
  session_id_at_ = bytes_.find(before_session_id) + before_session_id.size();
  port_at_ = bytes_.find(before_port) + before_port.size();
  set_direction(shape_.media.front(), direction::sendrecv);
}

bool offer_template::render(std::uint16_t port, std::uint64_t session_id,
                            std::span<char> out) const noexcept {
  if (out.size() < bytes_.size() || port < min_port || session_id > max_session_id) {
    return false;
  }
  std::memcpy(out.data(), bytes_.data(), bytes_.size());
  write_digits<session_id_width>(out.data() + session_id_at_, session_id_base + session_id);
  write_digits<port_width>(out.data() + port_at_, port);
  return true;
}

session offer_template::description(std::uint16_t port, std::uint64_t session_id) const {
  return make_offer(host_, port, capabilities_, session_id_base + session_id);
}

} // namespace jackfield::sdp

#include "actors/centre/bridge_terms.hpp"

#include <algorithm>
#include <iterator>
#include <utility>

#include "actors/call/failure_of.hpp"
#include "engine/sip/fields.hpp"

namespace jackfield {

std::string without_tag(std::string_view value) {
  const auto parsed = sip::parse_name_addr(value);
  if (!parsed)
    return "<sip:anonymous@anonymous.invalid>"; // RFC 3323 §4.1.1.3
  std::string out;
  if (!parsed->display_name.empty())
    out.append("\"").append(parsed->display_name).append("\" ");
  return out.append("<").append(parsed->uri).append(">");
}

std::string in_brackets(std::string_view uri) {
  return std::string{'<'}.append(uri).append(1, '>');
}

int status_for(const leg_events::ended& callee) {
  using sip::end_cause;
  switch (callee.cause) {
  case end_cause::busy:
  case end_cause::rejected:
  case end_cause::no_answer:
    return callee.status;
  case end_cause::timeout_b:
    return 408;
  case end_cause::local_bye: // it answered what nobody can use
    return 488;
  case end_cause::protocol_error:
    return 502;
  default: // gone, not reachable, did not pick up, or wants what only a client of its own has
    return 480;
  }
}

report::failure_cause failure_of(const leg_events::ended& leg) {
  if (leg.lost)
    return report::failure_cause::internal;
  if (leg.cause == sip::end_cause::cancelled)
    return report::failure_cause::cancelled;
  const sip::ua_event event{
    .kind = sip::event_kind::ended,
    .cause = leg.cause,
    .status = leg.status,
    .what = sip::method::bye}; // of all requests in a dialog the one whose silence ends it
  return jackfield::failure_of(event);
}

bool has(const codec_list& codecs, const sdp::codec& wanted) {
  return std::ranges::any_of(
    codecs, [&](const sdp::codec& each) { return sdp::same_encoding(each, wanted); });
}

codec_list led_by(codec_list first, const codec_list& all) {
  std::ranges::copy_if(all, std::back_inserter(first),
                       [&](const sdp::codec& each) { return !has(first, each); });
  std::stable_partition(first.begin(), first.end(),
                        [](const sdp::codec& each) { return !sdp::is_telephone_event(each); });
  return first;
}

codec_list only(const codec_list& all, const sdp::negotiated_audio& agreed) {
  codec_list made;
  std::ranges::copy_if(all, std::back_inserter(made), [&](const sdp::codec& each) {
    return sdp::is_telephone_event(each)
             ? agreed.send_event_payload_type && each.clock_rate == agreed.audio.clock_rate
             : sdp::same_encoding(each, agreed.audio);
  });
  return made;
}

std::shared_ptr<const sdp::offer_template> with_codecs(const sdp::offer_template& media,
                                                       codec_list codecs) {
  auto capabilities = media.capabilities();
  capabilities.codecs = std::move(codecs);
  return std::make_shared<sdp::offer_template>(media.host(), std::move(capabilities));
}

} // namespace jackfield

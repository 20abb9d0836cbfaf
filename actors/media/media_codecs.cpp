#include "actors/media/media_codecs.hpp"

#include <algorithm>

#include "engine/audio/opus_repetition.hpp"

namespace jackfield {

namespace {

constexpr uint8_t narrow_events = 101;
constexpr uint8_t fullband_events = 110;

sdp::codec described(audio::codec c, const audio::opus_settings& opus) {
  switch (c) {
  case audio::codec::pcma:
    return sdp::pcma();
  case audio::codec::g722:
    return sdp::g722();
  case audio::codec::opus: {
    auto made = sdp::opus();
    if (opus.dtx)
      made.parameters += ";usedtx=1";
    return made;
  }
  case audio::codec::pcmu:
    break;
  }
  return sdp::pcmu();
}

} // namespace

audio::codec codec_of(const sdp::codec& described) noexcept {
  for (const auto c : {audio::codec::opus, audio::codec::g722, audio::codec::pcma})
    if (sdp::equal_names(described.encoding, audio::traits_of(c).name))
      return c;
  return audio::codec::pcmu;
}

const rtp::codec_impairment& impairment_of(audio::codec c) noexcept {
  switch (c) {
  case audio::codec::opus:
    return rtp::opus_as_evs;
  case audio::codec::g722:
    return rtp::g722_as_narrowband;
  default:
    return rtp::g711_with_plc;
  }
}

rtp::repetition_reader repetition_of(audio::codec c) noexcept {
  return c == audio::codec::opus ? &audio::opus_repetition : nullptr;
}

void describe_codecs(sdp::media_capabilities& capabilities, std::span<const audio::codec> codecs,
                     const audio::opus_settings& opus) {
  capabilities.codecs.clear();
  bool narrow = false;
  bool fullband = false;
  for (const auto c : codecs) {
    capabilities.codecs.push_back(described(c, opus));
    (audio::traits_of(c).clock_rate == 48'000 ? fullband : narrow) = true;
  }
  if (narrow)
    capabilities.codecs.push_back(sdp::telephone_event(narrow_events));
  if (fullband)
    capabilities.codecs.push_back(sdp::telephone_event(fullband_events, 48'000));
}

audio::opus_settings opus_for(const sdp::codec& peer, const audio::opus_settings& ours) noexcept {
  auto made = ours;
  made.dtx = ours.dtx && sdp::parameter_of(peer.parameters, "usedtx") != "0";
  return made;
}

} // namespace jackfield

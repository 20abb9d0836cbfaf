#pragma once

#include <span>

#include "engine/audio/codec.hpp"
#include "engine/audio/opus_settings.hpp"
#include "engine/rtp/mos.hpp"
#include "engine/rtp/stream.hpp"
#include "engine/sdp/offer_answer.hpp"

namespace jackfield {

/// The codec that a description names; one that nobody here has is taken for G.711 u-law, which
/// negotiation never lets happen.
[[nodiscard]] audio::codec codec_of(const sdp::codec& described) noexcept;

/// What it is judged as.
[[nodiscard]] const rtp::codec_impairment& impairment_of(audio::codec c) noexcept;

/// What reads of its payloads how much they repeat; null where it repeats nothing.
[[nodiscard]] rtp::repetition_reader repetition_of(audio::codec c) noexcept;

/// Has `capabilities` name these codecs, preferred first, and telephone events on each of their
/// clocks (RFC 4733 §2.6). Where we leave out silence of Opus, the peer is asked to do so too.
void describe_codecs(sdp::media_capabilities& capabilities, std::span<const audio::codec> codecs,
                     const audio::opus_settings& opus = {});

/// What of `ours` a peer takes that described Opus so: one that says `usedtx=0` is sent all of the
/// silence, one that says nothing of it is not (RFC 7587 §6.1).
[[nodiscard]] audio::opus_settings opus_for(const sdp::codec& peer,
                                            const audio::opus_settings& ours) noexcept;

} // namespace jackfield

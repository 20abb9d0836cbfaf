#pragma once

#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "actors/call/leg_messages.hpp"
#include "engine/report/failure_cause.hpp"
#include "engine/sdp/offer_answer.hpp"

/// What one side of a bridge is told, and offered, for what the other said.
namespace jackfield {

/// A From or To value without its tag.
[[nodiscard]] std::string without_tag(std::string_view value);
/// Such a value of a URI.
[[nodiscard]] std::string in_brackets(std::string_view uri);

/// What a caller is told whose callee's leg ended so before it was answered.
[[nodiscard]] int status_for(const leg_events::ended& callee);

/// Why a call failed whose leg ended so.
[[nodiscard]] report::failure_cause failure_of(const leg_events::ended& leg);

using codec_list = std::vector<sdp::codec>;

[[nodiscard]] bool has(const codec_list& codecs, const sdp::codec& wanted);
/// Those of `first`, then what else there is; telephone events last, as they are no codecs.
[[nodiscard]] codec_list led_by(codec_list first, const codec_list& all);
/// Of `all` the codec that was agreed on, and telephone events if those were.
[[nodiscard]] codec_list only(const codec_list& all, const sdp::negotiated_audio& agreed);
/// The same with other codecs.
[[nodiscard]] std::shared_ptr<const sdp::offer_template>
with_codecs(const sdp::offer_template& media, codec_list codecs);

} // namespace jackfield

#pragma once

#include <chrono>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "actors/load/answering_service.hpp"
#include "actors/media/audio_settings.hpp"
#include "actors/node/node.hpp"
#include "actors/node/registrar.hpp"
#include "engine/audio/codec.hpp"
#include "engine/transport/tls_context.hpp"

namespace jackfield {

/// How an answering engine behaves, for `answer` and for the embedded one of `load`.
struct answering_settings {
  int refuse_with = 0;
  bool ring = true;
  scenario::drawn_duration answer_after;
  double busy_share = 0; ///< these as in `answer_manner`
  double answer_share = 1;
  std::chrono::nanoseconds ring_limit = std::chrono::minutes{3};
  uint64_t seed = 1;
  std::chrono::nanoseconds length{};
  /// Calls whose audio stopped end after so long; zero: they do not.
  std::chrono::nanoseconds media_timeout = std::chrono::seconds{60};
  /// See `answer_manner::check_after`.
  std::chrono::nanoseconds check_after = std::chrono::minutes{30};
  bool rtp = true;
  /// How streams have to be protected; nothing: as the caller offers.
  std::optional<sdp::protection> protection;
  /// Connect calls to users who are registered; with `rtp` only.
  bool connect = false;
  audio_mode mode = audio_mode::echo;
  audio::source_spec source;
  bool listens = false; ///< these two as in `audio_settings`
  std::optional<audio::expected_sound> expects;
  std::vector<audio::codec> codecs{audio::codec::pcmu, audio::codec::pcma, audio::codec::g722,
                                   audio::codec::opus}; ///< taken, as callers prefer them
  audio::opus_settings opus;
  registrar_settings registrations;
};

/// The manner of its calls; `media_address` is where they hear.
[[nodiscard]] std::shared_ptr<const answer_manner>
answer_manner_of(const answering_settings& settings, const lane::endpoint& media_address,
                 std::shared_ptr<const transport::open_settings> connections);

/// Opens a listener on a lane and shows its address in what the lane's legs send. To be called
/// before the node starts.
result<lane::endpoint> listen_on(lane_context& context, transport::protocol p,
                                 const lane::endpoint& local,
                                 const transport::listen_settings& settings = {});

/// Starts services on all lanes of a node, which serve together; they report as sources 0 and so
/// on. To be called before the node starts; the node keeps them.
[[nodiscard]] std::vector<caf::actor>
start_answering(node& engine, const std::shared_ptr<const answer_manner>& manner,
                const registrar_settings& registrations,
                const std::shared_ptr<const trace_settings>& trace = nullptr);

/// Starts the service of one lane. To be called before the node starts, or on the lane.
[[nodiscard]] caf::actor start_answering(lane_context& context,
                                         std::shared_ptr<const answer_manner> manner,
                                         const registrar_settings& registrations, unsigned source);

} // namespace jackfield

#pragma once

#include <memory>
#include <vector>

#include "actors/load/load_plan.hpp"
#include "actors/load/load_settings.hpp"
#include "engine/transport/target_selection.hpp"
#include "engine/transport/tls_context.hpp"

namespace jackfield {

/// Where a run's URI leads (RFC 3263), asked once before the run. Blocks.
result<transport::target_selection> find_target(const load_settings& settings);

/// Digits that can be dialled in one call; before a user's {columns} are filled in there is nothing
/// to be said of them.
result<void> check_digits(const std::vector<std::string>& parts);

/// The users of a run as targets of calls; one if there is no user table. `local` is shown in From.
/// `audio` is what calls have; null: none.
result<std::vector<std::shared_ptr<const call_target>>>
make_targets(const load_settings& settings, const std::string& uri, const lane::endpoint& local,
             const std::shared_ptr<const audio_settings>& audio);

/// What all lanes do.
result<std::shared_ptr<const load_plan>>
make_plan(const load_settings& settings, std::vector<std::shared_ptr<const call_target>> targets);

/// How one lane's calls are made. `audio` is shared by lanes.
[[nodiscard]] std::shared_ptr<const call_manner>
make_manner(const load_settings& settings, const transport::target_selection& servers,
            std::shared_ptr<const transport::open_settings> connections,
            std::shared_ptr<const audio_settings> audio, const lane::endpoint& media_address);

/// The settings of connections to the target; TLS files are read here.
result<std::shared_ptr<const transport::open_settings>>
make_connections(const load_settings& settings, const std::string& uri,
                 const std::string& trusted_pem);

/// Reads and encodes the audio, so that a bad file is told before a call is placed.
result<std::shared_ptr<const audio_settings>> make_audio(const load_settings& settings);

} // namespace jackfield

#pragma once

#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "actors/centre/centre.hpp"
#include "app/serving/listeners.hpp"
#include "app/webhooks/webhook_settings.hpp"
#include "engine/error/error.hpp"

namespace jackfield::app {

/// What a contact centre's configuration says; see config/contact-centre.toml.
struct centre_config {
  struct listening listening;
  unsigned lanes = 0;           ///< 0: as many as there are cores for us
  lane::endpoint media_address; ///< invalid: that of the first listener
  uint16_t first_media_port = 10'000;
  uint16_t last_media_port = 65'535;
  registrar_settings registrations; ///< no users: whoever is on this machine may register
  centre_plan plan;
  std::shared_ptr<const audio_settings> hold_music; ///< of calls that are none of a queue
  lane::endpoint api_address;                       ///< of loopback; invalid: no API is wanted
  std::string api_token_file;
  std::vector<webhooks::webhook_settings> webhooks;
};

/// Reads it whole: what it says, or each of its faults, with the file, the line, and what was
/// expected. Paths in it are relative to the file.
[[nodiscard]] tl::expected<centre_config, std::vector<error>>
read_centre_config(const std::string& path);
/// The same of a text; `path` stands for its file.
[[nodiscard]] tl::expected<centre_config, std::vector<error>>
parse_centre_config(std::string_view text, const std::string& path);

} // namespace jackfield::app

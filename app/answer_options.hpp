#pragma once

#include <optional>
#include <string>
#include <vector>

#include "actors/load/answering_engine.hpp"
#include "actors/load/load_settings.hpp"
#include "actors/media/webrtc_settings.hpp"
#include "app/keep_options.hpp"
#include "app/serving/listeners.hpp"
#include "app/trace_options.hpp"
#include "engine/error/error.hpp"
#include "engine/lane/endpoint.hpp"
#include "engine/transport/protocol.hpp"

namespace jackfield::app {

/// What `jackfield answer` was asked to do.
struct answer_options {
  struct listening listening; ///< nowhere: only with `registering`
  /// The PBX as its URI, the users who are to be registered there, and how that is reached.
  std::optional<load_settings> registering;
  double register_rate = 100;              ///< users a second
  std::vector<lane::endpoint> dns_servers; ///< none: the system's
  answering_settings answering;
  webrtc_settings webrtc;       ///< of streams protected by DTLS
  lane::endpoint media_address; ///< invalid: that of the first listener, or of the users
  uint16_t first_media_port = 10'000;
  uint16_t last_media_port = 65'535;
  unsigned lanes = 0; ///< 0: as many as there are cores for us
  std::string json;
  keep_options kept;
  trace_options tracing;
  bool quiet = false;
  std::string command; ///< the command line
};

/// As `parse_load_options`.
[[nodiscard]] result<std::optional<answer_options>>
parse_answer_options(const std::vector<std::string>& arguments);

} // namespace jackfield::app

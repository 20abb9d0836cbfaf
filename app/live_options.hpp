#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "actors/load/load_settings.hpp"
#include "app/dns_options.hpp"
#include "engine/error/error.hpp"
#include "engine/policy/time.hpp"
#include "engine/simulation/single_queue.hpp"

namespace CLI {
class App;
}

namespace jackfield::app {

class option_reader;

/// How callers and agents of a live simulation reach what serves them.
struct live_options {
  /// Whom callers call, and where agents register; no `uri`: a contact centre in this process.
  load_settings callers;
  load_settings agents;
  /// How the audio of agents is protected; nothing: as it is offered.
  std::optional<sdp::protection> agents_protected;
  uint64_t calls = 0;   ///< in the figures
  uint64_t warm_up = 0; ///< callers before them
};

struct live_texts {
  bool live = false;
  std::string uri, registrar, users, transport, agent_transport, media, agent_media, duration,
    warm_up, auth_user, auth_password, ca_file, local_ip, lanes;
  dns_texts dns;
  bool no_verify = false;
};

/// The group that these options are in.
extern const char* const live_group;

void declare_live(CLI::App& app, live_texts& t);
/// `calls`: what `--calls` says, 0: nothing.
void read_live(option_reader& r, const live_texts& t, const simulation::single_queue& queue,
               uint64_t calls, live_options& o);

} // namespace jackfield::app

#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include <nlohmann/json.hpp>

#include "tests/interop/process.hpp"

namespace jackfield::tests {

/// The programs of these tests, each started with what it needs and waited for until it serves.

using arguments = std::vector<std::string>;

/// Is a program of this name in PATH (or where Debian has daemons)?
bool installed(std::string_view program);

/// A port of 127.0.0.1 that neither UDP nor TCP uses now, and that no other test is given while
/// this one runs. 0, and a failure, if there is none.
uint16_t free_port();
/// Waits until a socket is bound to that port of 127.0.0.1 (TCP: listens there); false if the
/// program ended without.
bool wait_until_bound(process& program, bool tcp, uint16_t port);

/// Of such as "127.0.0.1:5060"; 0: there is none.
uint16_t port_in(std::string_view address);
/// Of a file, without their ends.
std::vector<std::string> lines_of(const std::string& path);

/// "127.0.0.1:5060".
std::string loopback(uint16_t port);
std::string sip_uri(std::string_view user, uint16_t port);

/// A throw-away certificate for 127.0.0.1, which is its own authority.
struct certificate_files {
  std::string certificate;
  std::string key;
};
certificate_files make_certificate(const scratch_folder& folder);

/// SIPp with one of its built-in scenarios, "uas" or "uac", or with one of a test's own, by its
/// file (counted under the file's name without ".xml"); the transport as SIPp names it ("u1").
std::unique_ptr<process> start_sipp(const scratch_folder& folder, std::string_view scenario,
                                    std::string_view transport, const arguments& more);
/// What SIPp counted, once it has ended.
struct sipp_counts {
  uint64_t successful = 0;
  uint64_t failed = 0;
  uint64_t current = 0;
};
sipp_counts read_sipp_counts(const scratch_folder& folder, std::string_view scenario);

/// Kamailio with tests/interop/kamailio.cfg.
struct kamailio_options {
  uint16_t port = 0;     ///< UDP, TCP and WebSocket
  uint16_t tls_port = 0; ///< 0: no TLS
  std::string callee;    ///< URI of the next hop of calls
  std::string digest = "MD5";
  certificate_files tls;
  unsigned lifetime = 0;     ///< of idle connections, seconds; 0: an hour
  bool asks_callers = false; ///< who they are, by 407
  /// Calls and registrations that it takes; beyond that they get 503. Nothing: all.
  std::optional<unsigned> most = std::nullopt;
  bool refuses_late = false; ///< not before it knows whose they are
  std::string route = {};    ///< in Record-Route, instead of its address: pbx.test and parameters
};
std::unique_ptr<process> start_kamailio(const scratch_folder& folder,
                                        const kamailio_options& options);

/// Writes the first users whom it knows, "user0" with "pw-user0" and so on, as a file for --users;
/// returns its path.
std::string write_kamailio_users(const scratch_folder& folder, uint64_t count);

/// coturn at that port of 127.0.0.1, over UDP and TCP, for the user "caller" with the password
/// "turn:s3cret@".
std::unique_ptr<process> start_coturn(const scratch_folder& folder, uint16_t port);

/// `jackfield answer`, listening at such as "udp:127.0.0.1:0": 0 is a port that the kernel chooses.
struct answerer {
  std::unique_ptr<process> program;
  uint16_t port = 0;
  std::string json;

  /// Lets it drain; what it reports, or null if it did not end with that status: 1 where calls
  /// failed.
  nlohmann::json finish(int expected = 0);
};
answerer start_answerer(const scratch_folder& folder, std::string_view listen,
                        const arguments& more = {});

/// `jackfield load`, run to its end.
struct load_outcome {
  std::unique_ptr<process> program;
  int status = -1;
  nlohmann::json summary;
};
struct running_load {
  std::unique_ptr<process> program;
  std::string json;

  /// Waits for its end.
  load_outcome finish();
};
running_load start_load(const scratch_folder& folder, const arguments& more);
load_outcome run_load(const scratch_folder& folder, const arguments& more);
/// All `count` calls were placed, answered and ended well, in a run that is valid.
void expect_all_completed(const load_outcome& outcome, uint64_t count);

/// `jackfield_relay` in front of a port.
struct running_relay {
  std::unique_ptr<process> program;
  uint16_t port = 0;
};
running_relay start_relay(const scratch_folder& folder, uint16_t target, const arguments& more);

} // namespace jackfield::tests

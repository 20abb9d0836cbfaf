#include "tests/interop/peers.hpp"

#include <array>
#include <charconv>
#include <csignal>
#include <cstddef>
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <sstream>

#include <arpa/inet.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <gtest/gtest.h>

#include "tests/relay/path/relay.hpp" // owned_fd

namespace jackfield::tests {

namespace {

/// How often the kernel's table of sockets is read while a program starts.
constexpr int look_again_ms = 10;

/// Is `port` of 127.0.0.1 in the kernel's table of UDP sockets, or of TCP sockets that listen?
bool is_bound(bool tcp, uint16_t port) {
  std::ifstream table{tcp ? "/proc/net/tcp" : "/proc/net/udp"};
  std::array<char, 16> wanted{};
  std::snprintf(wanted.data(), wanted.size(), "0100007F:%04X", port);
  for (std::string line; std::getline(table, line);) {
    std::istringstream fields{line};
    std::string slot;
    std::string local;
    std::string remote;
    std::string state;
    fields >> slot >> local >> remote >> state;
    if (local == wanted.data() && (!tcp || state == "0A"))
      return true;
  }
  return false;
}

uint16_t bind_loopback(const owned_fd& socket, uint16_t port) {
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_port = htons(port);
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  socklen_t length = sizeof address;
  auto* const any = reinterpret_cast<sockaddr*>(&address);
  if (bind(socket.get(), any, length) != 0 || getsockname(socket.get(), any, &length) != 0)
    return 0;
  return ntohs(address.sin_port);
}

/// The ports that tests hand out: below those that the kernel chooses for others (32768 and on) and
/// those that `jackfield` takes for audio, and above those that SIPp does.
constexpr uint16_t first_port = 7000;
constexpr uint16_t last_port = 8799;

/// Takes `port` for this process as long as the socket lives, among tests that run side by side: a
/// port is free between being handed out and being bound by the program that it is for. The name
/// is of the network that the port is of, and leaves no file. -1 if another has it.
owned_fd claim(uint16_t port) {
  owned_fd claimed{socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0)};
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  const auto length = std::snprintf(address.sun_path + 1, sizeof address.sun_path - 1,
                                    "jackfield-test-port-%u", unsigned{port});
  if (bind(claimed.get(), reinterpret_cast<sockaddr*>(&address),
           static_cast<socklen_t>(offsetof(sockaddr_un, sun_path) + 1 +
                                  static_cast<size_t>(length))) != 0)
    return owned_fd{};
  return claimed;
}

nlohmann::json read_json(const std::string& path) {
  std::ifstream in{path};
  auto parsed = nlohmann::json::parse(in, nullptr, false);
  EXPECT_FALSE(parsed.is_discarded()) << path << " is no JSON";
  return parsed.is_discarded() ? nlohmann::json{} : parsed;
}

void append(arguments& to, const arguments& more) {
  to.insert(to.end(), more.begin(), more.end());
}

} // namespace

bool installed(std::string_view program) {
  std::istringstream folders{std::string{std::getenv("PATH")} + ":/usr/sbin"};
  for (std::string folder; std::getline(folders, folder, ':');)
    if (access((folder + "/" + std::string{program}).c_str(), X_OK) == 0)
      return true;
  return false;
}

uint16_t free_port() {
  static std::vector<owned_fd> kept;
  static uint16_t next = static_cast<uint16_t>(first_port + static_cast<unsigned>(getpid()) * 7 %
                                                              (last_port - first_port));
  for (unsigned tried = first_port; tried <= last_port; ++tried) {
    const auto port = next;
    next = next == last_port ? first_port : static_cast<uint16_t>(next + 1);
    owned_fd name{claim(port)};
    const owned_fd udp{socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0)};
    const owned_fd tcp{socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0)};
    if (name.get() < 0 || bind_loopback(udp, port) != port || bind_loopback(tcp, port) != port)
      continue;
    kept.push_back(std::move(name));
    return port;
  }
  ADD_FAILURE() << "no free port";
  return 0;
}

bool wait_until_bound(process& program, bool tcp, uint16_t port) {
  while (!is_bound(tcp, port))
    if (program.ended_within(look_again_ms))
      return is_bound(tcp, port);
  return true;
}

uint16_t port_in(std::string_view address) {
  const auto colon = address.rfind(':');
  uint16_t port = 0;
  if (colon != std::string_view::npos)
    std::from_chars(address.data() + colon + 1, address.data() + address.size(), port);
  return port;
}

std::vector<std::string> lines_of(const std::string& path) {
  std::ifstream in{path};
  std::vector<std::string> lines;
  for (std::string line; std::getline(in, line);)
    lines.push_back(line);
  return lines;
}

std::string loopback(uint16_t port) {
  return "127.0.0.1:" + std::to_string(port);
}

std::string sip_uri(std::string_view user, uint16_t port) {
  return "sip:" + std::string{user} + "@" + loopback(port);
}

certificate_files make_certificate(const scratch_folder& folder) {
  certificate_files made{folder.file("certificate.pem"), folder.file("key.pem")};
  process openssl{"openssl",
                  folder,
                  {"openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2",
                   "-subj", "/CN=127.0.0.1", "-addext", "subjectAltName=IP:127.0.0.1", "-keyout",
                   made.key, "-out", made.certificate}};
  EXPECT_EQ(openssl.wait(), 0);
  return made;
}

std::unique_ptr<process> start_sipp(const scratch_folder& folder, std::string_view scenario,
                                    std::string_view transport, const arguments& more) {
  const bool own = scenario.ends_with(".xml");
  const auto name =
    "sipp-" + (own ? std::filesystem::path{scenario}.stem().string() : std::string{scenario});
  // Its buffers are for a machine whose cores are busy with the peer; its watchdog would end it
  // there.
  arguments command{"sipp",
                    own ? "-sf" : "-sn",
                    std::string{scenario},
                    "-t",
                    std::string{transport},
                    "-i",
                    "127.0.0.1",
                    "-nostdin",
                    "-buff_size",
                    "4000000",
                    "-watchdog_minor_maxtriggers",
                    "100000",
                    "-watchdog_major_maxtriggers",
                    "100000",
                    "-reconnect_close",
                    "false",
                    "-timeout",
                    "90",
                    "-timeout_error",
                    "-trace_err",
                    "-error_file",
                    folder.file(name + ".errors"),
                    "-trace_stat",
                    "-stf",
                    folder.file(name + ".csv"),
                    "-fd",
                    "3600"};
  append(command, more);
  return std::make_unique<process>(name, folder, command);
}

sipp_counts read_sipp_counts(const scratch_folder& folder, std::string_view scenario) {
  std::ifstream in{folder.file("sipp-" + std::string{scenario} + ".csv")};
  std::vector<std::string> names;
  sipp_counts counts;
  for (std::string line; std::getline(in, line);) {
    std::istringstream fields{line};
    std::vector<std::string> values;
    for (std::string value; std::getline(fields, value, ';');)
      values.push_back(value);
    if (names.empty()) {
      names = values;
      continue;
    }
    for (size_t i = 0; i < std::min(names.size(), values.size()); ++i) {
      if (names[i] == "SuccessfulCall(C)")
        counts.successful = std::stoull(values[i]);
      else if (names[i] == "FailedCall(C)")
        counts.failed = std::stoull(values[i]);
      else if (names[i] == "CurrentCall")
        counts.current = std::stoull(values[i]);
    }
  }
  EXPECT_FALSE(names.empty()) << "SIPp wrote no statistics";
  return counts;
}

std::unique_ptr<process> start_kamailio(const scratch_folder& folder,
                                        const kamailio_options& options) {
  const auto defined = [](std::string_view name, std::string_view text) {
    return std::string{name} + "=\"" + std::string{text} + "\"";
  };
  arguments command{installed("kamailio") && access("/usr/sbin/kamailio", X_OK) == 0
                      ? "/usr/sbin/kamailio"
                      : "kamailio",
                    "-f",
                    std::filesystem::absolute("tests/interop/kamailio.cfg").string(),
                    "-DD",
                    "-E",
                    "-m",
                    "512",
                    "-M",
                    "32",
                    "-w",
                    folder.path().string(),
                    "-Y",
                    folder.path().string(),
                    "-P",
                    folder.file("kamailio.pid"),
                    "-l",
                    "udp:" + loopback(options.port),
                    "-l",
                    "tcp:" + loopback(options.port),
                    "-A",
                    defined("CALLEE", options.callee.empty() ? "sip:127.0.0.1:9" : options.callee),
                    "-A",
                    defined("DIGEST", options.digest)};
  if (options.lifetime != 0)
    append(command, {"-A", "LIFETIME=" + std::to_string(options.lifetime)});
  if (options.asks_callers)
    append(command, {"-A", "WITH_PROXY_AUTH=1"});
  if (options.most)
    append(command, {"-A", "MOST=" + std::to_string(*options.most)});
  if (options.refuses_late)
    append(command, {"-A", "WITH_LATE_REFUSAL=1"});
  if (!options.route.empty())
    append(command, {"-A", defined("ROUTE", options.route)});
  if (options.tls_port != 0)
    append(command, {"-l", "tls:" + loopback(options.tls_port), "-A", "WITH_TLS=1", "-A",
                     defined("CERTIFICATE", options.tls.certificate), "-A",
                     defined("PRIVATE_KEY", options.tls.key)});
  auto program = std::make_unique<process>("kamailio", folder, command);
  // TCP comes last, in a process of its own, when those that serve UDP are there.
  EXPECT_TRUE(wait_until_bound(*program, false, options.port) &&
              wait_until_bound(*program, true, options.port));
  return program;
}

std::string write_kamailio_users(const scratch_folder& folder, uint64_t count) {
  std::string users = "user,password\n";
  for (uint64_t i = 0; i < count; ++i)
    users += "user" + std::to_string(i) + ",pw-user" + std::to_string(i) + "\n";
  return folder.write("users.csv", users);
}

std::unique_ptr<process> start_coturn(const scratch_folder& folder, uint16_t port) {
  auto program = std::make_unique<process>("turnserver", folder,
                                           arguments{"turnserver",
                                                     "-n",
                                                     "--lt-cred-mech",
                                                     "--user",
                                                     "caller:turn:s3cret@",
                                                     "--realm",
                                                     "jackfield",
                                                     "--listening-ip",
                                                     "127.0.0.1",
                                                     "--listening-port",
                                                     std::to_string(port),
                                                     "--relay-ip",
                                                     "127.0.0.1",
                                                     "--allow-loopback-peers",
                                                     "--no-tls",
                                                     "--no-dtls",
                                                     "--no-cli",
                                                     "--log-file",
                                                     "stdout",
                                                     "--simple-log",
                                                     "--pidfile",
                                                     folder.file("turnserver.pid"),
                                                     "--userdb",
                                                     folder.file("turnserver.db")});
  EXPECT_TRUE(wait_until_bound(*program, false, port) && wait_until_bound(*program, true, port));
  return program;
}

answerer start_answerer(const scratch_folder& folder, std::string_view listen,
                        const arguments& more) {
  answerer started;
  started.json = folder.file("answer.json");
  arguments command{JACKFIELD_PROGRAM,   "answer", "--listen",
                    std::string{listen}, "--json", started.json};
  append(command, more);
  started.program = std::make_unique<process>("answer", folder, command);
  started.port = port_in(started.program->wait_for_rest_of_line("listening on "));
  EXPECT_NE(started.port, 0) << "jackfield answer does not listen";
  return started;
}

nlohmann::json answerer::finish(int expected) {
  program->signal(SIGINT);
  const auto status = program->wait();
  // Whether the machine kept up (4) is not asked.
  EXPECT_TRUE(status == expected || status == 4)
    << "jackfield answer: status " << status << ", expected " << expected;
  return std::filesystem::exists(json) ? read_json(json) : nlohmann::json{};
}

running_load start_load(const scratch_folder& folder, const arguments& more) {
  running_load started;
  started.json = folder.file("load.json");
  arguments command{JACKFIELD_PROGRAM, "load"};
  append(command, more);
  append(command, {"--json", started.json});
  started.program = std::make_unique<process>("load", folder, command);
  return started;
}

load_outcome run_load(const scratch_folder& folder, const arguments& more) {
  return start_load(folder, more).finish();
}

load_outcome running_load::finish() {
  load_outcome outcome;
  outcome.program = std::move(program);
  outcome.status = outcome.program->wait();
  if (std::filesystem::exists(json))
    outcome.summary = read_json(json);
  EXPECT_TRUE(outcome.summary.is_object()) << "jackfield load left no summary";
  return outcome;
}

void expect_all_completed(const load_outcome& outcome, uint64_t count) {
  EXPECT_EQ(outcome.status, 0);
  if (!outcome.summary.is_object())
    return;
  const auto& s = outcome.summary;
  EXPECT_TRUE(s.at("valid").get<bool>()) << s.at("invalid_reasons");
  const auto& calls = s.at("calls");
  for (const auto* name : {"offered", "started", "answered", "completed"})
    EXPECT_EQ(calls.at(name).get<uint64_t>(), count) << name;
  for (const auto* name : {"missed", "failed"})
    EXPECT_EQ(calls.at(name).get<uint64_t>(), 0U) << name << ' ' << s.at("failures");
}

running_relay start_relay(const scratch_folder& folder, uint16_t target, const arguments& more) {
  running_relay started;
  arguments command{JACKFIELD_RELAY_PROGRAM, "--listen", loopback(0), "--target", loopback(target)};
  append(command, more);
  started.program = std::make_unique<process>("relay", folder, command);
  started.port = port_in(started.program->wait_for_rest_of_line("listening on "));
  EXPECT_NE(started.port, 0) << "the relay does not listen";
  return started;
}

} // namespace jackfield::tests

#include "app/dns_options.hpp"

#include <CLI/CLI.hpp>

namespace jackfield::app {

namespace {

constexpr uint16_t usual_port = 53;
/// As many as a resolver of the system's asks at most (MAXNS).
constexpr size_t most_servers = 3;

result<lane::endpoint> read_server(std::string_view text) {
  if (auto e = lane::endpoint::parse_with_port(text, usual_port);
      e && e->port() != 0 && !e->is_forbidden_destination())
    return e;
  return fail("--dns-server", "\"" + std::string{text} +
                                "\" is no address, expected 192.0.2.1, 192.0.2.1:5353 or "
                                "[2001:db8::1]:5353");
}

} // namespace

void declare_dns(CLI::App& app, dns_texts& texts, const char* group) {
  app
    .add_option("--dns-server", texts.servers,
                "who is asked for SRV and the addresses of names instead of the system's servers "
                "and /etc/hosts: ADDRESS[:PORT]; repeatable")
    ->group(group);
}

void read_dns(option_reader& reader, const dns_texts& texts, std::vector<lane::endpoint>& into) {
  reader.check(texts.servers.size() <= most_servers, "--dns-server", "expected at most 3 servers");
  for (const auto& text : texts.servers) {
    lane::endpoint server;
    reader.read(text, server, read_server);
    into.push_back(server);
  }
}

} // namespace jackfield::app

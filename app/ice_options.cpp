#include "app/ice_options.hpp"

#include <memory>
#include <utility>

#include <CLI/CLI.hpp>
#include <netdb.h>
#include <sys/socket.h>

namespace jackfield::app {

namespace {

constexpr uint16_t usual_port = 3478; // RFC 8489 §18.6, RFC 8656 §3.1
constexpr size_t most_turn_servers = 4;
constexpr const char* turn_expected = ", expected turn:USER:PASSWORD@HOST:PORT, perhaps with "
                                      "?transport=tcp";

/// "stun.example:3478", with the usual port where none is said.
result<lane::endpoint> look_up(const char* place, std::string_view text) {
  if (auto address = lane::endpoint::parse_with_port(text, usual_port);
      address && address->port() != 0)
    return address;
  const auto colon = text.rfind(':');
  uint16_t port = usual_port;
  if (colon != std::string_view::npos) {
    auto read = option_reader::whole<uint16_t>(place, text.substr(colon + 1), 1, 65'535);
    if (!read)
      return tl::unexpected{std::move(read.error())};
    port = *read;
  }
  const std::string name{text.substr(0, colon)};
  addrinfo wanted{};
  wanted.ai_socktype = SOCK_DGRAM;
  wanted.ai_flags = AI_ADDRCONFIG;
  addrinfo* found = nullptr;
  const int status = getaddrinfo(name.c_str(), nullptr, &wanted, &found);
  const std::unique_ptr<addrinfo, decltype(&freeaddrinfo)> owned{found, &freeaddrinfo};
  if (status != 0)
    return fail(place, "\"" + name + "\" has no address: " + gai_strerror(status));
  return lane::endpoint::from_sockaddr(found->ai_addr, found->ai_addrlen).with_port(port);
}

/// Without what may be secret in it.
error no_turn_server(std::string cause) {
  return {"--turn", std::move(cause) + turn_expected};
}

result<ice::turn_server> read_turn(std::string_view text) {
  if (text.starts_with("turns:"))
    return tl::unexpected{no_turn_server("TURN over TLS is not available")};
  if (!text.starts_with("turn:"))
    return tl::unexpected{no_turn_server("no server of the form turn:")};
  text.remove_prefix(5);
  // A password may have any character; a host has no '@'.
  const auto at = text.rfind('@');
  const auto colon = text.find(':');
  if (at == std::string_view::npos || colon >= at || colon == 0)
    return tl::unexpected{no_turn_server("no user and password")};
  ice::turn_server made;
  made.user = text.substr(0, colon);
  made.password = text.substr(colon + 1, at - colon - 1);
  text.remove_prefix(at + 1);
  if (const auto query = text.find('?'); query != std::string_view::npos) {
    const auto transport = text.substr(query + 1);
    if (transport == "transport=tcp")
      made.transport = ice::turn_transport::tcp;
    else if (transport != "transport=udp")
      return tl::unexpected{
        no_turn_server("\"" + std::string{transport} + "\" after the server is unknown")};
    text = text.substr(0, query);
  }
  return look_up("--turn", text).map([&](const lane::endpoint& address) {
    made.address = address;
    return made;
  });
}

} // namespace

void declare_ice(CLI::App& app, ice_texts& texts, const char* group) {
  app
    .add_option("--stun", texts.stun,
                "STUN server that tells WebRTC streams their public address: HOST[:PORT]")
    ->group(group);
  app
    .add_option("--turn", texts.turn,
                "TURN server through which WebRTC streams may go: "
                "turn:USER:PASSWORD@HOST[:PORT][?transport=tcp]; repeatable")
    ->group(group);
  app.add_flag("--relay-only", texts.relay_only, "through the TURN server, or not at all")
    ->group(group);
}

void read_ice(option_reader& reader, const ice_texts& texts, bool webrtc, webrtc_settings& into) {
  reader.check(webrtc || texts.stun.empty(), "--stun", "is for --media webrtc");
  reader.check(webrtc || texts.turn.empty(), "--turn", "is for --media webrtc");
  reader.check(webrtc || !texts.lite, "--ice-lite", "is for --media webrtc");
  reader.check(!texts.lite || texts.stun.empty(), "--stun",
               "expected none beside --ice-lite, which asks no server");
  reader.check(!texts.lite || texts.turn.empty(), "--turn",
               "expected none beside --ice-lite, which asks no server");
  reader.check(!texts.relay_only || !texts.turn.empty(), "--relay-only",
               "through which server, expected --turn");
  reader.check(texts.turn.size() <= most_turn_servers, "--turn", "expected at most 4 servers");
  reader.read(texts.stun, into.stun_server,
              [](std::string_view s) { return look_up("--stun", s); });
  for (const auto& text : texts.turn) {
    ice::turn_server server;
    reader.read(text, server, read_turn);
    into.turn.push_back(std::move(server));
  }
  into.relay_only = texts.relay_only;
  into.lite = texts.lite;
}

std::string without_turn_password(std::string_view word) {
  std::string out{word};
  auto begin = out.find("turn:");
  if (begin == std::string::npos)
    begin = out.find("turns:");
  const auto at = out.rfind('@');
  if (begin == std::string::npos || at == std::string::npos)
    return out;
  const auto colon = out.find(':', out.find(':', begin) + 1);
  if (colon != std::string::npos && colon < at)
    out.replace(colon + 1, at - colon - 1, "***");
  return out;
}

} // namespace jackfield::app

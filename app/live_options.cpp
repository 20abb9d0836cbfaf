#include "app/live_options.hpp"

#include <cmath>
#include <string_view>
#include <utility>

#include <CLI/CLI.hpp>
#include <fmt/format.h>

#include "app/option_reader.hpp"
#include "engine/scenario/arrivals.hpp"
#include "engine/scenario/user_table.hpp"
#include "engine/sip/message_writer.hpp"
#include "engine/sip/uri.hpp"

namespace jackfield::app {

namespace {

using simulation::distribution;

/// The usual queue's number, where a URI has none.
constexpr const char* usual_service = "queue";
/// Unless it is said: so long, and so many handling times before that.
constexpr std::chrono::minutes usual_duration{3};
constexpr double usual_warm_up = 3;
constexpr uint64_t most_live_agents = 10'000;
constexpr uint64_t most_live_calls = 1'000'000;

std::string in_quotes(std::string_view field) {
  std::string out{'"'};
  for (const char c : field)
    out.append(c == '"' ? 2 : 1, c);
  return out + '"';
}

/// The first so many users of a file.
result<scenario::user_table> read_agents_logins(const std::string& path, size_t count) {
  auto whole = scenario::user_table::read(path);
  if (!whole)
    return whole;
  if (whole->size() < count)
    return fail("--users", fmt::format("{} has {} users, expected {} or more: one for each of "
                                       "--agents",
                                       path, whole->size(), count));
  std::string text;
  for (const auto& column : whole->columns())
    text += (text.empty() ? "" : ",") + in_quotes(column);
  for (size_t row = 0; row < count; ++row) {
    text += '\n';
    bool first = true;
    for (const auto& column : whole->columns())
      text += (std::exchange(first, false) ? "" : ",") + in_quotes(*whole->field(row, column));
  }
  return scenario::user_table::parse(path, text + '\n');
}

result<std::optional<std::string>> read_registrar(std::string_view text) {
  auto whole = std::string{text};
  if (const auto uri = sip::uri::parse(whole); !uri || !uri->is_sip())
    whole = "sip:" + whole;
  const auto uri = sip::uri::parse(whole);
  if (!uri || !uri->is_sip() || !sip::is_safe_value(whole))
    return fail("--register", "\"" + std::string{text} + "\" is no PBX, expected sip:host:port");
  return std::optional{std::move(whole)};
}

/// The host of whom callers call.
std::string registrar_at(const std::string& callee) {
  const auto uri = sip::uri::parse(callee);
  auto rest = uri->opaque();
  if (const auto at = rest.find('@'); at != std::string_view::npos)
    rest.remove_prefix(at + 1);
  return std::string{uri->scheme_name()} + ":" + std::string{rest};
}

void read_media(option_reader& r, const char* place, const std::string& text, load_settings& s) {
  s.rtp = text != "none";
  if (text == "srtp")
    s.protection = sdp::protection::sdes;
  else if (text == "webrtc")
    s.protection = sdp::protection::dtls;
  else
    r.check(!s.rtp || text.empty() || text == "rtp", place,
            "\"" + text + "\" is not available, expected rtp, srtp, webrtc or none");
  if (s.protection == sdp::protection::dtls)
    s.codecs = {audio::codec::opus, audio::codec::pcmu, audio::codec::pcma};
}

void read_way(option_reader& r, const char* place, const std::string& text, load_settings& s) {
  r.read(text, s.transport, [&](std::string_view t) { return read_transport(place, t); });
  if (s.uri && !r.failure())
    r.read(place, s.transport, [&](std::string_view) {
      return transport_of(place, *s.uri, !text.empty(), s.transport);
    });
}

void read_ways(option_reader& r, const live_texts& t, uint32_t agents, live_options& o) {
  auto& callers = o.callers;
  r.read(t.uri, callers.uri, [](std::string_view s) {
    return read_callee(s, usual_service).map([](auto uri) {
      return std::optional{std::move(uri)};
    });
  });
  for (const auto& [name, given] : {std::pair{"--register", !t.registrar.empty()},
                                    {"--users", !t.users.empty()},
                                    {"--auth-user", !t.auth_user.empty()},
                                    {"--ca-file", !t.ca_file.empty()},
                                    {"--insecure", t.no_verify}})
    r.check(!given || callers.uri.has_value(), name,
            "is of somebody else's queue, expected its URI, too");
  read_way(r, "--transport", t.transport, callers);
  read_media(r, "--media", t.media, callers);
  read_dns(r, t.dns, callers.dns_servers);
  r.read(t.local_ip, callers.local,
         [](std::string_view s) { return read_address("--local-ip", s); });
  r.number("--lanes", t.lanes, callers.lanes, 1U, 64U);
  callers.ca_file = t.ca_file;
  callers.verify = !t.no_verify;
  callers.callee_hangs_up = callee_hang_up::allowed;
  callers.ringing_limit = std::chrono::hours{24}; // patience is the caller's
  auto& settings = o.agents;
  settings = callers;
  callers.auth_user = t.auth_user;
  callers.auth_password = t.auth_password;
  r.check(t.auth_password.empty() || !t.auth_user.empty(), "--auth-password",
          "without a user, expected --auth-user");
  settings.flow = load_flow::register_;
  if (!callers.uri) {
    settings.transport = transport::protocol::wss;
    read_way(r, "--agent-transport", t.agent_transport, settings);
    if (transport::is_websocket(settings.transport))
      o.agents_protected = sdp::protection::dtls; // else the PBX may offer what it likes
  } else if (!r.failure()) {
    r.check(!t.users.empty(), "--users", "is missing, expected a CSV file of agents' logins");
    settings.uri = registrar_at(*callers.uri);
    r.read(t.registrar, settings.uri, read_registrar);
    if (t.agent_transport.empty() && !t.registrar.empty())
      read_way(r, "--register", {}, settings);
    else
      read_way(r, "--agent-transport", t.agent_transport, settings);
  }
  settings.rtp = t.agent_media != "none";
  if (t.agent_media == "rtp")
    o.agents_protected = sdp::protection::none;
  else if (t.agent_media == "srtp")
    o.agents_protected = sdp::protection::sdes;
  else if (t.agent_media == "webrtc")
    o.agents_protected = sdp::protection::dtls;
  else
    r.check(!settings.rtp || t.agent_media.empty() || t.agent_media == "any", "--agent-media",
            "\"" + t.agent_media + "\" is not available, expected any, rtp, srtp, webrtc or none");
  r.read(t.users, settings.users, [&](std::string_view path) {
    return read_agents_logins(std::string{path}, agents).map([](auto table) {
      return std::optional{std::move(table)};
    });
  });
}

} // namespace

const char* const live_group = "Live";

void declare_live(CLI::App& app, live_texts& t) {
  app.add_flag("--live", t.live,
               "in real time over real SIP, with audio: a contact centre in this process, or URI");
  app.add_option(
    "URI", t.uri,
    "live: the number of somebody else's queue, which callers call: sip:100@host:port");
  const auto option = [&](const char* name, std::string& text, const char* what) {
    app.add_option(name, text, what)->group(live_group);
  };
  option("--users", t.users, "CSV file of agents' logins there, user,password: the first --agents");
  option("--register", t.registrar, "where agents register (the host of URI)");
  option("--duration", t.duration, "callers in the figures come for so long (3m)");
  option("--warm-up", t.warm_up, "and so long before that (3 times --aht)");
  option("-t,--transport", t.transport, "of callers: udp, tcp, tls, ws, wss (udp)");
  option("--agent-transport", t.agent_transport, "of agents (wss; with a URI that of callers)");
  option("--media", t.media, "of callers: rtp, srtp with keys by SDES, webrtc, none (rtp)");
  option("--agent-media", t.agent_media,
         "of agents: any: as it is offered; or only rtp, srtp, webrtc, or none (any)");
  option("--auth-user,--au", t.auth_user, "of callers, for digest authentication");
  option("--auth-password,--ap", t.auth_password, "its password");
  option("--ca-file", t.ca_file, "PEM file of authorities to trust, instead of the system's");
  app.add_flag("--insecure", t.no_verify, "do not verify the server's certificate")
    ->group(live_group);
  option("--local-ip", t.local_ip, "address of callers and agents (the one that faces the queue)");
  option("--lanes", t.lanes, "threads of callers and agents (one a core)");
  declare_dns(app, t.dns, live_group);
}

void read_live(option_reader& r, const live_texts& t, const simulation::single_queue& queue,
               uint64_t calls, live_options& o) {
  if (r.failure())
    return;
  r.check(queue.wrap_up.is() == distribution::kind::constant, "--wrap-up",
          "live, what serves an agent keeps it, each time as long, expected a constant: 5s");
  r.check(queue.agents <= most_live_agents, "--agents",
          fmt::format("live, expected at most {}", most_live_agents));
  r.check(calls == 0 || t.duration.empty(), "--duration",
          "says how many calls there are, expected no --calls beside it");
  std::chrono::nanoseconds lasts = usual_duration;
  r.read(t.duration, lasts,
         [](std::string_view s) { return scenario::parse_duration("--duration", s); });
  auto warms_up = std::chrono::duration_cast<std::chrono::nanoseconds>(
    usual_warm_up * std::chrono::duration<double>(queue.handling_time()));
  r.read(t.warm_up, warms_up,
         [](std::string_view s) { return scenario::parse_duration("--warm-up", s); });
  const auto callers_in = [&](std::chrono::nanoseconds time) {
    return std::llround(queue.calls_per_second * std::chrono::duration<double>(time).count());
  };
  const auto in_figures = calls != 0 ? static_cast<int64_t>(calls) : callers_in(lasts);
  r.check(in_figures >= 1 && in_figures + callers_in(warms_up) <= int64_t{most_live_calls},
          calls != 0 ? "--calls" : "--duration",
          fmt::format("is {} calls, expected 1 to {}", in_figures, most_live_calls));
  o.calls = static_cast<uint64_t>(in_figures);
  o.warm_up = static_cast<uint64_t>(callers_in(warms_up));
  read_ways(r, t, queue.agents, o);
}

} // namespace jackfield::app

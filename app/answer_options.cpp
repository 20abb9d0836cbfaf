#include "app/answer_options.hpp"

#include <algorithm>
#include <chrono>
#include <cstdio>
#include <tuple>
#include <utility>

#include <CLI/CLI.hpp>

#include "app/codec_option.hpp"
#include "app/dns_options.hpp"
#include "app/foreign_options.hpp"
#include "app/ice_options.hpp"
#include "app/option_reader.hpp"
#include "app/shown_command.hpp"
#include "app/sipp_options.hpp"
#include "app/sound_options.hpp"
#include "engine/scenario/arrivals.hpp"
#include "engine/scenario/drawn_duration.hpp"
#include "engine/scenario/user_table.hpp"
#include "engine/sip/text.hpp"
#include "engine/sip/uri.hpp"

namespace jackfield::app {

namespace {

constexpr uint16_t default_port = 5070;
/// Keeps a WebSocket through what stands before the PBX.
constexpr std::chrono::seconds usual_ping{30};

struct texts {
  std::vector<std::string> listen, origins;
  std::string transport, local_ip, local_port, media, audio, codecs, media_ip, media_ports,
    answer_after, duration, media_timeout, refuse, users, realm, max_expires, advertise, lanes, pbx,
    register_rate, expires, ca_file, ws_path, keep_alive, answer_share, busy_share, ring_limit,
    seed;
  hearing_texts hearing;
  trace_texts tracing;
  keep_texts kept;
  ice_texts ice;
  dns_texts dns;
  bool no_ring = false, connect = false, no_verify = false;
};

/// HA1s by user, so that no password is kept.
result<void> read_users(const std::string& path, registrar_settings& into) {
  auto table = scenario::user_table::read(path);
  if (!table)
    return tl::unexpected{std::move(table.error())};
  for (size_t row = 0; row < table->size(); ++row) {
    const auto user = *table->field(row, "user");
    const auto password = table->field(row, "password");
    if (!password)
      return fail(path, "no column \"password\", expected user,password");
    into.add_user(user, *password);
  }
  return {};
}

void declare(CLI::App& app, texts& t, answer_options& o) {
  app.add_option("--listen", t.listen,
                 "address to serve, [udp:|tcp:|tls:|ws:|wss:]ADDRESS:PORT; repeatable, "
                 "one a transport (127.0.0.1:5070)");
  app.add_option("-t,--transport", t.transport,
                 "of listeners that do not say: udp, tcp, tls, ws, wss (udp and tcp)");
  app.add_option("--advertise", t.advertise,
                 "address and port by which callers reach the listener, where that is not its own: "
                 "behind NAT or a load balancer");
  declare_dns(app, t.dns, "OPTIONS");
  app.add_option("-i,--local-ip", t.local_ip, "address to serve, as SIPp has it");
  app.add_option("-p,--local-port", t.local_port, "port to serve, as SIPp has it");
  app.add_option("--media", t.media,
                 "any: as callers offer it; or only rtp, srtp with keys by SDES, webrtc, or none "
                 "(any)");
  declare_ice(app, t.ice, "OPTIONS");
  app.add_flag("--ice-lite", t.ice.lite,
               "WebRTC streams answer the callers' checks at their own address and make none");
  app.add_option("--audio", t.audio,
                 "what callers hear: echo, tone, tone:HZ, silence, a WAV file "
                 "(echo)");
  app.add_option("--codecs", t.codecs,
                 "taken of those that callers offer, in their order: opus, G722, PCMU, PCMA (all)");
  declare_hearing(app, t.hearing, "OPTIONS", false);
  app.add_option("--media-ip,--mi", t.media_ip, "address of the audio");
  app.add_option("--media-ports", t.media_ports, "ports of the audio: 10000-65535");
  app.add_option("--answer-after", t.answer_after,
                 "ring this long before answering: 2s, exp:3s, uniform:1s..5s (0)");
  app.add_option("--answer-share", t.answer_share,
                 "of all calls: 80%; the rest rings until the caller gives up or --ring-limit "
                 "(what --busy-share leaves)");
  app.add_option("--busy-share", t.busy_share, "of all calls, refused with 486: 10% (0%)");
  app.add_option("--ring-limit", t.ring_limit,
                 "ringing longer than this is refused with 480 (180s)");
  app.add_option("--seed", t.seed, "of everything drawn at random of the calls (1)");
  app.add_option("--duration", t.duration, "hang up this long after answering (the caller does)");
  app.add_option("--media-timeout", t.media_timeout,
                 "end a call whose audio stopped this long ago (60s; 0: never); given, a caller "
                 "that was never heard is asked by OPTIONS as often, else every 30m");
  app.add_option("--refuse", t.refuse, "refuse every call with this status: 300 to 699");
  app.add_flag("--no-ringing", t.no_ring, "no 180 before the answer");
  app.add_option("--users,--inf", t.users,
                 "CSV of users who may register: user,password; with --register of those that do");
  app.add_option("--register", t.pbx,
                 "PBX at which the --users register, to take the calls that it sends them: "
                 "sip:192.0.2.1:5060;transport=tcp");
  app.add_option("--register-rate", t.register_rate,
                 "users who register, and leave, a second (100)");
  app.add_option("--expires", t.expires, "lifetime of these registrations, seconds (3600)");
  app.add_option("--ca-file", t.ca_file,
                 "PEM file of authorities that the PBX's certificate may be of, instead of the "
                 "system's");
  app.add_flag("--insecure", t.no_verify, "do not verify the PBX's certificate");
  app.add_option("--ws-path", t.ws_path, "path of the WebSocket request to the PBX (/)");
  app.add_option("--keep-alive", t.keep_alive,
                 "ping the PBX this often over what the users registered over (RFC 5626; off, over "
                 "WebSocket 30 s)");
  app.add_flag("--connect", t.connect,
               "connect calls to users who are registered here to them; others are answered");
  app.add_option("--realm", t.realm, "of their digest authentication (jackfield)");
  app.add_option("--max-expires", t.max_expires, "longest registration, seconds (3600)");
  app.add_option("--cert", o.listening.certificate_file,
                 "PEM file of the certificate for TLS and WSS (a self-signed one is made)");
  app.add_option("--key", o.listening.key_file, "PEM file of its key");
  app.add_option("--allow-origin", t.origins, "WebSocket origin let in, exactly; repeatable (any)");
  app.add_option("--lanes", t.lanes,
                 "threads that serve, all at the same addresses (one a core); calls go where there "
                 "is room");
  app.add_option("--json", o.json, "summary as JSON to a file, or - for standard output");
  declare_keep(app, t.kept, o.kept, "OPTIONS", true);
  declare_trace(app, t.tracing, o.tracing, "OPTIONS");
  app.add_flag("-q,--quiet", o.quiet, "no lines on standard error");
}

/// Who registers where.
void read_registering(option_reader& r, const texts& t, answer_options& o) {
  if (t.pbx.empty()) {
    for (const auto& [name, text] : {std::pair{"--register-rate", &t.register_rate},
                                     {"--expires", &t.expires},
                                     {"--ca-file", &t.ca_file},
                                     {"--ws-path", &t.ws_path},
                                     {"--keep-alive", &t.keep_alive}})
      r.check(text->empty(), name, "is for users who register at a PBX, expected --register too");
    r.check(!t.no_verify, "--insecure",
            "is for users who register at a PBX, expected --register too");
    return;
  }
  r.check(!t.users.empty(), "--register", "registers nobody, expected --users FILE too");
  load_settings s;
  s.flow = load_flow::register_;
  s.dns_servers = o.dns_servers;
  r.read(t.pbx, s.uri, [](std::string_view text) -> result<std::optional<std::string>> {
    auto whole = std::string{text};
    if (const auto uri = sip::uri::parse(whole); !uri || !uri->is_sip())
      whole = "sip:" + whole;
    if (const auto uri = sip::uri::parse(whole);
        !uri || !uri->is_sip() || !sip::is_safe_value(whole))
      return fail("--register", "\"" + std::string{text} + "\" is no PBX, expected sip:host:port");
    return std::optional{std::move(whole)};
  });
  r.read(t.transport, s.transport,
         [](std::string_view text) { return read_transport("--transport", text); });
  if (s.uri)
    r.read("--register", s.transport, [&](std::string_view) {
      return transport_of("--register", *s.uri, !t.transport.empty() && t.listen.empty(),
                          s.transport);
    });
  r.read(t.local_ip, s.local,
         [](std::string_view text) { return read_address("--local-ip", text); });
  r.number<uint16_t>("--local-port", t.local_port, s.local_port, 1, 65'535);
  r.number("--expires", t.expires, s.expires, 1U, 604'800U);
  unsigned rate = 100;
  r.number("--register-rate", t.register_rate, rate, 1U, 100'000U);
  o.register_rate = rate;
  for (const auto& [name, given] :
       {std::pair{"--ca-file", !t.ca_file.empty()}, {"--insecure", t.no_verify}})
    r.check(!given || transport::is_secure(s.transport), name,
            "is for TLS and WSS, expected one of these transports");
  s.ca_file = t.ca_file;
  s.verify = !t.no_verify;
  r.check(transport::is_websocket(s.transport) || t.ws_path.empty(), "--ws-path",
          "is for WebSocket, expected transport ws or wss");
  if (!t.ws_path.empty())
    s.ws_path = t.ws_path;
  r.check(s.ws_path.starts_with('/') && sip::is_safe_value(s.ws_path) &&
            s.ws_path.find(' ') == std::string::npos,
          "--ws-path", "expected a path that begins with /");
  if (transport::is_websocket(s.transport))
    s.keep_alive = usual_ping;
  r.read(t.keep_alive, s.keep_alive,
         [](std::string_view text) { return scenario::parse_duration("--keep-alive", text); });
  if (!r.failure())
    o.registering = std::move(s);
}

result<answer_options> options_of(const texts& t, answer_options o) {
  option_reader r;
  std::vector<transport::protocol> protocols{transport::protocol::udp, transport::protocol::tcp};
  r.read(t.transport, protocols, [](std::string_view s) {
    return read_transport("--transport", s).map([](auto p) { return std::vector{p}; });
  });
  auto listen = t.listen;
  r.check(listen.empty() || (t.local_ip.empty() && t.local_port.empty()), "--listen",
          "says the address already, expected no -i or -p beside it");
  read_dns(r, t.dns, o.dns_servers);
  read_registering(r, t, o);
  if (listen.empty() && !o.registering) {
    auto address = lane::endpoint::loopback_v4(default_port);
    r.read(t.local_ip, address, [](std::string_view s) {
      return read_address("--local-ip", s).map([](auto e) { return e.with_port(default_port); });
    });
    uint16_t port = default_port;
    r.number<uint16_t>("--local-port", t.local_port, port, 1, 65'535);
    listen.push_back(address.with_port(port).to_string());
  }
  for (const auto& text : listen) {
    std::vector<listen_at> some;
    r.read(text, some, [&](std::string_view s) {
      return read_listener("--listen", s, protocols, default_port);
    });
    o.listening.at.insert(o.listening.at.end(), some.begin(), some.end());
  }
  r.read(t.advertise, o.listening.advertised, [](std::string_view s) -> result<lane::endpoint> {
    if (auto e = lane::endpoint::parse_with_port(s); e && !e->is_unspecified() && e->port() != 0)
      return e;
    return fail("--advertise",
                "\"" + std::string{s} + "\" is no address and port, expected 192.0.2.1:5060");
  });
  for (size_t i = 0; i < o.listening.at.size(); ++i)
    for (size_t k = 0; k < i; ++k)
      r.check(o.listening.at[i].protocol != o.listening.at[k].protocol, "--listen",
              "two listeners of " + std::string{transport::to_string(o.listening.at[i].protocol)} +
                ", expected one a transport");
  r.check(t.advertise.empty() || o.listening.at.size() == 1, "--advertise",
          "serves one listener, expected one --listen with its transport");
  auto& a = o.answering;
  a.rtp = t.media != "none";
  if (t.media == "rtp")
    a.protection = sdp::protection::none;
  else if (t.media == "srtp")
    a.protection = sdp::protection::sdes;
  else if (t.media == "webrtc")
    a.protection = sdp::protection::dtls;
  else
    r.check(!a.rtp || t.media.empty() || t.media == "any", "--media",
            "\"" + t.media + "\" is not available, expected any, rtp, srtp, webrtc or none");
  read_ice(r, t.ice,
           t.connect ||
             (a.rtp && a.protection.value_or(sdp::protection::dtls) == sdp::protection::dtls),
           o.webrtc);
  audio_choice sound{audio_mode::echo, {}};
  r.read(t.audio, sound, [](std::string_view s) { return read_sound("--audio", s); });
  std::tie(a.mode, a.source) = std::pair{sound.mode, std::move(sound.source)};
  r.read(t.codecs, a.codecs, read_codecs);
  read_hearing(r, t.hearing, a.rtp, a.listens, a.expects);
  r.check(!t.connect || t.hearing.expected.empty(), "--expect-sound",
          "is for calls that are answered here, expected no --connect beside it");
  r.read(t.media_ip, o.media_address,
         [](std::string_view s) { return read_address("--media-ip", s); });
  std::pair ports{o.first_media_port, o.last_media_port};
  r.read(t.media_ports, ports,
         [](std::string_view s) { return read_media_ports("--media-ports", s); });
  std::tie(o.first_media_port, o.last_media_port) = ports;
  r.read(t.answer_after, a.answer_after,
         [](std::string_view s) { return scenario::parse_drawn_duration("--answer-after", s); });
  r.read(t.busy_share, a.busy_share,
         [](std::string_view s) { return read_share("--busy-share", s); });
  a.answer_share = 1 - a.busy_share;
  r.read(t.answer_share, a.answer_share,
         [](std::string_view s) { return read_share("--answer-share", s); });
  r.check(a.busy_share + a.answer_share <= 1 + 1e-9, "--answer-share",
          "and --busy-share are more than all calls, expected 100% at most");
  r.check(t.refuse.empty() || (t.busy_share.empty() && t.answer_share.empty()), "--refuse",
          "is for every call, expected no shares beside it");
  r.read(t.ring_limit, a.ring_limit,
         [](std::string_view s) { return scenario::parse_duration("--ring-limit", s); });
  r.number("--seed", t.seed, a.seed, uint64_t{0}, UINT64_MAX);
  r.read(t.duration, a.length,
         [](std::string_view s) { return scenario::parse_duration("--duration", s); });
  if (!t.media_timeout.empty()) {
    r.read(t.media_timeout, a.media_timeout,
           [](std::string_view s) { return scenario::parse_duration("--media-timeout", s); });
    a.check_after = a.media_timeout;
  }
  r.number("--refuse", t.refuse, a.refuse_with, 300, 699);
  a.ring = !t.no_ring;
  a.connect = t.connect;
  r.check(!a.connect || !o.listening.at.empty(), "--connect",
          "connects users who register here, expected --listen too");
  r.check(!a.connect || a.rtp, "--connect", "joins audio, expected no --media none beside it");
  r.number("--lanes", t.lanes, o.lanes, 1U, 64U);
  if (o.registering && o.registering->local_port != 0) {
    r.check(o.lanes <= 1, "--local-port",
            "one port serves one lane, expected --lanes 1 or no port");
    o.lanes = 1;
  }
  if (!t.realm.empty())
    a.registrations.realm = t.realm;
  r.number("--max-expires", t.max_expires, a.registrations.max_expires, 1U, 604'800U);
  r.check(o.listening.certificate_file.empty() == o.listening.key_file.empty(), "--cert",
          "expected --cert and --key together");
  o.listening.allowed_origins = t.origins;
  read_keep(r, t.kept, o.kept, true);
  read_trace(r, t.tracing, o.tracing);
  if (r.failure())
    return tl::unexpected{*r.failure()};
  if (o.registering) {
    o.registering->certificate_file = o.listening.certificate_file;
    o.registering->key_file = o.listening.key_file;
    auto table = scenario::user_table::read(t.users);
    if (!table)
      return tl::unexpected{std::move(table.error())};
    o.registering->users = std::move(*table);
    if (a.rtp) {
      auto sounds = read_sounds(*o.registering->users, {}, {a.mode, a.source});
      if (!sounds)
        return tl::unexpected{std::move(sounds.error())};
      o.registering->sounds = std::move(*sounds);
    }
  } else if (!t.users.empty())
    if (auto read = read_users(t.users, a.registrations); !read)
      return tl::unexpected{std::move(read.error())};
  return o;
}

} // namespace

result<std::optional<answer_options>>
parse_answer_options(const std::vector<std::string>& arguments) {
  CLI::App app{"Answers SIP calls, registrations and OPTIONS.", "jackfield answer"};
  app.get_formatter()->column_width(34);
  texts t;
  answer_options o;
  declare(app, t, o);
  take_one_text_each(app);
  auto reversed = from_sipp_habits(arguments);
  if (auto known = check_options(app, reversed); !known)
    return tl::unexpected{std::move(known.error())};
  std::reverse(reversed.begin(), reversed.end());
  try {
    app.parse(reversed);
  } catch (const CLI::CallForHelp&) {
    std::fputs(app.help().c_str(), stdout);
    return std::optional<answer_options>{};
  } catch (const CLI::ParseError& e) {
    return fail("jackfield answer", std::string{e.what()} + ", see --help");
  }
  if (auto all = demand_texts(app); !all)
    return tl::unexpected{std::move(all.error())};
  o.command = shown_command("jackfield answer", arguments);
  return options_of(t, std::move(o)).map([](auto done) { return std::optional{std::move(done)}; });
}

} // namespace jackfield::app

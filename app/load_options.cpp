#include "app/load_options.hpp"

#include <algorithm>
#include <array>
#include <cstdio>
#include <tuple>
#include <utility>

#include <unistd.h>

#include <CLI/CLI.hpp>

#include "actors/load/load_setup.hpp"
#include "app/codec_option.hpp"
#include "app/dns_options.hpp"
#include "app/foreign_options.hpp"
#include "app/ice_options.hpp"
#include "app/option_reader.hpp"
#include "app/outcome_options.hpp"
#include "app/shown_command.hpp"
#include "app/sipp_options.hpp"
#include "app/sound_options.hpp"
#include "engine/scenario/dial_plan.hpp"
#include "engine/sdp/codec.hpp"
#include "engine/sip/text.hpp"
#include "engine/sip/ua.hpp"
#include "engine/sip/uri.hpp"

namespace jackfield::app {

namespace {

/// What FEC is made for, where it is not said.
constexpr uint8_t usual_loss_percent = 10;

/// The texts given, each still to be read.
struct texts {
  std::string uri, flow = "call", calls, rate, rate_period, limit, duration, duration_ms, media,
                   transport, media_ip, media_port, media_ports, local_ip, local_port, service,
                   users, auth_user, auth_password, audio, codecs, ptime, expires, refreshes, seed,
                   lanes, ring_limit, from, route, dtmf, metrics, answer_after, ca_file, cert, key,
                   ws_path, keep_alive, dtmf_by, hold_after, ice_restart_after, opus_bitrate,
                   opus_complexity, opus_loss, register_retries;
  std::vector<std::string> headers, thresholds;
  hearing_texts hearing;
  trace_texts tracing;
  ice_texts ice;
  dns_texts dns;
  keep_texts kept;
  outcome_texts outcome;
  bool poisson = false, no_verify = false, delayed_offer = false, opus_fec = false,
       opus_dtx = false;
};

/// "5s", "5s:2s".
result<std::vector<call_step>> read_hold(std::string_view text) {
  const auto colon = text.find(':');
  auto after = scenario::parse_duration("--hold-after", text.substr(0, colon));
  if (!after)
    return tl::unexpected{std::move(after.error())};
  std::vector<call_step> steps{{*after, call_step::kind::hold}};
  if (colon == std::string_view::npos)
    return steps;
  auto length = scenario::parse_duration("--hold-after", text.substr(colon + 1));
  if (!length)
    return tl::unexpected{std::move(length.error())};
  steps.push_back({*after + *length, call_step::kind::resume});
  return steps;
}

/// "12#", "2s:1234,10s:{pin}#".
void read_digits(option_reader& r, const texts& t, load_options& o) {
  std::vector<scenario::dial_part> plan;
  r.read(t.dtmf, plan, [](std::string_view s) { return scenario::parse_dial_plan("--dtmf", s); });
  const bool own = t.dtmf.find('{') != std::string::npos;
  r.check(!own || !t.users.empty(), "--dtmf", "uses {columns}, expected --users FILE too");
  for (auto& part : plan) {
    o.steps.push_back({part.after, call_step::kind::dial, static_cast<uint16_t>(o.digits.size())});
    o.digits.push_back(std::move(part.digits));
  }
  std::ranges::stable_sort(o.steps, {}, &call_step::after);
  if (!own)
    r.read("--dtmf", o.digits,
           [&](std::string_view) { return check_digits(o.digits).map([&] { return o.digits; }); });
}

result<dtmf_mode> read_dtmf_mode(std::string_view text) {
  if (text == "rfc4733" || text == "rtp")
    return dtmf_mode::rfc4733;
  if (text == "info")
    return dtmf_mode::info;
  if (text == "inband")
    return dtmf_mode::inband;
  if (text == "auto")
    return dtmf_mode::automatic;
  return fail("--dtmf-mode",
              "\"" + std::string{text} + "\" is unknown, expected rfc4733, info, inband or auto");
}

/// Headers that every request of ours has already.
bool is_our_own(std::string_view line) {
  auto name = line.substr(0, line.find(':'));
  name = name.substr(0, name.find_last_not_of(" \t") + 1);
  static constexpr std::string_view ours[] = {
    "via",     "v", "from",           "f", "to",           "t", "call-id",     "i", "cseq",
    "contact", "m", "content-length", "l", "content-type", "c", "max-forwards"};
  return std::any_of(std::begin(ours), std::end(ours),
                     [&](std::string_view own) { return sip::iequals(own, name); });
}

constexpr const char* kept_group = "What is kept";
constexpr const char* output_group = "What comes out";

/// What was given, but for what is kept and what comes out of it.
std::string plan_of(const CLI::App& app) {
  std::vector<std::string> words;
  for (const auto* option : app.get_options()) {
    if (option->count() == 0 || option->get_group() == kept_group ||
        option->get_group() == output_group)
      continue;
    words.push_back(option->get_name());
    for (const auto& result : option->results())
      words.push_back(result);
  }
  return shown_command("jackfield load", words);
}

void declare(CLI::App& app, texts& t, load_options& o) {
  app.add_option("URI", t.uri,
                 "whom to call: sip:user@host:port, or host:port as SIPp has it; "
                 "without it the embedded answering engine");
  const char* const plan = "What is placed";
  app.add_option("--flow", t.flow, "call, register or options")->group(plan);
  app.add_option("-m,--calls", t.calls, "arrivals in all (default 1000, or as the rates last)")
    ->group(plan);
  app
    .add_option("-r,--rate", t.rate,
                "arrivals a second: 100, or a profile: 0..500/60s,500/5m,500..0/10s (default 100)")
    ->group(plan);
  app.add_option("--rp", t.rate_period, "with -r: arrivals in this many ms, instead of a second")
    ->group(plan);
  app.add_flag("--poisson", t.poisson, "exponential gaps between arrivals")->group(plan);
  app.add_option("-l,--limit", t.limit, "calls at once; arrivals beyond count as missed, or wait")
    ->group(plan);
  app
    .add_option("--duration", t.duration,
                "of a call, seconds or with a unit: 30, 90s, exp:180s, uniform:10s..60s "
                "(default 10 s); of a registration: how long a user stays")
    ->group(plan);
  app.add_option("-d", t.duration_ms, "the same in ms, as SIPp has it")->group(plan);
  app
    .add_option("--hold-after", t.hold_after,
                "put the peer on hold this long after the answer, perhaps for a time: 5s, 5s:2s")
    ->group(plan);
  app
    .add_option("--ice-restart-after", t.ice_restart_after,
                "find the media's way anew this long after the answer; with --media webrtc")
    ->group(plan);
  app.add_option("--seed", t.seed, "of everything drawn at random in the plan")->group(plan);
  app.add_option("--ring-limit", t.ring_limit, "ringing longer than this is cancelled (180s)")
    ->group(plan);
  app.add_option("--expires", t.expires, "register: lifetime to ask for, seconds (3600)")
    ->group(plan);
  app.add_option("--refreshes", t.refreshes, "register: refreshes before a user leaves (0)")
    ->group(plan);
  app
    .add_option("--register-retries", t.register_retries,
                "register: so often a user who was refused, or had no answer, tries again (0)")
    ->group(plan);
  app
    .add_option("--answer-after", t.answer_after,
                "embedded engine: ring this long before answering (0)")
    ->group(plan);

  const char* const who = "Who calls";
  app.add_option("-s,--service", t.service, "user part of the URI where it has none (service)")
    ->group(who);
  app
    .add_option("--users,--inf", t.users,
                "CSV of users: user,password,to,...; one is taken for each arrival in turn")
    ->group(who);
  app.add_option("--from", t.from, "From URI; may use {columns} of --users")->group(who);
  app.add_option("--header", t.headers, "header line to add, may use {columns}; repeatable")
    ->group(who);
  app.add_option("--route", t.route, "outbound proxy: sip:proxy.example.com;lr")->group(who);
  app.add_option("--auth-user,--au", t.auth_user, "for digest authentication")->group(who);
  app.add_option("--auth-password,--ap", t.auth_password, "its password")->group(who);

  const char* const way = "Transport and media";
  app
    .add_option(
      "-t,--transport", t.transport,
      "udp, tcp, tls, ws or wss; tn and ln as SIPp has them: tcp and tls, each call with a "
      "connection of its own (udp)")
    ->group(way);
  app
    .add_flag("--own-connections", o.own_connections,
              "each call, or user who registers, has a connection of its own")
    ->group(way);
  declare_dns(app, t.dns, way);
  app.add_option("--media", t.media, "none, rtp, srtp with keys by SDES, or webrtc (rtp)")
    ->group(way);
  declare_ice(app, t.ice, way);
  app
    .add_option("--audio", t.audio,
                "what callers send: tone, tone:HZ, silence, echo, or a WAV file; may use {columns} "
                "of --users, whose column audio goes before it (tone)")
    ->group(way);
  declare_hearing(app, t.hearing, way, true);
  app
    .add_option(
      "--codecs", t.codecs,
      "offered, preferred first: opus, G722, PCMU, PCMA (PCMU,PCMA; with webrtc opus,PCMU,PCMA)")
    ->group(way);
  app.add_option("--opus-bitrate", t.opus_bitrate, "bits a second (32000)")->group(way);
  app.add_option("--opus-complexity", t.opus_complexity, "0 to 10 (5)")->group(way);
  app
    .add_flag("--opus-fec", t.opus_fec,
              "each packet of speech (--audio FILE; no tone) repeats the one before it, coarsely")
    ->group(way);
  app
    .add_option("--opus-loss", t.opus_loss,
                "percent of loss to be ready for (with FEC 10, and above 5 there)")
    ->group(way);
  app
    .add_flag("--opus-dtx", t.opus_dtx,
              "nothing is sent of silence but a packet every 0.4 s, unless the peer says usedtx=0")
    ->group(way);
  app.add_option("--ptime", t.ptime, "ms of audio in a packet: 10 to 60 (20)")->group(way);
  app
    .add_option(
      "--dtmf", t.dtmf,
      "digits dialled once answered, or at times since then: 12#, 2s:1234,10s:{pin}#; may "
      "use {columns} of --users")
    ->group(way);
  app
    .add_option(
      "--dtmf-mode,--dtmf-by", t.dtmf_by,
      "rfc4733 (or rtp): events in the RTP stream; info: one request a digit; inband: tones "
      "in the audio; auto: events if the peer takes them, else tones (rfc4733)")
    ->group(way);
  app.add_flag("--delayed-offer", t.delayed_offer, "INVITE without a session description")
    ->group(way);
  app.add_option("-i,--local-ip", t.local_ip, "address to call from")->group(way);
  app.add_option("-p,--local-port", t.local_port, "port to call from (one lane then)")->group(way);
  app.add_option("--media-ip,--mi", t.media_ip, "address of the audio")->group(way);
  app.add_option("--mp", t.media_port, "lowest port of the audio")->group(way);
  app.add_option("--media-ports", t.media_ports, "ports of the audio: 10000-65535")->group(way);
  app
    .add_option("--lanes", t.lanes,
                "event loops that call, and answer where the engine is embedded (as many as cores)")
    ->group(way);
  app
    .add_option("--ca-file", t.ca_file, "PEM file of authorities to trust, instead of the system's")
    ->group(way);
  app.add_flag("--insecure", t.no_verify, "do not verify the server's certificate")->group(way);
  app.add_option("--cert", t.cert, "PEM file of our own certificate")->group(way);
  app.add_option("--key", t.key, "PEM file of its key")->group(way);
  app.add_option("--ws-path", t.ws_path, "path of the WebSocket request (/)")->group(way);

  app
    .add_option("--keep-alive", t.keep_alive,
                "ping connections, and registered UDP flows, this often (RFC 5626; off)")
    ->group(way);

  declare_keep(app, t.kept, o.kept, kept_group, false);
  app
    .add_flag("--resume", o.kept.go_on,
              "go on with the run that a crash cut off, as it is in the state directory: with the "
              "same options; its report covers both parts")
    ->group(kept_group);

  const char* const out = output_group;
  app.add_option("--json", o.json, "summary as JSON to a file, or - for standard output")
    ->group(out);
  app.add_option("--html", o.html, "report as one HTML file")->group(out);
  app.add_option("--csv", o.csv, "figures over time, a line a second as it passes")->group(out);
  app.add_option("--junit", o.junit, "thresholds and verdict as JUnit XML")->group(out);
  app.add_option("--calls-file", o.calls_file, "one JSON line a call, registration or OPTIONS")
    ->group(out);
  declare_trace(app, t.tracing, o.tracing, out);
  declare_outcome(app, t.outcome, plan, out);
  app
    .add_option("--metrics", t.metrics, "serve Prometheus metrics at this address: 127.0.0.1:9464")
    ->group(out);
  app.add_option("--threshold", t.thresholds, "such as 'srd_ms: p(99)<200'; repeatable")
    ->group(out);
  app.add_flag("-q,--quiet", o.quiet, "no live view, no summary")->group(out);
  app.footer(
    "Exit codes: 0 passed, 1 something failed, 2 usage, 3 threshold crossed, 4 invalid (the\n"
    "generator itself was the bottleneck), 5 internal error, 6 cut short, though what was done\n"
    "went well; 10 to 17 the state directory: missing, in use, forbidden, disk full, corrupt,\n"
    "torn, of a later version, failed.\n"
    "Ctrl-C once: no new calls, those up run to their end. Twice: everything is hung up. A third\n"
    "time: the report, whatever peers still owe.");
}

result<load_options> options_of(const texts& t, load_options o) {
  option_reader r;
  read_keep(r, t.kept, o.kept, o.kept.go_on);
  r.check(!o.kept.go_on || !o.kept.directory.empty(), "--resume",
          "nothing is kept, expected --state DIR too");
  if (o.kept.go_on && t.kept.recover.empty())
    o.kept.recover = keep_options::recovery::resume;
  r.check(o.kept.directory.empty() || t.flow != "options", "--state",
          "calls and registrations are kept, expected --flow call or register");
  r.check(!o.kept.go_on || t.flow == "call", "--resume",
          "only runs of calls go on, expected --flow call");
  const std::string service = t.service.empty() ? "service" : t.service;
  if (!t.uri.empty())
    r.read(t.uri, o.uri, [&](std::string_view s) -> result<std::optional<std::string>> {
      return read_callee(s, service).map([](auto u) { return std::optional{std::move(u)}; });
    });
  if (t.flow == "register")
    o.flow = load_flow::register_;
  else if (t.flow == "options")
    o.flow = load_flow::options;
  else
    r.check(t.flow == "call", "--flow",
            "\"" + t.flow + "\" is no flow, expected call, register or options");

  r.read(t.rate.empty() ? std::string{"100"} : t.rate, o.arrivals.phases,
         [](std::string_view s) { return scenario::parse_rates("--rate", s); });
  unsigned period_ms = 1000;
  r.number("--rp", t.rate_period, period_ms, 1U, 86'400'000U);
  for (auto& p : o.arrivals.phases) {
    p.from *= 1000.0 / period_ms;
    p.to *= 1000.0 / period_ms;
  }
  uint64_t calls = 0;
  r.number("--calls", t.calls, calls, uint64_t{1}, uint64_t{1'000'000'000'000});
  if (calls > 0)
    o.arrivals.calls = calls;
  else if (!o.arrivals.length())
    o.arrivals.calls = 1000;
  o.arrivals.poisson = t.poisson;
  r.number("--limit", t.limit, o.limit, uint64_t{1}, uint64_t{1'000'000'000});
  read_outcome(r, t.outcome, o, o.bounds);
  r.read(t.duration, o.length,
         [](std::string_view s) { return scenario::parse_drawn_duration("--duration", s); });
  if (!t.duration_ms.empty()) {
    r.check(t.duration.empty(), "-d",
            "--duration says how long calls last too, expected one of them");
    uint64_t ms = 0;
    r.number("-d", t.duration_ms, ms, uint64_t{0}, uint64_t{86'400'000});
    o.length.mean = std::chrono::milliseconds{ms};
  }
  r.number("--seed", t.seed, o.seed, uint64_t{0}, UINT64_MAX);
  r.read(t.ring_limit, o.ringing_limit,
         [](std::string_view s) { return scenario::parse_duration("--ring-limit", s); });
  r.read(t.answer_after, o.answer_after,
         [](std::string_view s) { return scenario::parse_duration("--answer-after", s); });
  r.check(t.answer_after.empty() || t.uri.empty(), "--answer-after",
          "is for the embedded answering engine, expected no URI beside it");
  r.number("--expires", t.expires, o.expires, 1U, 604'800U);
  r.number("--refreshes", t.refreshes, o.refreshes, 0U, 1'000'000U);
  r.number("--register-retries", t.register_retries, o.register_retries, 0U, 1'000'000U);

  r.read(t.transport, o.transport,
         [](std::string_view s) { return read_transport("--transport", s); });
  if (const auto& way = t.route.empty() && o.uri ? *o.uri : t.route; !way.empty())
    r.read("URI", o.transport, [&](std::string_view) {
      return transport_of("URI", way, !t.transport.empty(), o.transport);
    });
  r.check(t.transport != "un" && t.transport != "ui", "--transport",
          "over UDP there is one socket for each lane, expected u1, or tn or ln for connections");
  o.own_connections = o.own_connections || t.transport == "tn" || t.transport == "ln";
  r.check(!o.own_connections || (o.uri && transport::is_reliable(o.transport)), "--own-connections",
          "expected a URI, and a transport that has connections: -t tcp");
  o.rtp = t.media != "none";
  if (t.media == "srtp")
    o.protection = sdp::protection::sdes;
  else if (t.media == "webrtc")
    o.protection = sdp::protection::dtls;
  else
    r.check(!o.rtp || t.media.empty() || t.media == "rtp", "--media",
            "\"" + t.media + "\" is not available, expected none, rtp, srtp or webrtc");
  read_ice(r, t.ice, o.protection == sdp::protection::dtls, o.webrtc);
  const bool own_sounds = t.audio.find('{') != std::string::npos;
  r.check(!own_sounds || !t.users.empty(), "--audio", "uses {columns}, expected --users FILE too");
  if (!own_sounds) {
    audio_choice usual;
    r.read(t.audio, usual, [](std::string_view s) { return read_sound("--audio", s); });
    std::tie(o.mode, o.source) = std::pair{usual.mode, std::move(usual.source)};
  }
  read_hearing(r, t.hearing, o.rtp, o.listens, o.expects);
  if (o.protection == sdp::protection::dtls)
    o.codecs = {audio::codec::opus, audio::codec::pcmu, audio::codec::pcma};
  r.read(t.codecs, o.codecs, read_codecs);
  r.number("--opus-bitrate", t.opus_bitrate, o.opus.bitrate, 6'000U, 510'000U);
  r.number<uint8_t>("--opus-complexity", t.opus_complexity, o.opus.complexity, 0, 10);
  o.opus.fec = t.opus_fec;
  o.opus.expected_loss_percent = t.opus_fec ? usual_loss_percent : 0;
  r.number<uint8_t>("--opus-loss", t.opus_loss, o.opus.expected_loss_percent, 0, 100);
  o.opus.dtx = t.opus_dtx;
  r.number("--ptime", t.ptime, o.ptime_ms, 10U, 60U);
  r.check(o.ptime_ms % 10 == 0, "--ptime", "expected 10, 20, 30, 40, 50 or 60");
  for (const auto codec : o.codecs)
    if (const auto can = audio::check_packet_time(codec, std::chrono::milliseconds{o.ptime_ms});
        !can)
      r.check(false, "--ptime", can.error().cause);
  r.read(t.hold_after, o.steps, read_hold);
  r.check(t.ice_restart_after.empty() || o.protection == sdp::protection::dtls,
          "--ice-restart-after", "is for --media webrtc");
  r.read(t.ice_restart_after, o.steps, [&](std::string_view s) {
    return scenario::parse_duration("--ice-restart-after", s).map([&](lane::duration after) {
      auto steps = o.steps;
      steps.push_back({after, call_step::kind::ice_restart});
      std::ranges::stable_sort(steps, {}, &call_step::after);
      return steps;
    });
  });
  r.read(t.dtmf_by, o.dtmf_by, read_dtmf_mode);
  r.check(t.dtmf_by.empty() || !t.dtmf.empty(), "--dtmf-mode", "is for digits, expected --dtmf");
  read_digits(r, t, o);
  r.check(o.digits.empty() || o.rtp || o.dtmf_by == dtmf_mode::info, "--dtmf",
          "goes in the audio, expected --dtmf-mode info beside --media none");
  const bool in_audio = o.dtmf_by == dtmf_mode::inband || o.dtmf_by == dtmf_mode::automatic;
  r.check(!in_audio || o.mode == audio_mode::play, "--dtmf-mode",
          "an echo has no audio of its own for tones, expected --audio tone, silence or a file");
  o.delayed_offer = t.delayed_offer;
  r.read(t.local_ip, o.local, [](std::string_view s) { return read_address("--local-ip", s); });
  r.number<uint16_t>("--local-port", t.local_port, o.local_port, 1, 65'535);
  r.read(t.media_ip, o.media_address,
         [](std::string_view s) { return read_address("--media-ip", s); });
  r.number<uint16_t>("--mp", t.media_port, o.first_media_port, 10'000, 65'000);
  std::pair ports{o.first_media_port, o.last_media_port};
  r.read(t.media_ports, ports,
         [](std::string_view s) { return read_media_ports("--media-ports", s); });
  std::tie(o.first_media_port, o.last_media_port) = ports;
  r.number("--lanes", t.lanes, o.lanes, 1U, 64U);
  r.check(o.local_port == 0 || o.lanes <= 1, "--local-port",
          "one port serves one lane, expected --lanes 1 or no port");
  if (o.local_port != 0)
    o.lanes = 1;

  r.check(t.auth_password.empty() || !t.auth_user.empty(), "--auth-password",
          "without a user, expected --auth-user");
  o.auth_user = t.auth_user;
  o.auth_password = t.auth_password;
  r.read(t.users, o.users, [](std::string_view path) {
    return scenario::user_table::read(std::string{path}).map([](auto table) {
      return std::optional{std::move(table)};
    });
  });
  if (o.users && !r.failure())
    r.read("--users", o.sounds, [&](std::string_view) {
      return read_sounds(*o.users, t.audio, {o.mode, o.source});
    });
  o.from = t.from;
  r.check(t.from.find('{') == std::string::npos || !t.users.empty(), "--from",
          "uses {columns}, expected --users FILE too");
  for (const auto& line : t.headers) {
    r.check(line.find(':') != std::string::npos && line.find(':') > 0 && sip::is_safe_value(line) &&
              sip::is_safe_header_lines(line + "\r\n"),
            "--header", "\"" + line + "\" is no header line, expected Name: value");
    r.check(!is_our_own(line), "--header",
            "\"" + line + "\" is in every request already, expected another header");
    o.headers.push_back(line);
  }
  o.route = t.route;
  read_dns(r, t.dns, o.dns_servers);
  r.check(t.route.empty() || !t.uri.empty(), "--route",
          "leads to the URI that is called, expected a URI beside it");
  if (!t.route.empty()) {
    const auto uri = sip::uri::parse(t.route);
    r.check(uri && uri->is_sip() && sip::is_safe_value(t.route), "--route",
            "\"" + t.route + "\" is no SIP URI, expected sip:proxy.example.com;lr");
    // A strict router (RFC 2543) is not what anybody means today.
    if (!r.failure() && !uri->is_loose())
      o.route += ";lr";
  }
  o.verify = !t.no_verify;
  for (const auto& [option, path] :
       {std::pair{"--ca-file", &t.ca_file}, {"--cert", &t.cert}, {"--key", &t.key}})
    r.check(path->empty() || access(path->c_str(), R_OK) == 0, option,
            "\"" + *path + "\" cannot be read, expected a PEM file");
  o.ca_file = t.ca_file;
  o.certificate_file = t.cert;
  o.key_file = t.key;
  r.check(t.cert.empty() == t.key.empty(), "--cert", "expected --cert and --key together");
  if (!t.ws_path.empty())
    o.ws_path = t.ws_path;
  r.check(o.ws_path.starts_with('/') && sip::is_safe_value(o.ws_path) &&
            o.ws_path.find(' ') == std::string::npos,
          "--ws-path", "expected a path that begins with /");

  r.read(t.keep_alive, o.keep_alive,
         [](std::string_view s) { return scenario::parse_duration("--keep-alive", s); });
  r.read(t.metrics, o.metrics_listen, [](std::string_view s) {
    return lane::endpoint::parse_with_port(s)
      .map([](auto e) { return std::optional{e}; })
      .map_error([](const error& e) {
        return error{"--metrics", e.to_string()};
      });
  });
  for (const auto& text : t.thresholds) {
    auto parsed = report::parse_thresholds("--threshold", text);
    if (!parsed)
      return tl::unexpected{std::move(parsed.error())};
    o.thresholds.insert(o.thresholds.end(), parsed->begin(), parsed->end());
  }
  read_trace(r, t.tracing, o.tracing);
  o.call_lines = !o.calls_file.empty();
  if (r.failure())
    return tl::unexpected{*r.failure()};
  return o;
}

} // namespace

result<std::optional<load_options>> parse_load_options(const std::vector<std::string>& arguments) {
  CLI::App app{"Places real SIP calls with audio, and says truthfully how they went.",
               "jackfield load"};
  app.get_formatter()->column_width(34);
  texts t;
  load_options o;
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
    return std::optional<load_options>{};
  } catch (const CLI::ParseError& e) {
    return fail("jackfield load", std::string{e.what()} + ", see --help");
  }
  if (auto all = demand_texts(app); !all)
    return tl::unexpected{std::move(all.error())};
  o.command = shown_command("jackfield load", arguments);
  o.plan = plan_of(app);
  return options_of(t, std::move(o)).map([](auto done) { return std::optional{std::move(done)}; });
}

} // namespace jackfield::app

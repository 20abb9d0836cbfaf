#include "actors/load/load_setup.hpp"

#include <future>
#include <map>
#include <utility>

#include "actors/media/media_codecs.hpp"
#include "actors/media/media_protection.hpp"
#include "actors/node/node.hpp"
#include "engine/lane/source_address.hpp"
#include "engine/rtp/telephone_event.hpp"
#include "engine/sip/uri.hpp"
#include "engine/transport/resolver.hpp"

namespace jackfield {

namespace {

/// The host that credentials are for: digest is answered to the target and the outbound proxy only.
std::vector<std::string> credential_hosts(const load_settings& settings, const std::string& uri) {
  std::vector<std::string> hosts;
  for (const auto& text : {uri, settings.route})
    if (const auto parsed = sip::uri::parse(text))
      hosts.emplace_back(parsed->host());
  return hosts;
}

/// `uri` with another user, or with a whole URI in its place.
std::string with_user(const std::string& uri, std::string_view user) {
  if (const auto whole = sip::uri::parse(user); whole && whole->is_sip())
    return std::string{user};
  const auto parsed = sip::uri::parse(uri);
  auto rest = parsed->opaque();
  if (const auto at = rest.find('@'); at != std::string_view::npos)
    rest.remove_prefix(at + 1);
  return std::string{parsed->scheme_name()} + ":" + sip::escape_user(user) + "@" +
         std::string{rest};
}

/// Has what is played encoded for all codecs that may be agreed on: a file that cannot be played is
/// found now, and no call waits for its encoding.
result<void> encode(const load_settings& settings, const audio_settings& audio) {
  if (audio.mode != audio_mode::play)
    return {};
  auto without_dtx = settings.opus; // for peers that do not want it
  without_dtx.dtx = false;
  const std::chrono::milliseconds packet_time{settings.ptime_ms};
  for (const auto codec : settings.codecs)
    for (const auto& opus : {settings.opus, without_dtx})
      if (auto encoded = audio.cache->get(audio.source, codec, packet_time, opus); !encoded)
        return tl::unexpected{std::move(encoded.error())};
  return {};
}

/// What each user sends, where that is told user by user: one value for all that send the same.
class user_sounds {
public:
  user_sounds(const load_settings& settings, const std::shared_ptr<const audio_settings>& usual)
      : settings_(settings), usual_(usual) {}

  /// Of a row of the users; null: what all send.
  result<std::shared_ptr<const audio_settings>> of(size_t row) {
    if (!usual_ || settings_.sounds.empty())
      return std::shared_ptr<const audio_settings>{};
    const auto& choice = settings_.sounds.at(row);
    auto& made = made_[choice];
    if (!made) {
      auto own = std::make_shared<audio_settings>(*usual_);
      own->mode = choice.mode;
      own->source = choice.source;
      if (auto encoded = encode(settings_, *own); !encoded)
        return tl::unexpected{std::move(encoded.error())};
      made = std::move(own);
    }
    return made;
  }

private:
  const load_settings& settings_;
  const std::shared_ptr<const audio_settings>& usual_;
  std::map<audio_choice, std::shared_ptr<const audio_settings>> made_;
};

result<std::vector<std::string>> digits_of(const load_settings& settings, size_t row) {
  auto parts = settings.digits;
  if (!settings.users)
    return parts;
  for (auto& part : parts) {
    auto filled = settings.users->fill("--dtmf", part, row);
    if (!filled)
      return tl::unexpected{std::move(filled.error())};
    part = std::move(*filled);
  }
  if (auto can = check_digits(parts); !can)
    return fail("--dtmf", "of user " + std::to_string(row + 1) + ": " + can.error().cause);
  return parts;
}

} // namespace

result<void> check_digits(const std::vector<std::string>& parts) {
  rtp::telephone_event_sender all;
  for (const auto& part : parts)
    if (!part.empty() && !all.dial(part))
      return fail("--dtmf", "\"" + part +
                              "\" cannot be dialled, expected 0-9, *, #, A-D, up to 256 in a call");
  return {};
}

result<transport::target_selection> find_target(const load_settings& settings) {
  const auto& text = settings.route.empty() ? *settings.uri : settings.route;
  const auto uri = sip::uri::parse(text);
  transport::resolve_request request;
  request.host = std::string{uri->host()};
  request.port = uri->port();
  request.secure = uri->kind() == sip::scheme::sips;
  request.protocol = settings.transport;
  node_settings alone;
  alone.media.address = lane::endpoint::loopback_v4(0);
  alone.router.resolver.servers = settings.dns_servers;
  auto bootstrap = node::make(alone);
  if (!bootstrap)
    return tl::unexpected{std::move(bootstrap.error())};
  auto& context = (*bootstrap)->context(0);
  std::promise<result<transport::target_selection>> answered;
  transport::resolver::pending pending;
  context.home.post([&] {
    pending = context.router.hops().resolver().resolve(
      request, [&](auto selected) { answered.set_value(std::move(selected)); });
  });
  (*bootstrap)->start();
  auto selected = answered.get_future().get();
  bootstrap->reset();
  if (!selected)
    return fail("URI " + text, selected.error().to_string());
  return selected;
}

result<std::vector<std::shared_ptr<const call_target>>>
make_targets(const load_settings& settings, const std::string& uri, const lane::endpoint& local,
             const std::shared_ptr<const audio_settings>& audio) {
  user_sounds sounds{settings, audio};
  const auto hosts = credential_hosts(settings, uri);
  const auto place = std::string{"--users"};
  std::vector<std::shared_ptr<const call_target>> targets;
  const size_t rows = settings.users ? settings.users->size() : 1;
  targets.reserve(rows);
  const auto target_uri = sip::uri::parse(uri);
  for (size_t row = 0; row < rows; ++row) {
    auto target = std::make_shared<call_target>();
    target->uri = uri;
    if (auto own = sounds.of(row); !own)
      return tl::unexpected{std::move(own.error())};
    else
      target->audio = std::move(*own);
    auto digits = digits_of(settings, row);
    if (!digits)
      return tl::unexpected{std::move(digits.error())};
    target->digits = std::move(*digits);
    std::string user = "jackfield";
    std::string password = settings.auth_password;
    std::string auth_user = settings.auth_user;
    std::string domain = local.host();
    if (settings.users) {
      const auto& table = *settings.users;
      user = *table.field(row, "user");
      auth_user = table.field(row, "auth_user").value_or(user);
      password = table.field(row, "password").value_or(settings.auth_password);
      domain = std::string{target_uri->opaque()};
      if (const auto at = domain.find('@'); at != std::string::npos)
        domain.erase(0, at + 1);
      domain = domain.substr(0, domain.find_first_of(";?"));
      domain = table.field(row, "domain").value_or(domain);
      if (const auto to = table.field(row, "to"); to && !to->empty())
        target->uri = with_user(uri, *to);
    }
    auto from = "sip:" + sip::escape_user(user) + "@" + domain;
    if (!settings.from.empty()) {
      if (settings.users) {
        auto filled = settings.users->fill("--from", settings.from, row);
        if (!filled)
          return tl::unexpected{std::move(filled.error())};
        from = std::move(*filled);
      } else {
        from = settings.from;
      }
      if (const auto parsed = sip::uri::parse(from); !parsed)
        return fail("--from", "\"" + from + "\" is no URI, expected sip:user@host");
    }
    target->from = "<" + from + ">";
    if (settings.users)
      if (const auto display = settings.users->field(row, "display");
          display && !display->empty()) {
        std::string quoted;
        for (const char c : *display) {
          if (c == '"' || c == '\\')
            quoted += '\\';
          quoted += c;
        }
        target->from = "\"" + quoted + "\" " + target->from;
      }
    if (!settings.route.empty())
      target->route = "<" + settings.route + ">";
    for (const auto& line : settings.headers) {
      if (settings.users) {
        auto filled = settings.users->fill("--header", line, row);
        if (!filled)
          return tl::unexpected{std::move(filled.error())};
        target->headers += *filled;
      } else {
        target->headers += line;
      }
      target->headers += "\r\n";
    }
    if (!auth_user.empty() && !password.empty())
      target->credentials.emplace_back(auth_user, "*", password, hosts);
    targets.push_back(std::move(target));
  }
  return targets;
}

result<std::shared_ptr<const load_plan>>
make_plan(const load_settings& settings, std::vector<std::shared_ptr<const call_target>> targets) {
  auto plan = std::make_shared<load_plan>();
  plan->flow = settings.flow;
  plan->arrivals = settings.arrivals;
  plan->limit = settings.limit;
  plan->waits_when_full = settings.waits_when_full;
  plan->start_within = settings.start_within;
  plan->length = settings.length;
  plan->seed = settings.seed;
  plan->targets = std::move(targets);
  plan->random_target =
    settings.users && settings.users->pick() == scenario::user_table::order::random;
  plan->expires = settings.expires;
  plan->refreshes = settings.refreshes;
  plan->register_retries = settings.register_retries;
  plan->stay = settings.flow == load_flow::register_ && settings.refreshes > 0
                 ? lane::duration::zero()
                 : settings.length.mean;
  plan->call_lines = settings.call_lines;
  plan->trace = settings.trace;
  if (settings.flow == load_flow::register_ && settings.arrivals.calls &&
      *settings.arrivals.calls > plan->targets.size() && settings.users)
    return fail("--calls", std::to_string(*settings.arrivals.calls) +
                             " registrations, but --users has only " +
                             std::to_string(plan->targets.size()));
  return plan;
}

std::shared_ptr<const call_manner>
make_manner(const load_settings& settings, const transport::target_selection& servers,
            std::shared_ptr<const transport::open_settings> connections,
            std::shared_ptr<const audio_settings> audio, const lane::endpoint& media_address) {
  auto manner = std::make_shared<call_manner>();
  manner->servers = servers;
  manner->connections = std::move(connections);
  describe_codecs(manner->capabilities, settings.codecs, settings.opus);
  manner->capabilities.ptime_ms = static_cast<uint8_t>(settings.ptime_ms);
  manner->capabilities.rtcp_mux = true;
  if (audio)
    require_protection(manner->capabilities, settings.protection);
  else
    manner->capabilities.wanted = sdp::direction::inactive;
  manner->audio = std::move(audio);
  manner->offer =
    std::make_shared<sdp::offer_template>(media_address.address(), manner->capabilities);
  manner->inactive_port = settings.first_media_port;
  manner->delayed_offer = settings.delayed_offer;
  manner->dials_by = settings.dtmf_by;
  manner->callee_hangs_up = settings.callee_hangs_up;
  manner->steps = settings.steps;
  manner->ringing_limit = settings.ringing_limit;
  return manner;
}

result<std::shared_ptr<const transport::open_settings>>
make_connections(const load_settings& settings, const std::string& uri,
                 const std::string& trusted_pem) {
  auto connections = std::make_shared<transport::open_settings>();
  const auto parsed = sip::uri::parse(settings.route.empty() ? uri : settings.route);
  connections->server_name = std::string{parsed->host()};
  connections->ws.path = settings.ws_path;
  connections->share = !settings.own_connections;
  if (transport::is_secure(settings.transport)) {
    transport::tls_settings tls;
    tls.verify = settings.verify;
    tls.ca_file = settings.ca_file;
    tls.certificate_file = settings.certificate_file;
    tls.key_file = settings.key_file;
    tls.trusted_pem = trusted_pem;
    auto context = transport::tls_context::make(transport::tls_context::role::client, tls);
    if (!context)
      return tl::unexpected{std::move(context.error())};
    connections->tls = std::move(*context);
  }
  return connections;
}

result<std::shared_ptr<const audio_settings>> make_audio(const load_settings& settings) {
  if (!settings.rtp || settings.flow != load_flow::call)
    return std::shared_ptr<const audio_settings>{};
  auto audio = std::make_shared<audio_settings>();
  audio->mode = settings.mode;
  audio->source = settings.source;
  audio->opus = settings.opus;
  audio->listens = settings.listens;
  audio->expects = settings.expects;
  if (settings.sounds.empty())
    if (auto encoded = encode(settings, *audio); !encoded)
      return tl::unexpected{std::move(encoded.error())};
  return audio;
}

} // namespace jackfield

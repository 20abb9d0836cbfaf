#include "app/load_setup.hpp"

#include <future>
#include <utility>

#include "actors/node.hpp"
#include "engine/lane/source_address.hpp"
#include "engine/sip/uri.hpp"
#include "engine/transport/resolver.hpp"

namespace jackfield::app {

namespace {

audio::codec codec_named(const std::string& name) {
  return name == "PCMA" ? audio::codec::pcma : audio::codec::pcmu;
}

/// The host that credentials are for: digest is answered to the target and the outbound proxy only.
std::vector<std::string> credential_hosts(const load_options& options, const std::string& uri) {
  std::vector<std::string> hosts;
  for (const auto& text : {uri, options.route})
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

} // namespace

result<transport::target_selection> find_target(const load_options& options) {
  const auto& text = options.route.empty() ? *options.uri : options.route;
  const auto uri = sip::uri::parse(text);
  transport::resolve_request request;
  request.host = std::string{uri->host()};
  request.port = uri->port();
  request.secure = uri->kind() == sip::scheme::sips;
  request.protocol = options.transport;
  node_settings settings;
  settings.media.address = lane::endpoint::loopback_v4(0);
  auto bootstrap = node::make(settings);
  if (!bootstrap)
    return tl::unexpected{std::move(bootstrap.error())};
  auto& context = (*bootstrap)->context(0);
  std::promise<result<transport::target_selection>> answered;
  transport::resolver::pending pending;
  context.home.post([&] {
    pending = context.router.resolver().resolve(
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
make_targets(const load_options& options, const std::string& uri, const lane::endpoint& local) {
  const auto hosts = credential_hosts(options, uri);
  const auto place = std::string{"--users"};
  std::vector<std::shared_ptr<const call_target>> targets;
  const size_t rows = options.users ? options.users->size() : 1;
  targets.reserve(rows);
  const auto target_uri = sip::uri::parse(uri);
  for (size_t row = 0; row < rows; ++row) {
    auto target = std::make_shared<call_target>();
    target->uri = uri;
    target->digits = options.digits;
    std::string user = "jackfield";
    std::string password = options.auth_password;
    std::string auth_user = options.auth_user;
    std::string domain = local.host();
    if (options.users) {
      const auto& table = *options.users;
      user = *table.field(row, "user");
      auth_user = table.field(row, "auth_user").value_or(user);
      password = table.field(row, "password").value_or(options.auth_password);
      domain = std::string{target_uri->opaque()};
      if (const auto at = domain.find('@'); at != std::string::npos)
        domain.erase(0, at + 1);
      domain = domain.substr(0, domain.find_first_of(";?"));
      domain = table.field(row, "domain").value_or(domain);
      if (const auto to = table.field(row, "to"); to && !to->empty())
        target->uri = with_user(uri, *to);
    }
    auto from = "sip:" + sip::escape_user(user) + "@" + domain;
    if (!options.from.empty()) {
      if (options.users) {
        auto filled = options.users->fill("--from", options.from, row);
        if (!filled)
          return tl::unexpected{std::move(filled.error())};
        from = std::move(*filled);
      } else {
        from = options.from;
      }
      if (const auto parsed = sip::uri::parse(from); !parsed)
        return fail("--from", "\"" + from + "\" is no URI, expected sip:user@host");
    }
    target->from = "<" + from + ">";
    if (options.users)
      if (const auto display = options.users->field(row, "display"); display && !display->empty()) {
        std::string quoted;
        for (const char c : *display) {
          if (c == '"' || c == '\\')
            quoted += '\\';
          quoted += c;
        }
        target->from = "\"" + quoted + "\" " + target->from;
      }
    if (!options.route.empty())
      target->route = "<" + options.route + ">";
    for (const auto& line : options.headers) {
      if (options.users) {
        auto filled = options.users->fill("--header", line, row);
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
make_plan(const load_options& options, std::vector<std::shared_ptr<const call_target>> targets) {
  auto plan = std::make_shared<load_plan>();
  plan->flow = options.flow;
  plan->arrivals = options.arrivals;
  plan->limit = options.limit;
  plan->length = options.length;
  plan->seed = options.seed;
  plan->targets = std::move(targets);
  plan->random_target =
    options.users && options.users->pick() == scenario::user_table::order::random;
  plan->expires = options.expires;
  plan->refreshes = options.refreshes;
  plan->stay = options.flow == load_flow::register_ && options.refreshes > 0
                 ? lane::duration::zero()
                 : options.length.mean;
  plan->call_lines = !options.calls_file.empty();
  if (options.flow == load_flow::register_ && options.arrivals.calls &&
      *options.arrivals.calls > plan->targets.size() && options.users)
    return fail("--calls", std::to_string(*options.arrivals.calls) +
                             " registrations, but --users has only " +
                             std::to_string(plan->targets.size()));
  return plan;
}

std::shared_ptr<const call_manner>
make_manner(const load_options& options, const transport::target& target,
            std::shared_ptr<const transport::open_settings> connections,
            std::shared_ptr<const audio_settings> audio, const lane::endpoint& media_address) {
  auto manner = std::make_shared<call_manner>();
  manner->target = target;
  manner->connections = std::move(connections);
  manner->capabilities.codecs.clear();
  for (const auto& name : options.codecs)
    manner->capabilities.codecs.push_back(name == "PCMA" ? sdp::pcma() : sdp::pcmu());
  manner->capabilities.codecs.push_back(sdp::telephone_event());
  manner->capabilities.ptime_ms = static_cast<uint8_t>(options.ptime_ms);
  manner->capabilities.rtcp_mux = true;
  if (!audio)
    manner->capabilities.wanted = sdp::direction::inactive;
  manner->audio = std::move(audio);
  manner->offer =
    std::make_shared<sdp::offer_template>(media_address.address(), manner->capabilities);
  manner->inactive_port = options.first_media_port;
  manner->delayed_offer = options.delayed_offer;
  manner->ringing_limit = options.ringing_limit;
  return manner;
}

result<std::shared_ptr<const transport::open_settings>>
make_connections(const load_options& options, const std::string& uri,
                 const std::string& trusted_pem) {
  auto connections = std::make_shared<transport::open_settings>();
  const auto parsed = sip::uri::parse(options.route.empty() ? uri : options.route);
  connections->server_name = std::string{parsed->host()};
  connections->ws.path = options.ws_path;
  if (transport::is_secure(options.transport)) {
    transport::tls_settings tls;
    tls.verify = options.verify;
    tls.ca_file = options.ca_file;
    tls.certificate_file = options.certificate_file;
    tls.key_file = options.key_file;
    tls.trusted_pem = trusted_pem;
    auto context = transport::tls_context::make(transport::tls_context::role::client, tls);
    if (!context)
      return tl::unexpected{std::move(context.error())};
    connections->tls = std::move(*context);
  }
  return connections;
}

result<std::shared_ptr<const audio_settings>> make_audio(const load_options& options) {
  if (!options.rtp || options.flow != load_flow::call)
    return std::shared_ptr<const audio_settings>{};
  auto audio = std::make_shared<audio_settings>();
  audio->mode = options.mode;
  audio->source = options.source;
  for (const auto& name : options.codecs)
    if (auto encoded = audio->cache->get(options.source, codec_named(name),
                                         std::chrono::milliseconds{options.ptime_ms});
        !encoded)
      return tl::unexpected{std::move(encoded.error())};
  return audio;
}

} // namespace jackfield::app

#include "app/centre_trunks_config.hpp"

#include <algorithm>
#include <memory>
#include <utility>

#include "engine/sip/uri.hpp"
#include "engine/transport/tls_context.hpp"

namespace jackfield::app {

namespace {

constexpr std::string_view number_characters = "0123456789*#";

result<std::string> read_digits(std::string_view key, const std::string& text) {
  const auto rest = std::string_view{text}.substr(text.starts_with('+') ? 1 : 0);
  if (rest.find_first_not_of(number_characters) == std::string_view::npos)
    return text;
  return fail(std::string{key},
              "\"" + text + "\" is no number, expected digits, '*' and '#', perhaps after a '+'");
}

bool is_plain(std::string_view text) {
  return std::ranges::none_of(text, [](char c) { return static_cast<unsigned char>(c) < ' '; });
}

class trunks_reading {
public:
  trunks_reading(config_reader& in, centre_plan& plan) : in_(in), plan_(plan) {}

  void read_trunk(const toml::table& one);
  void read_route(const toml::table& one);

private:
  void read_server(const toml::table& one, trunk_profile& trunk);
  void read_access(const toml::table& one, trunk_profile& trunk);

  config_reader& in_;
  centre_plan& plan_;
};

/// Where it is, and who we are there.
void trunks_reading::read_server(const toml::table& one, trunk_profile& trunk) {
  if (one.get("uri") == nullptr)
    in_.fault(one, "uri", "is missing, expected uri = \"sip:sip.example.com\"");
  in_.parsed(one, "uri", trunk.uri, [](const std::string& s) -> result<std::string> {
    const auto uri = sip::uri::parse(s);
    const auto over = uri ? uri->parameter("transport") : std::nullopt;
    if (!uri || !uri->is_sip() || !uri->user().empty() || !uri->headers().empty() ||
        (over && *over != "udp" && *over != "tcp" && *over != "tls"))
      return fail("uri", "\"" + s +
                           "\" is no server, expected sip:sip.example.com, perhaps with a "
                           "port and ;transport=udp, tcp or tls");
    return s;
  });
  const auto uri = sip::uri::parse(trunk.uri);
  if (!uri)
    return;
  trunk.user = in_.text(one, "user").value_or("");
  const auto password = in_.text(one, "password");
  const auto realm = in_.text(one, "realm");
  if (trunk.user.empty() && (password || one.get("register") != nullptr))
    in_.fault(one, "user", "is missing, expected one who registers, or has the password");
  if (!password && realm)
    in_.fault(*one.get("realm"), "realm", "is of a password, expected one");
  if (password)
    trunk.credentials.emplace_back(trunk.user, realm.value_or("*"), *password,
                                   std::vector{std::string{uri->host()}});
  const bool secure = uri->kind() == sip::scheme::sips || uri->parameter("transport") == "tls";
  const auto authorities = in_.text(one, "ca");
  if (authorities && !secure)
    in_.fault(*one.get("ca"), "ca", "is of TLS, expected uri = \"sip:...;transport=tls\"");
  if (!secure)
    return;
  transport::tls_settings tls;
  if (authorities)
    tls.ca_file = in_.beside(*authorities);
  auto context = transport::tls_context::make(transport::tls_context::role::client, tls);
  if (!context) {
    in_.fault(one, "ca", context.error().to_string());
    return;
  }
  auto connections = std::make_shared<transport::open_settings>();
  connections->server_name = std::string{uri->host()};
  connections->tls = std::move(*context);
  trunk.connections = std::move(connections);
}

/// Which calls are its, and what they may.
void trunks_reading::read_access(const toml::table& one, trunk_profile& trunk) {
  for (const auto& each : in_.texts(one, "from")) {
    const auto range = lane::address_range::parse(each);
    if (!range)
      in_.fault(*one.get("from"), "from", range.error().cause);
    else if (range->is_everything())
      in_.fault(*one.get("from"), "from",
                "\"" + each + "\" is everybody, expected whose calls need no password");
    else
      trunk.from.push_back(*range);
  }
  for (const auto& each : in_.texts(one, "allow"))
    if (each == "agents")
      trunk.reaches_agents = true;
    else if (each == "routes")
      trunk.reaches_trunks = true;
    else
      in_.fault(*one.get("allow"), "allow",
                "\"" + each + "\" is unknown, expected [\"agents\", \"routes\"] or one of them");
  if ((trunk.reaches_agents || trunk.reaches_trunks) && trunk.from.empty())
    in_.fault(*one.get("allow"), "allow", "is of calls that come, expected from = [\"192.0.2.1\"]");
  in_.number(one, "most_calls", trunk.most_calls, 1, 1'000'000);
}

void trunks_reading::read_trunk(const toml::table& one) {
  in_.allow(one, "[[trunk]]",
            {"name", "uri", "user", "password", "realm", "register", "expires", "options_every",
             "from", "allow", "most_calls", "caller", "ca"});
  const auto name = in_.text(one, "name");
  if (!name) {
    if (one.get("name") == nullptr)
      in_.fault(one, "name", "is missing, expected name = \"...\"");
    return;
  }
  if (std::ranges::find(plan_.trunks, *name, &trunk_profile::name) != plan_.trunks.end()) {
    in_.fault(*one.get("name"), "name", "\"" + *name + "\" is a trunk already");
    return;
  }
  trunk_profile trunk;
  trunk.name = *name;
  read_server(one, trunk);
  read_access(one, trunk);
  in_.flag(one, "register", trunk.registers);
  in_.number(one, "expires", trunk.expires, 60, 86'400);
  in_.time(one, "options_every", trunk.options_every);
  if (trunk.options_every != lane::duration::zero() &&
      trunk.options_every < std::chrono::seconds{5})
    in_.fault(*one.get("options_every"), "options_every", "expected 5s or more");
  if (const auto caller = in_.text(one, "caller")) {
    trunk.caller = *caller;
    if (!is_plain(*caller))
      in_.fault(*one.get("caller"), "caller", "has control characters");
  }
  plan_.trunks.push_back(std::move(trunk));
}

void trunks_reading::read_route(const toml::table& one) {
  in_.allow(one, "[[route]]", {"prefix", "trunks", "strip", "prepend"});
  outside_route route;
  if (one.get("prefix") == nullptr)
    in_.fault(one, "prefix", "is missing, expected how numbers begin: prefix = \"+\"");
  in_.parsed(one, "prefix", route.prefix,
             [](const std::string& s) { return read_digits("prefix", s); });
  in_.parsed(one, "prepend", route.prepend,
             [](const std::string& s) { return read_digits("prepend", s); });
  in_.number(one, "strip", route.strip, 0, 40);
  if (std::ranges::find(plan_.routes, route.prefix, &outside_route::prefix) != plan_.routes.end())
    in_.fault(one, "prefix", "\"" + route.prefix + "\" has a route already");
  const auto trunks = in_.texts(one, "trunks");
  if (trunks.empty())
    in_.fault(one, "trunks", "is missing, expected trunks = [\"...\"], those to try first first");
  for (const auto& each : trunks) {
    const auto found = std::ranges::find(plan_.trunks, each, &trunk_profile::name);
    if (found == plan_.trunks.end())
      in_.fault(*one.get("trunks"), "trunks",
                "\"" + each + "\" is no trunk, expected the name of a [[trunk]]");
    else
      route.trunks.push_back(static_cast<size_t>(found - plan_.trunks.begin()));
  }
  plan_.routes.push_back(std::move(route));
}

} // namespace

void read_trunks(config_reader& in, const toml::table& all, centre_plan& plan) {
  trunks_reading reading{in, plan};
  if (const auto* const trunks = all.get("trunk"))
    in.each_table(*trunks, "trunk", [&](const toml::table& one) { reading.read_trunk(one); });
  if (const auto* const routes = all.get("route"))
    in.each_table(*routes, "route", [&](const toml::table& one) { reading.read_route(one); });
}

} // namespace jackfield::app

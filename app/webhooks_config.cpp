#include "app/webhooks_config.hpp"

#include <algorithm>
#include <string>
#include <utility>

#include "actors/centre/centre_events.hpp"
#include "app/http/token.hpp"
#include "app/webhooks/webhook_post.hpp"

namespace jackfield::app {

namespace {

using webhooks::webhook_settings;

constexpr size_t longest_name = 200; // bytes
constexpr size_t most_webhooks = 100;

/// Does an event's name begin so?
bool begins_a_name(const std::string& prefix) {
  for (unsigned kind = 0; kind <= UINT8_MAX; ++kind)
    if (const auto name = to_string(static_cast<centre_event::kind>(kind));
        !name.empty() && name.starts_with(prefix))
      return true;
  return false;
}

class webhooks_reading {
public:
  explicit webhooks_reading(config_reader& in) : in_(in) {}

  void read(const toml::table& one);

  std::vector<webhook_settings> made;

private:
  void read_url(const toml::table& one, webhook_settings& hook);
  void read_name(const toml::table& one, webhook_settings& hook);
  void read_secret(const toml::table& one, webhook_settings& hook);

  config_reader& in_;
};

void webhooks_reading::read_url(const toml::table& one, webhook_settings& hook) {
  if (one.get("url") == nullptr)
    in_.fault(one, "url", "is missing, expected url = \"https://example.com/path\"");
  in_.parsed(one, "url", hook.url,
             [](const std::string& s) { return webhooks::webhook_url::parse(s); });
  if (hook.url.host.empty())
    return;
  in_.flag(one, "insecure", hook.insecure);
  const auto authorities = in_.text(one, "ca_file");
  if (hook.url.secure) {
    if (hook.insecure)
      in_.fault(*one.get("insecure"), "insecure", "is of http: certificates are always checked");
    auto trusts =
      webhooks::trusted_authorities::read(authorities ? in_.beside(*authorities) : std::string{});
    if (trusts)
      hook.trusts = std::move(*trusts);
    else
      in_.fault(authorities ? *one.get("ca_file") : *one.get("url"), "ca_file",
                trusts.error().cause);
    return;
  }
  if (authorities)
    in_.fault(*one.get("ca_file"), "ca_file", "is of https, expected url = \"https://...\"");
  if (!hook.insecure && !hook.url.is_loopback())
    in_.fault(*one.get("url"), "url",
              "is plain http, and leads to others than this machine: expected https, or insecure "
              "= true");
}

void webhooks_reading::read_name(const toml::table& one, webhook_settings& hook) {
  hook.name = in_.text(one, "name").value_or(hook.url.host.empty() ? "" : hook.url.shown());
  if (hook.name.empty()) // that was told
    return;
  const toml::node& where = one.get("name") != nullptr ? *one.get("name") : one;
  if (hook.name.size() > longest_name || std::ranges::any_of(hook.name, [](char c) {
        return static_cast<unsigned char>(c) < ' ' || c == '\x7f';
      }))
    in_.fault(where, "name", "is no name, expected at most 200 bytes without control characters");
  if (std::ranges::find(made, hook.name, &webhook_settings::name) != made.end())
    in_.fault(where, "name",
              "\"" + hook.name + "\" is a webhook already, expected name = \"...\" of its own");
}

void webhooks_reading::read_secret(const toml::table& one, webhook_settings& hook) {
  const auto file = in_.text(one, "secret_file");
  if ((one.get("secret") != nullptr) == (one.get("secret_file") != nullptr)) {
    in_.fault(one, "secret",
              "or secret_file is expected, one of them: \"whsec_\" and the base64 of 24 to 64 "
              "random bytes");
    return;
  }
  if (!file) {
    in_.parsed(one, "secret", hook.secret,
               [](const std::string& s) { return webhooks::read_webhook_secret(s); });
    return;
  }
  const auto said = http::read_token(in_.beside(*file));
  const auto secret = said ? webhooks::read_webhook_secret(*said) : tl::unexpected{said.error()};
  if (secret)
    hook.secret = *secret;
  else
    in_.fault(*one.get("secret_file"), "secret_file", secret.error().cause);
}

void webhooks_reading::read(const toml::table& one) {
  in_.allow(one, "[[webhook]]",
            {"name", "url", "secret", "secret_file", "events", "ca_file", "insecure"});
  webhook_settings hook;
  read_url(one, hook);
  read_name(one, hook);
  read_secret(one, hook);
  hook.events = in_.texts(one, "events");
  for (const auto& each : hook.events)
    if (each.empty() || !begins_a_name(each))
      in_.fault(*one.get("events"), "events",
                "\"" + each +
                  "\" is no event and begins none, expected such as \"call.completed\" "
                  "or \"agent.\"");
  if (made.size() == most_webhooks)
    in_.fault(one, "webhook", "is one too many, expected 100 at most");
  made.push_back(std::move(hook));
}

} // namespace

std::vector<webhook_settings> read_webhooks(config_reader& in, const toml::table& all) {
  webhooks_reading reading{in};
  if (const auto* const hooks = all.get("webhook"))
    in.each_table(*hooks, "webhook", [&](const toml::table& one) { reading.read(one); });
  return std::move(reading.made);
}

} // namespace jackfield::app

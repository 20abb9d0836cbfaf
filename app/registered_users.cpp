#include "app/registered_users.hpp"

#include <algorithm>
#include <cstdio>
#include <unordered_set>
#include <utility>

#include "actors/load/answering_engine.hpp"
#include "actors/load/load_setup.hpp"
#include "app/option_reader.hpp"
#include "engine/lane/source_address.hpp"
#include "engine/sip/uri.hpp"

namespace jackfield::app {

namespace {

/// Users that are named one by one as they fail.
constexpr uint64_t most_named = 20;

} // namespace

result<registered_users> registered_users::prepare(const answer_options& options,
                                                   const std::string& trusted_pem) {
  registered_users made{options};
  const auto& settings = *options.registering;
  auto found = find_target(settings);
  if (!found)
    return fail("--register", found.error().to_string());
  made.servers_ = std::move(*found);
  made.local_ = settings.local;
  if (!made.local_.valid()) {
    auto source = lane::source_address_for(made.servers_.current().remote);
    if (!source)
      return fail("--register", source.error().to_string());
    made.local_ = *source;
  }
  auto connections = make_connections(settings, *settings.uri, trusted_pem);
  if (!connections)
    return tl::unexpected{std::move(connections.error())};
  made.connections_ = std::move(*connections);
  return made;
}

bool registered_users::listens_for_them() const {
  return std::any_of(
    options_->listening.at.begin(), options_->listening.at.end(), [&](const listen_at& at) {
      return at.protocol == options_->registering->transport && !at.address.is_unspecified();
    });
}

result<void> registered_users::open(node& engine, const std::vector<uint16_t>& former_ports) {
  const auto& settings = *options_->registering;
  const auto p = settings.transport;
  // Over TLS and WebSocket they are reached by their connection alone.
  const bool binds =
    (p == transport::protocol::udp || p == transport::protocol::tcp) && !listens_for_them();
  for (unsigned i = 0; i < engine.lanes(); ++i) {
    auto own = std::make_shared<transport::open_settings>(*connections_);
    if (settings.local.valid() && transport::is_reliable(p))
      own->local = local_.with_port(0);
    if (binds) {
      auto& context = engine.context(i);
      const auto former =
        settings.local_port == 0 && i < former_ports.size() ? former_ports[i] : uint16_t{0};
      auto bound =
        listen_on(context, p, local_.with_port(former != 0 ? former : settings.local_port));
      if (!bound && former != 0) // somebody has it now
        bound = listen_on(context, p, local_.with_port(0));
      if (!bound)
        return fail("--local-ip", bound.error().to_string());
      if (p == transport::protocol::udp)
        own->local = *bound;
    }
    of_lane_.push_back(std::move(own));
  }
  return {};
}

result<void> registered_users::read(const answer_manner& manner) {
  const auto& settings = *options_->registering;
  auto targets = make_targets(settings, *settings.uri, local_, manner.audio);
  if (!targets)
    return tl::unexpected{std::move(targets.error())};
  std::unordered_set<std::string> taken;
  for (size_t row = 0; row < targets->size(); ++row) {
    auto own = std::make_shared<call_target>(*(*targets)[row]);
    const auto name = *settings.users->field(row, "user");
    own->contact_user = sip::escape_user(name);
    while (!taken.insert(own->contact_user).second) // of another domain
      own->contact_user += "-" + std::to_string(row + 1);
    targets_.push_back(std::move(own));
  }
  directory_ = std::make_shared<const user_directory>(targets_);
  return {};
}

void registered_users::begin(node& engine, const std::vector<caf::actor>& services,
                             const caf::actor& watcher, const user_calls& calls) {
  if (!options_->quiet)
    std::fprintf(stderr, "registering %zu users at %s over %s\n", targets_.size(),
                 servers_.current().remote.to_string().c_str(),
                 std::string{transport::to_string(servers_.current().protocol)}.c_str());
  for (unsigned i = 0; i < services.size(); ++i) {
    register_users all;
    all.directory = directory_;
    all.manner = make_manner(*options_->registering, servers_, of_lane_.at(i), nullptr,
                             engine.context(i).media.address());
    all.expires = options_->registering->expires;
    all.rate = options_->register_rate;
    all.index = i;
    all.count = static_cast<unsigned>(services.size());
    all.alone = options_->listening.at.empty();
    all.watcher = caf::actor_cast<caf::strong_actor_ptr>(watcher);
    all.calls = calls;
    caf::anon_send(services[i], std::move(all));
  }
}

uint64_t registered_users::registered() const noexcept {
  uint64_t sum = 0;
  for (const auto& [index, lane] : standing_)
    sum += lane.registered;
  return sum;
}

void registered_users::on_standing(const users_standing& lane) {
  standing_[lane.index] = lane;
  users_standing sum;
  for (const auto& [index, one] : standing_) {
    sum.answered += one.answered;
    sum.registered += one.registered;
    sum.refused += one.refused;
  }
  const auto all = targets_.size();
  const bool stands = sum.registered + sum.refused == all;
  if (!complete_ ? sum.answered == all : stands && !all_) {
    complete_ = true;
    if (!options_->quiet) {
      if (failures_ > most_named)
        std::fprintf(stderr, "registration of %llu more failed\n",
                     static_cast<unsigned long long>(failures_ - most_named));
      std::fprintf(stderr, "registered %llu of %zu\n",
                   static_cast<unsigned long long>(sum.registered), all);
    }
    failures_ = 0;
  }
  all_ = stands;
}

void registered_users::on_failed(const user_failed& user) {
  if (++failures_ > most_named || options_->quiet)
    return;
  std::fprintf(stderr, "%s is not registered: %s%s\n", user.user.c_str(), user.why.text().c_str(),
               user.for_good ? "" : "; tries again");
}

} // namespace jackfield::app

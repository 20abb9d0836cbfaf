#include "tests/serving/phones.hpp"

#include <utility>
#include <vector>

#include <caf/send.hpp>

#include "actors/load/answering_engine.hpp"
#include "actors/load/load_setup.hpp"

namespace jackfield::tests {

namespace {

std::vector<std::shared_ptr<const call_target>> named(const load_settings& settings,
                                                      const lane::endpoint& local) {
  std::vector<std::shared_ptr<const call_target>> all;
  const auto targets = make_targets(settings, *settings.uri, local, nullptr).value();
  for (const auto& each : targets) {
    auto own = std::make_shared<call_target>(*each);
    own->contact_user = *settings.users->field(all.size(), "user");
    all.push_back(std::move(own));
  }
  return all;
}

} // namespace

phones::phones(const std::string& registrar, transport::protocol p,
               const scenario::user_table& users, const std::string& trusted_pem)
    : users_(users.size()) {
  const auto local = lane::endpoint::loopback_v4(0);
  load_settings settings;
  settings.flow = load_flow::register_;
  settings.uri = registrar;
  settings.transport = p;
  settings.users = users;
  const auto servers = find_target(settings).value();
  auto connections = std::make_shared<transport::open_settings>(
    *make_connections(settings, registrar, trusted_pem).value());

  node_settings wanted;
  wanted.media.address = local;
  wanted.webrtc.emplace();
  engine_ = node::make(wanted).value();
  auto& context = engine_->context(0);
  if (!transport::is_reliable(p))
    connections->local = listen_on(context, p, local).value();
  answering_settings answering;
  const auto services = start_answering(*engine_, answer_manner_of(answering, local, nullptr), {});
  self_.emplace(engine_->system());
  register_users all;
  all.directory = std::make_shared<const user_directory>(named(settings, local));
  all.manner = make_manner(settings, servers, std::move(connections), nullptr, local);
  all.alone = true;
  all.watcher = caf::actor_cast<caf::strong_actor_ptr>(*self_);
  caf::anon_send(services.front(), std::move(all));
  engine_->start();
}

phones::~phones() = default;

std::optional<std::string> phones::failure() {
  std::optional<std::string> why;
  uint64_t registered = 0;
  while (!why && registered < users_)
    (*self_)->receive([&](const users_standing& standing) { registered = standing.registered; },
                      [&](const user_failed& failed) { why = failed.why.text(); });
  return why;
}

} // namespace jackfield::tests

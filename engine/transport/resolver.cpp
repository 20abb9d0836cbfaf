#include "engine/transport/resolver.hpp"

#include <algorithm>
#include <array>
#include <utility>

#include "engine/transport/dns_client.hpp"

namespace jackfield::transport {

namespace {

/// Bounds on what one look-up follows and yields.
constexpr size_t max_services = 4;
constexpr size_t max_servers = 16;
constexpr size_t max_targets = 32;

constexpr std::string_view srv_prefix(protocol p) {
  return p == protocol::udp   ? "_sip._udp."
         : p == protocol::tcp ? "_sip._tcp."
         : p == protocol::tls ? "_sips._tcp."
                              : "";
}

// RFC 1035 §2.3.4, and nothing that is not a name: what comes here came from a URI.
bool is_host_name(std::string_view name) {
  if (!name.empty() && name.back() == '.')
    name.remove_suffix(1);
  if (name.empty() || name.size() > 253)
    return false;
  size_t label = 0;
  for (const char c : name) {
    if (c == '.') {
      if (label == 0)
        return false;
      label = 0;
      continue;
    }
    const bool fits = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
                      c == '-' || c == '_';
    if (!fits || ++label > 63)
      return false;
  }
  return label != 0;
}

} // namespace

/// What a look-up shares with its owner.
struct resolver::pending::token {
  callback done;
};

resolver::pending::pending(std::shared_ptr<token> t) noexcept : token_(std::move(t)) {}
resolver::pending::pending(pending&&) noexcept = default;

resolver::pending& resolver::pending::operator=(pending&& other) noexcept {
  if (this != &other) {
    if (token_)
      token_->done = nullptr;
    token_ = std::move(other.token_);
  }
  return *this;
}

resolver::pending::~pending() {
  if (token_)
    token_->done = nullptr;
}

bool resolver::pending::active() const noexcept {
  return token_ && token_->done;
}

class resolver::implementation {
public:
  implementation(lane::lane& home, const resolver_settings& settings)
      : home_(home), settings_(settings), dns_(home, settings) {}

  std::shared_ptr<pending::token> resolve(const resolve_request& request, callback done);

  dns_client& dns() noexcept { return dns_; }

private:
  /// A place in the order of trying: a host to be looked up, or what it was found to be.
  struct candidate {
    transport::protocol protocol = transport::protocol::udp;
    uint16_t port = 0;
    std::vector<lane::endpoint> addresses;
  };

  /// One look-up. Kept alive by the questions it waits for.
  struct lookup {
    lookup(implementation& owner, std::string name)
        : resolver(owner), host(std::move(name)), timer(&expire, this) {}
    static void expire(void* self) {
      auto& x = *static_cast<lookup*>(self);
      x.finish(fail(x.host, "DNS did not answer in time"));
    }
    void finish(result<target_selection> outcome) {
      timer.cancel();
      if (callback done = std::exchange(token->done, nullptr))
        done(std::move(outcome));
    }
    [[nodiscard]] bool over() const { return !token->done; }

    implementation& resolver;
    std::string host;
    std::shared_ptr<pending::token> token = std::make_shared<pending::token>();
    std::vector<service_choice> services; // SRV names in the order of trying
    std::vector<dns_answer> service_answers;
    std::vector<candidate> candidates;
    size_t open_questions = 0;
    bool explicit_service = false;      // no other service will do
    std::optional<candidate> otherwise; // the host itself, when there is no SRV record
    std::string failure;
    lane::timer timer;
  };
  using lookup_ptr = std::shared_ptr<lookup>;

  void ask_naptr(const lookup_ptr& x, bool secure);
  void ask_services(const lookup_ptr& x);
  void take_services(const lookup_ptr& x);
  void ask_hosts(const lookup_ptr& x, std::vector<std::string> names);
  static void conclude(const lookup_ptr& x);

  lane::lane& home_;
  const resolver_settings settings_;
  dns_client dns_;
};

std::shared_ptr<resolver::pending::token>
resolver::implementation::resolve(const resolve_request& request, callback done) {
  const auto x = std::make_shared<lookup>(*this, request.host);
  x->token->done = std::move(done);

  std::optional<protocol> wanted = request.protocol;
  if (request.secure && wanted) {
    if (*wanted == protocol::udp) {
      x->finish(fail(request.host, "a sips URI cannot be reached over UDP"));
      return x->token;
    }
    wanted = is_websocket(*wanted) ? protocol::wss : protocol::tls;
  }
  const protocol fallback = wanted.value_or(request.secure ? protocol::tls : protocol::udp);
  const uint16_t port = request.port != 0 ? request.port : default_port(fallback);

  if (const auto numeric = lane::endpoint::parse(request.host, port)) {
    x->finish(target_selection{{target{fallback, *numeric}}, request.host});
    return x->token;
  }
  if (!is_host_name(request.host)) {
    x->finish(fail(request.host, "not a host name"));
    return x->token;
  }
  home_.arm_in(x->timer, settings_.lookup_timeout);
  x->otherwise = candidate{fallback, port, {}};
  // RFC 3263 §4.1 and §4.2; WebSocket has no SRV service of its own (RFC 7118), and of a name that
  // this machine itself defines DNS knows nothing.
  if (request.port != 0 || (wanted && is_websocket(*wanted)) || dns_.is_local(x->host)) {
    x->candidates.push_back(*x->otherwise);
    ask_hosts(x, {x->host});
  } else if (wanted) {
    x->explicit_service = true;
    x->services.push_back({*wanted, std::string{srv_prefix(*wanted)} + x->host});
    ask_services(x);
  } else {
    ask_naptr(x, request.secure);
  }
  return x->token;
}

void resolver::implementation::ask_naptr(const lookup_ptr& x, bool secure) {
  dns_.ask(dns_client::kind::naptr, x->host, [x, secure](const dns_answer& answer) {
    if (x->over())
      return;
    x->services = choose_services(answer.services, secure, std::nullopt);
    x->explicit_service = !x->services.empty();
    // A server that cannot answer NAPTR may well answer SRV.
    if (x->services.empty()) {
      if (!secure) {
        for (const protocol p : {protocol::udp, protocol::tcp})
          x->services.push_back({p, std::string{srv_prefix(p)} + x->host});
      }
      x->services.push_back({protocol::tls, std::string{srv_prefix(protocol::tls)} + x->host});
    }
    if (x->services.size() > max_services)
      x->services.resize(max_services);
    x->resolver.ask_services(x);
  });
}

void resolver::implementation::ask_services(const lookup_ptr& x) {
  x->service_answers.resize(x->services.size());
  x->open_questions = x->services.size();
  for (size_t i = 0; i < x->services.size(); ++i)
    dns_.ask(dns_client::kind::srv, x->services[i].name, [x, i](const dns_answer& answer) {
      if (x->over())
        return;
      x->service_answers[i] = answer;
      if (--x->open_questions == 0)
        x->resolver.take_services(x);
    });
}

void resolver::implementation::take_services(const lookup_ptr& x) {
  std::vector<std::string> names;
  bool refused = false;
  for (size_t i = 0; i < x->services.size(); ++i) {
    dns_answer& answer = x->service_answers[i];
    if (!answer.failure.empty())
      x->failure = answer.failure;
    const bool any = !answer.servers.empty();
    const auto ordered =
      order_by_weight(std::move(answer.servers), [this] { return home_.random_unit(); });
    refused = refused || (any && ordered.empty());
    for (const srv_record& server : ordered) {
      if (names.size() == max_servers)
        break;
      if (server.port == 0 || !is_host_name(server.target))
        continue;
      names.push_back(server.target);
      x->candidates.push_back({x->services[i].protocol, server.port, {}});
    }
  }
  if (!names.empty()) {
    ask_hosts(x, std::move(names));
    return;
  }
  if (refused && x->explicit_service) {
    x->finish(fail(x->host, "its DNS says that it does not offer this service"));
    return;
  }
  // No SRV record: the host itself (RFC 3263 §4.2).
  x->candidates.push_back(*x->otherwise);
  ask_hosts(x, {x->host});
}

void resolver::implementation::ask_hosts(const lookup_ptr& x, std::vector<std::string> names) {
  x->open_questions = names.size();
  for (size_t i = 0; i < names.size(); ++i)
    dns_.ask(dns_client::kind::address, names[i], [x, i](const dns_answer& answer) {
      if (x->over())
        return;
      x->candidates[i].addresses = answer.addresses;
      if (!answer.failure.empty())
        x->failure = answer.failure;
      if (--x->open_questions == 0)
        conclude(x);
    });
}

void resolver::implementation::conclude(const lookup_ptr& x) {
  std::vector<target> targets;
  for (const candidate& c : x->candidates)
    for (const lane::endpoint& address : c.addresses) {
      const target t{c.protocol, address.with_port(c.port)};
      if (targets.size() < max_targets && !t.remote.is_forbidden_destination() &&
          std::find(targets.begin(), targets.end(), t) == targets.end())
        targets.push_back(t);
    }
  if (!targets.empty())
    x->finish(target_selection{std::move(targets), x->host});
  else
    x->finish(fail(x->host, x->failure.empty() ? "DNS knows no address for it"
                                               : "cannot be looked up: " + x->failure));
}

resolver::resolver(lane::lane& home, const resolver_settings& settings)
    : implementation_(std::make_unique<implementation>(home, settings)) {}

resolver::~resolver() = default;

resolver::pending resolver::resolve(const resolve_request& request, callback done) {
  return pending{implementation_->resolve(request, std::move(done))};
}

void resolver::add_host(const std::string& name, std::vector<lane::endpoint> addresses) {
  implementation_->dns().add_host(name, std::move(addresses));
}

size_t resolver::remembered() const noexcept {
  return implementation_->dns().remembered();
}

} // namespace jackfield::transport

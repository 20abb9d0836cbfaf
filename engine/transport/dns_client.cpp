#include "engine/transport/dns_client.hpp"

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <utility>

#include <ares.h>
#include <netdb.h>
#include <sys/eventfd.h>
#include <unistd.h>

namespace jackfield::transport {

namespace {

constexpr int class_in = 1;
constexpr int type_srv = 33;
constexpr int type_naptr = 35;
/// Records of one answer that are used; real ones have a handful.
constexpr size_t max_records = 64;

std::string in_lower_case(std::string text) {
  for (char& c : text)
    if (c >= 'A' && c <= 'Z')
      c = static_cast<char>(c + 32);
  return text;
}

std::string text_of(const unsigned char* text) {
  return text == nullptr ? std::string{} : std::string{reinterpret_cast<const char*>(text)};
}

uint32_t read16(const unsigned char* at) {
  return (uint32_t{at[0]} << 8U) | at[1];
}

/// The least TTL of an answer's records, in seconds. c-ares 1.18 does not tell it for SRV and
/// NAPTR. 0 if the message is not what c-ares has just parsed.
uint32_t least_ttl(const unsigned char* message, int length) {
  constexpr int header = 12;
  if (length < header)
    return 0;
  const unsigned questions = read16(message + 4);
  const unsigned answers = read16(message + 6);
  const unsigned char* at = message + header;
  const unsigned char* const end = message + length;
  const auto skip_name = [&] {
    char* name = nullptr;
    long encoded = 0;
    if (ares_expand_name(at, message, length, &name, &encoded) != ARES_SUCCESS)
      return false;
    ares_free_string(name);
    at += encoded;
    return true;
  };
  for (unsigned i = 0; i < questions; ++i) {
    if (!skip_name() || end - at < 4)
      return 0;
    at += 4;
  }
  uint32_t least = UINT32_MAX;
  for (unsigned i = 0; i < answers; ++i) {
    if (!skip_name() || end - at < 10)
      return 0;
    least = std::min(least, (read16(at + 4) << 16U) | read16(at + 6));
    const auto data = static_cast<std::ptrdiff_t>(read16(at + 8));
    at += 10;
    if (end - at < data)
      return 0;
    at += data;
  }
  return answers == 0 ? 0 : least;
}

/// "No such name" and "no such record" are answers; everything else is a failure to get one.
bool is_answer(int status) {
  return status == ARES_SUCCESS || status == ARES_ENODATA || status == ARES_ENOTFOUND;
}

lane::endpoint to_endpoint(int family, const void* address) {
  if (family == AF_INET) {
    sockaddr_in v4{};
    v4.sin_family = AF_INET;
    std::memcpy(&v4.sin_addr, address, sizeof v4.sin_addr);
    return lane::endpoint::from_sockaddr(reinterpret_cast<const sockaddr*>(&v4), sizeof v4);
  }
  sockaddr_in6 v6{};
  v6.sin6_family = AF_INET6;
  std::memcpy(&v6.sin6_addr, address, sizeof v6.sin6_addr);
  return lane::endpoint::from_sockaddr(reinterpret_cast<const sockaddr*>(&v6), sizeof v6);
}

lane::endpoint to_endpoint(const ares_addrinfo_node& node) {
  return lane::endpoint::from_sockaddr(node.ai_addr, node.ai_addrlen);
}

} // namespace

/// What c-ares calls. It does so from inside its own functions, so that answers are only put
/// aside here and delivered when c-ares has returned.
struct dns_client::hooks {
  static question& self(void* data) { return *static_cast<question*>(data); }

  static void socket_state(void* data, ares_socket_t fd, int readable, int writable) {
    auto* const client = static_cast<dns_client*>(data);
    // When c-ares closes the socket the lane forgets this function while it runs: nothing of it
    // may be used after `process`.
    auto watched = client->home_.watch(
      fd, readable != 0, writable != 0, [client, fd](bool can_read, bool can_write) {
        client->process(can_read ? fd : ARES_SOCKET_BAD, can_write ? fd : ARES_SOCKET_BAD);
      });
    if (!watched && client->unusable_.empty() && (readable != 0 || writable != 0))
      client->unusable_ = watched.error().to_string();
  }

  static void records(void* data, int status, int, unsigned char* message, int length) {
    question& q = self(data);
    if (status == ARES_SUCCESS)
      status = q.what == kind::srv ? read_srv(q, message, length) : read_naptr(q, message, length);
    if (status == ARES_SUCCESS)
      q.ttl = std::chrono::seconds{least_ttl(message, length)};
    if (!is_answer(status))
      q.answer.failure = ares_strerror(status);
    q.owner->answered(q);
  }

  static int read_srv(question& q, const unsigned char* message, int length) {
    ares_srv_reply* list = nullptr;
    const int status = ares_parse_srv_reply(message, length, &list);
    for (const ares_srv_reply* i = list; i != nullptr && q.answer.servers.size() < max_records;
         i = i->next)
      // The root, which says "no such service", is an empty name to c-ares.
      q.answer.servers.push_back(
        {i->priority, i->weight, i->port, i->host == nullptr || *i->host == '\0' ? "." : i->host});
    if (list != nullptr)
      ares_free_data(list);
    return status;
  }

  static int read_naptr(question& q, const unsigned char* message, int length) {
    ares_naptr_reply* list = nullptr;
    const int status = ares_parse_naptr_reply(message, length, &list);
    for (const ares_naptr_reply* i = list; i != nullptr && q.answer.services.size() < max_records;
         i = i->next)
      q.answer.services.push_back({i->order, i->preference, text_of(i->flags), text_of(i->service),
                                   i->replacement == nullptr ? "" : i->replacement});
    if (list != nullptr)
      ares_free_data(list);
    return status;
  }

  static void addresses(void* data, int status, int, ares_addrinfo* found) {
    question& q = self(data);
    if (status == ARES_SUCCESS) {
      int ttl = INT32_MAX;
      for (const ares_addrinfo_node* i = found->nodes;
           i != nullptr && q.answer.addresses.size() < max_records; i = i->ai_next) {
        if (const lane::endpoint address = to_endpoint(*i); address.valid()) {
          q.answer.addresses.push_back(address);
          ttl = std::min(ttl, i->ai_ttl);
        }
      }
      std::stable_partition(q.answer.addresses.begin(), q.answer.addresses.end(),
                            [](const lane::endpoint& x) { return x.is_v4(); });
      q.ttl = std::chrono::seconds{std::max(ttl, 0)};
    }
    if (found != nullptr)
      ares_freeaddrinfo(found);
    if (!is_answer(status))
      q.answer.failure = ares_strerror(status);
    q.owner->answered(q);
  }

  static void on_timer(void* data) {
    static_cast<dns_client*>(data)->process(ARES_SOCKET_BAD, ARES_SOCKET_BAD);
  }
  static void on_deliver(void* data) { static_cast<dns_client*>(data)->deliver(); }
};

dns_client::dns_client(lane::lane& home, const resolver_settings& settings)
    : home_(home), settings_(settings), timer_(&hooks::on_timer, this),
      deliverer_(&hooks::on_deliver, this) {
  if (auto started = start(); !started)
    unusable_ = started.error().to_string();
}

dns_client::~dns_client() {
  ending_ = true;
  if (channel_ != nullptr)
    ares_destroy(channel_);
}

result<void> dns_client::start() {
  constexpr const char* place = "DNS";
  // Without descriptors to watch c-ares would ask and never hear the answer.
  const int probe = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
  if (probe < 0)
    return fail_errno(place, "cannot make a descriptor", errno);
  auto watched = home_.watch(probe, true, false, [](bool, bool) {});
  if (watched)
    watched = home_.watch(probe, false, false, {});
  ::close(probe);
  if (!watched)
    return watched;

  // Once a process, before any other thread can be in c-ares: the language makes it so.
  static const int library = ares_library_init(ARES_LIB_INIT_ALL);
  if (library != ARES_SUCCESS)
    return fail(place, ares_strerror(library));
  ares_options options{};
  options.timeout = static_cast<int>(
    std::chrono::duration_cast<std::chrono::milliseconds>(settings_.query_timeout).count());
  options.tries = static_cast<int>(settings_.tries);
  options.sock_state_cb = &hooks::socket_state;
  options.sock_state_cb_data = this;
  int mask = ARES_OPT_TIMEOUTMS | ARES_OPT_TRIES | ARES_OPT_SOCK_STATE_CB;
#ifdef ARES_OPT_QUERY_CACHE   // 1.23 and later
  options.qcache_max_ttl = 0; // the resolver remembers, as long as it was told to
  mask |= ARES_OPT_QUERY_CACHE;
#endif
  std::string lookups = "b"; // given servers, and they alone, answer
  if (!settings_.servers.empty()) {
    options.lookups = lookups.data();
    mask |= ARES_OPT_LOOKUPS;
  }
  if (const int made = ares_init_options(&channel_, &options, mask); made != ARES_SUCCESS)
    return fail(place, ares_strerror(made));
  if (settings_.servers.empty())
    return {};
  std::string list;
  for (const lane::endpoint& server : settings_.servers)
    list += (list.empty() ? "" : ",") + server.to_string();
  if (const int set = ares_set_servers_ports_csv(channel_, list.c_str()); set != ARES_SUCCESS)
    return fail(place, "servers " + list + ": " + ares_strerror(set));
  return {};
}

void dns_client::add_host(const std::string& name, std::vector<lane::endpoint> addresses) {
  hosts_[in_lower_case(name)] = std::move(addresses);
}

bool dns_client::is_local(const std::string& name) {
  return !local_addresses(in_lower_case(name)).empty();
}

std::vector<lane::endpoint> dns_client::local_addresses(const std::string& name) {
  std::vector<lane::endpoint> found;
  const auto add = [&](const lane::endpoint& x) {
    if (x.is_v4() ? settings_.use_ipv4 : settings_.use_ipv6)
      found.push_back(x);
  };
  if (const auto told = hosts_.find(name); told != hosts_.end()) {
    std::for_each(told->second.begin(), told->second.end(), add);
  } else if (name == "localhost" || name.ends_with(".localhost")) {
    add(lane::endpoint::loopback_v4(0));
    add(lane::endpoint::loopback_v6(0));
  } else if (channel_ != nullptr && settings_.servers.empty()) {
    for (const int family : {AF_INET, AF_INET6}) {
      hostent* known = nullptr;
      if (ares_gethostbyname_file(channel_, name.c_str(), family, &known) != ARES_SUCCESS)
        continue;
      for (char** i = known->h_addr_list; *i != nullptr && found.size() < max_records; ++i)
        add(to_endpoint(family, *i));
      ares_free_hostent(known);
    }
  }
  return found;
}

void dns_client::ask(kind what, const std::string& name, callback done) {
  const std::string plain = in_lower_case(name);
  if (what == kind::address) {
    dns_answer local;
    local.addresses = local_addresses(plain);
    if (!local.addresses.empty()) {
      done(local);
      return;
    }
  }
  std::string key = std::to_string(static_cast<int>(what)) + plain;
  if (const auto known = cache_.find(key); known != cache_.end()) {
    if (home_.now() < known->second.expires) {
      const dns_answer answer = known->second.answer; // the callback may change the cache
      done(answer);
      return;
    }
    cache_.erase(known);
  }
  if (const auto same = questions_.find(key); same != questions_.end()) {
    same->second->waiting.push_back(std::move(done));
    return;
  }
  dns_answer failed;
  if (!unusable_.empty())
    failed.failure = unusable_;
  else if (questions_.size() >= max_questions)
    failed.failure = "too many questions under way";
  if (!failed.failure.empty()) {
    done(failed);
    return;
  }
  auto made = std::make_unique<question>();
  question& q = *made;
  q.owner = this;
  q.what = what;
  q.key = key;
  q.waiting.push_back(std::move(done));
  questions_.emplace(std::move(key), std::move(made));
  if (what == kind::address) {
    ares_addrinfo_hints hints{};
    hints.ai_flags = ARES_AI_NOSORT; // sorting would open sockets to see which routes exist
    hints.ai_family = settings_.use_ipv4 && settings_.use_ipv6 ? AF_UNSPEC
                      : settings_.use_ipv6                     ? AF_INET6
                                                               : AF_INET;
    ares_getaddrinfo(channel_, plain.c_str(), nullptr, &hints, &hooks::addresses, &q);
  } else {
    ares_query(channel_, plain.c_str(), class_in, what == kind::srv ? type_srv : type_naptr,
               &hooks::records, &q);
  }
  schedule();
}

void dns_client::answered(question& q) {
  if (ending_)
    return;
  const auto at = questions_.find(q.key);
  finished_.push_back(std::move(at->second));
  questions_.erase(at);
  remember(q);
  if (!deliverer_.armed())
    home_.arm(deliverer_, home_.now());
}

void dns_client::remember(const question& q) {
  if (!q.answer.failure.empty() || settings_.max_names == 0)
    return;
  const bool empty =
    q.answer.addresses.empty() && q.answer.servers.empty() && q.answer.services.empty();
  const lane::duration ttl =
    empty ? settings_.negative_ttl
          : std::clamp(q.ttl, std::min(lane::duration{std::chrono::seconds{1}}, settings_.max_ttl),
                       settings_.max_ttl);
  if (cache_.size() >= settings_.max_names) {
    const lane::time_point now = home_.now();
    std::erase_if(cache_, [now](const auto& x) { return x.second.expires <= now; });
    if (cache_.size() >= settings_.max_names)
      cache_.erase(cache_.begin());
  }
  cache_[q.key] = entry{q.answer, home_.now() + ttl};
}

void dns_client::process(int readable, int writable) {
  ares_process_fd(channel_, readable, writable);
  schedule();
  deliver();
}

void dns_client::deliver() {
  for (const auto& q : std::exchange(finished_, {}))
    for (const callback& done : q->waiting)
      done(q->answer);
}

void dns_client::schedule() {
  timeval buffer{};
  if (const timeval* next = ares_timeout(channel_, nullptr, &buffer); next != nullptr)
    home_.arm_in(timer_,
                 std::chrono::seconds{next->tv_sec} + std::chrono::microseconds{next->tv_usec});
  else
    timer_.cancel();
}

} // namespace jackfield::transport

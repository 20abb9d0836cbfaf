#pragma once

#include <chrono>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "engine/error/error.hpp"
#include "engine/lane/lane.hpp"
#include "engine/transport/target_selection.hpp"

namespace jackfield::transport {

struct resolver_settings {
  /// DNS servers; empty: the system's (/etc/resolv.conf).
  std::vector<lane::endpoint> servers;
  /// For one query of one server, and how often each server is asked.
  lane::duration query_timeout = std::chrono::seconds{2};
  unsigned tries = 2;
  /// For a whole look-up, however many queries it takes.
  lane::duration lookup_timeout = std::chrono::seconds{15};
  /// What is remembered: answers at least a second and at most this long whatever their TTL says,
  /// "no such name" for `negative_ttl`, and no more names than `max_names`.
  lane::duration max_ttl = std::chrono::minutes{5};
  lane::duration negative_ttl = std::chrono::seconds{10};
  size_t max_names = 1024;
  bool use_ipv4 = true;
  bool use_ipv6 = true;
};

/// What a SIP URI says about where to send (RFC 3263 §4).
struct resolve_request {
  /// A name or a numeric address, with or without brackets.
  std::string host;
  /// 0: none given.
  uint16_t port = 0;
  /// The transport parameter.
  std::optional<transport::protocol> protocol = std::nullopt;
  /// A sips URI: only TLS or WSS will do; TCP becomes TLS, WS becomes WSS, UDP fails.
  bool secure = false;
};

/// RFC 3263: from a URI's host to addresses and transports in the order of trying them. Never
/// blocks. Lives on its lane's thread. On a lane without descriptors (sim_lane) only numeric hosts
/// and what `add_host` told can be resolved.
class resolver {
public:
  /// Exactly one call for each look-up that is not cancelled. It may call the resolver, but not
  /// destroy it.
  using callback = std::function<void(result<target_selection>)>;

  /// A look-up under way; destroying it cancels it, and the callback is not called any more. May
  /// outlive the resolver.
  class pending {
  public:
    pending() = default;
    pending(pending&&) noexcept;
    pending& operator=(pending&&) noexcept;
    ~pending();
    [[nodiscard]] bool active() const noexcept;

  private:
    friend class resolver;
    struct token;
    explicit pending(std::shared_ptr<token> t) noexcept;
    std::shared_ptr<token> token_;
  };

  explicit resolver(lane::lane& home, const resolver_settings& settings = {});
  /// Ends all look-ups; callbacks are not called.
  ~resolver();
  resolver(const resolver&) = delete;
  resolver& operator=(const resolver&) = delete;

  /// Calls `done` before it returns if no question has to be asked (a numeric host, a remembered
  /// answer); the value returned is then inactive.
  [[nodiscard]] pending resolve(const resolve_request& request, callback done);

  /// Fixes the addresses of a name, in front of any DNS answer, as /etc/hosts does.
  void add_host(const std::string& name, std::vector<lane::endpoint> addresses);

  [[nodiscard]] size_t remembered() const noexcept;

private:
  class implementation;
  std::unique_ptr<implementation> implementation_;
};

} // namespace jackfield::transport

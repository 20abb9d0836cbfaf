#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "engine/lane/endpoint.hpp"
#include "engine/transport/protocol.hpp"

namespace jackfield::transport {

/// A NAPTR record (RFC 3403), as far as SIP needs it.
struct naptr_record {
  uint16_t order = 0;
  uint16_t preference = 0;
  std::string flags;
  std::string service; // "SIP+D2U"
  std::string replacement;
};

/// An SRV record (RFC 2782).
struct srv_record {
  uint16_t priority = 0;
  uint16_t weight = 0;
  uint16_t port = 0;
  std::string target;
};

/// What a NAPTR or the absence of one tells to ask next.
struct service_choice {
  transport::protocol protocol = transport::protocol::udp;
  /// The SRV name, "_sip._udp.example.com".
  std::string name;
};

/// The services of `records` that can be used, best first (RFC 3263 §4.1): order, then preference;
/// only flag "s"; only `sips` services if `secure`; only `wanted` if given.
[[nodiscard]] std::vector<service_choice>
choose_services(std::span<const naptr_record> records, bool secure, std::optional<protocol> wanted);

/// Puts records in the order of trying them (RFC 2782): by priority; within one priority at random
/// by weight. `random_unit` returns uniform numbers in [0, 1). Drops records whose target is ".",
/// which says "no such service".
[[nodiscard]] std::vector<srv_record> order_by_weight(std::vector<srv_record> records,
                                                      const std::function<double()>& random_unit);

/// Where a message may be sent.
struct target {
  transport::protocol protocol = transport::protocol::udp;
  lane::endpoint remote;
  friend bool operator==(const target&, const target&) = default;
};

/// Servers of one name in the order of trying them (RFC 3263 §4.3): take `current`, and on failure
/// (no connection, a timeout, 503) `advance` to the next. Copies share the servers, each has a
/// place of its own. Without servers it is exhausted.
class target_selection {
public:
  target_selection() = default;
  /// `host`: the name that was asked for, which a server's certificate must have.
  explicit target_selection(std::vector<target> targets, std::string host = {});
  target_selection(const target& only) : target_selection(std::vector{only}) {}

  [[nodiscard]] bool exhausted() const noexcept { return position_ >= all().size(); }
  /// Only if not exhausted.
  [[nodiscard]] const target& current() const { return servers_->targets.at(position_); }
  /// Back to the first.
  void restart() noexcept { position_ = 0; }
  /// Gives up on `current`; returns false if there is no other.
  bool advance() noexcept { return !exhausted() && ++position_ < all().size(); }
  [[nodiscard]] std::span<const target> all() const noexcept {
    return servers_ ? std::span<const target>{servers_->targets} : std::span<const target>{};
  }
  [[nodiscard]] std::string_view host() const noexcept {
    return servers_ ? std::string_view{servers_->host} : std::string_view{};
  }

private:
  struct servers {
    std::vector<target> targets;
    std::string host;
  };
  std::shared_ptr<const servers> servers_;
  size_t position_ = 0;
};

} // namespace jackfield::transport

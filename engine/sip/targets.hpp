#pragma once

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

#include "engine/error/error.hpp"
#include "engine/sip/message.hpp"
#include "engine/sip/ua.hpp"

namespace jackfield::sip {

/// Where requests go: what the requests out of dialog have in common.

/// Whom a request is sent to, and what the Contact that named it wants to stand in it.
struct request_target {
  std::string uri;
  std::string headers; ///< whole lines
};

/// The host of a SIP URI; empty if there is none.
[[nodiscard]] std::string_view host_of(std::string_view uri_text) noexcept;

/// The URI of the first of some Route values, which must route loosely.
[[nodiscard]] result<std::string_view> first_loose_route(std::string_view route);

/// Puts the Contacts of a 3xx behind `targets[current]`, best q first, without those that were
/// there before (RFC 3261 §8.1.3.4). False if that leaves none. Of the header fields in a Contact
/// those are taken that say nothing of who we are or where we go (§19.1.5): Subject, Priority and
/// "X-...", 1 KB in all. A Contact for another method than the request's is not followed.
bool insert_redirect_targets(const message& response, std::vector<request_target>& targets,
                             size_t current, size_t max_targets);

/// Seconds of a response's Retry-After; 0: it has none.
[[nodiscard]] unsigned retry_after_of(const message& response) noexcept;

/// Asks for another server in place of one that failed: by this response, or, null, by silence or
/// for want of a way (`ua_sink::next_server`).
[[nodiscard]] const ua_profile* another_server(ua_sink& sink, const message* failure);

} // namespace jackfield::sip

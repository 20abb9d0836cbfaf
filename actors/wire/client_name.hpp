#pragma once

#include <compare>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include <caf/allowed_unsafe_message_type.hpp>

#include "engine/transport/flow.hpp"

namespace jackfield {

/// The address of record of a SIP or SIPS URI in the one spelling that is compared: "user@host",
/// unescaped, the host in lower case. Nothing for other URIs.
[[nodiscard]] std::optional<std::string> address_of_record(std::string_view uri);

/// Whom a leg talks to, in words that the client's own REGISTER has, too. Who registers is asked
/// for credentials, and a Contact alone anybody could show: both have to be the same.
struct client_name {
  std::string address_of_record;
  std::string contact; ///< "user@host:port" of its Contact; port 0: none

  /// Nothing where the Contact's is no SIP URI.
  [[nodiscard]] static std::optional<client_name> of(std::string address_of_record,
                                                     std::string_view contact_uri);
  friend auto operator<=>(const client_name&, const client_name&) = default;
};

/// To a call's leg: its client, or one of that name, is reached this way from now on.
struct client_back {
  std::shared_ptr<const client_name> who;
  transport::flow way;
};

} // namespace jackfield

CAF_ALLOW_UNSAFE_MESSAGE_TYPE(jackfield::client_back)

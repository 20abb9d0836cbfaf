#include "actors/wire/client_name.hpp"

#include <utility>

#include "engine/sip/uri.hpp"

namespace jackfield {

namespace {

std::optional<std::string> user_and_host(const std::optional<sip::uri>& uri) {
  if (!uri || !uri->is_sip())
    return std::nullopt;
  auto out = sip::unescape(uri->user()) + "@";
  for (const char c : uri->host())
    out += static_cast<char>(c >= 'A' && c <= 'Z' ? c + ('a' - 'A') : c);
  return out;
}

} // namespace

std::optional<std::string> address_of_record(std::string_view uri) {
  return user_and_host(sip::uri::parse(uri));
}

std::optional<client_name> client_name::of(std::string address_of_record,
                                           std::string_view contact_uri) {
  const auto contact = sip::uri::parse(contact_uri);
  auto place = user_and_host(contact);
  if (!place)
    return std::nullopt;
  *place += ":" + std::to_string(contact->port());
  return client_name{std::move(address_of_record), std::move(*place)};
}

} // namespace jackfield

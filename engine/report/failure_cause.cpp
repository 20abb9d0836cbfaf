#include "engine/report/failure_cause.hpp"

#include <algorithm>
#include <array>
#include <charconv>
#include <string_view>
#include <utility>

namespace jackfield::report {

namespace {

struct own_text {
  std::string_view name;
  std::string_view text;
};

constexpr std::array<own_text, failure_cause::own_causes> own_texts{{
  {"none", "did not fail"},
  {"timeout", "no final response"},
  {"ring_timeout", "rang until the caller gave up"},
  {"cancelled", "the caller gave up before the answer"},
  {"no_ack", "our final response was never acknowledged"},
  {"bye_timeout", "no response to BYE"},
  {"dialog_gone", "the peer no longer knew the dialog"},
  {"early_hangup", "the peer hung up too early"},
  {"callee_stayed", "the peer was to hang up, and did not"},
  {"auth_failed", "authentication failed"},
  {"bad_answer", "unusable SIP response"},
  {"bad_sdp", "unusable session description"},
  {"no_media", "no packet arrived"},
  {"one_way_media", "audio in one direction only"},
  {"media_timeout", "the peer's audio stopped for too long"},
  {"dtmf_not_negotiated", "the peer takes no digits (telephone-event)"},
  {"not_heard", "what was to be heard was not"},
  {"media_setup", "media could not be set up"},
  {"ice_gathering", "ICE: no address of our own"},
  {"ice_checks", "ICE: no pair of addresses works"},
  {"ice_consent", "ICE: the peer no longer answers"},
  {"dtls_failed", "DTLS: handshake failed"},
  {"dtls_identity", "DTLS: not the announced certificate"},
  {"resolve_failed", "name could not be resolved"},
  {"connect_failed", "connection could not be established"},
  {"tls_failed", "TLS handshake or certificate rejected"},
  {"lapsed", "the binding lapsed before it was refreshed"},
  {"transport_error", "the connection broke or sending failed"},
  {"refused_locally", "refused by an overloaded lane of ours"},
  {"indeterminate", "how it went is not known: the engine ended first"},
  {"engine_restart", "was up when the engine ended"},
  {"not_recorded", "its state could not be written"},
  {"stopped", "the run was stopped"},
  {"internal", "internal error"},
}};

// RFC 3261 section 21 and the registry since; those that a caller meets.
constexpr std::array<std::pair<int, std::string_view>, 51> reasons{{
  {300, "Multiple Choices"},
  {301, "Moved Permanently"},
  {302, "Moved Temporarily"},
  {305, "Use Proxy"},
  {380, "Alternative Service"},
  {400, "Bad Request"},
  {401, "Unauthorized"},
  {402, "Payment Required"},
  {403, "Forbidden"},
  {404, "Not Found"},
  {405, "Method Not Allowed"},
  {406, "Not Acceptable"},
  {407, "Proxy Authentication Required"},
  {408, "Request Timeout"},
  {410, "Gone"},
  {412, "Conditional Request Failed"},
  {413, "Request Entity Too Large"},
  {414, "Request-URI Too Long"},
  {415, "Unsupported Media Type"},
  {416, "Unsupported URI Scheme"},
  {420, "Bad Extension"},
  {421, "Extension Required"},
  {422, "Session Interval Too Small"},
  {423, "Interval Too Brief"},
  {428, "Use Identity Header"},
  {430, "Flow Failed"},
  {433, "Anonymity Disallowed"},
  {439, "First Hop Lacks Outbound Support"},
  {480, "Temporarily Unavailable"},
  {481, "Call/Transaction Does Not Exist"},
  {482, "Loop Detected"},
  {483, "Too Many Hops"},
  {484, "Address Incomplete"},
  {485, "Ambiguous"},
  {486, "Busy Here"},
  {487, "Request Terminated"},
  {488, "Not Acceptable Here"},
  {491, "Request Pending"},
  {493, "Undecipherable"},
  {500, "Server Internal Error"},
  {501, "Not Implemented"},
  {502, "Bad Gateway"},
  {503, "Service Unavailable"},
  {504, "Server Time-out"},
  {505, "Version Not Supported"},
  {513, "Message Too Large"},
  {600, "Busy Everywhere"},
  {603, "Decline"},
  {604, "Does Not Exist Anywhere"},
  {606, "Not Acceptable"},
  {607, "Unwanted"},
}};

} // namespace

std::string failure_cause::name() const {
  if (code_ < own_causes)
    return std::string{own_texts[code_].name};
  return "sip_" + std::to_string(code_);
}

std::optional<failure_cause> failure_cause::from_name(std::string_view name) {
  if (name.empty() || name == "completed")
    return failure_cause{};
  for (uint16_t i = 0; i < own_causes; ++i)
    if (own_texts[i].name == name)
      return failure_cause{static_cast<own>(i)};
  int status = 0;
  if (!name.starts_with("sip_") ||
      std::from_chars(name.data() + 4, name.data() + name.size(), status).ptr !=
        name.data() + name.size() ||
      status < 300 || status > 699)
    return std::nullopt;
  return from_status(status);
}

std::string failure_cause::text() const {
  if (code_ < own_causes)
    return std::string{own_texts[code_].text};
  std::string result = std::to_string(code_);
  const auto known = std::ranges::find(reasons, status(), [](const auto& r) { return r.first; });
  if (known != reasons.end()) {
    result += ' ';
    result += known->second;
  }
  return result;
}

} // namespace jackfield::report

#pragma once

#include <cstdint>
#include <memory>
#include <string>

#include "engine/sip/method.hpp"
#include "engine/sip/response_text.hpp"
#include "engine/sip/session.hpp"
#include "engine/sip/transaction.hpp"
#include "engine/sip/ua.hpp"

namespace jackfield::sip {

// What a session has on the heap while something goes on in it; for its own sources only.

/// A request of ours with what is needed to send it again, also with credentials or after glare.
struct session::own_request {
  client_transaction transaction;
  method what = method::unknown;
  bool glare_retried = false;
  bool outdated = false;   // an offer, while another of the peer's was taken
  bool authorized = false; // it went with credentials
  uint8_t connections = 0; // were lost under it
  uint32_t cseq = 0;
  uint32_t counter = 0;
  uint32_t number = 0; // the user's: the first counter
  std::string text;    // for retransmission; empty if not needed
  std::string headers, body, content_type;
  time_point retry_at = never; // after 491
  std::unique_ptr<own_request> next;

  [[nodiscard]] bool offers() const noexcept {
    return what == method::invite || (what == method::update && !body.empty());
  }
  [[nodiscard]] bool pending() const noexcept {
    return transaction.awaits_final() || retry_at != never;
  }
};

struct session::offer {
  server_transaction transaction;
  method what = method::unknown;
  uint32_t cseq = 0;
  bool has_offer = false; // else we offer, and the ACK brings the answer
  bool open = false;      // the caller has not answered
  time_point limit_at = never;
  response_head head;
  std::string branch;
  std::string target; // Contact of the request, if it is accepted
  std::string text;   // the last response
  int status = 0;     // its
};

struct session::peer_request {
  server_transaction transaction;
  method what = method::unknown;
  bool open = true;          // not answered
  bool deferred = false;     // the user will answer later
  bool unknown_body = false; // of an INFO
  bool info_package = false; // RFC 6086
  int status = 0;            // of the response
  uint32_t cseq = 0;
  uint32_t number = 0;
  time_point limit_at = never;
  response_head head;
  std::string branch;
  std::string target; // UPDATE: its Contact
  std::string text;   // the response, for copies of the request
  std::unique_ptr<peer_request> next;
};

} // namespace jackfield::sip

#pragma once

#include <cstdint>
#include <deque>
#include <memory>
#include <string>

#include "engine/sip/invite_server.hpp"
#include "engine/sip/response_text.hpp"
#include "engine/sip/transaction.hpp"
#include "engine/sip/ua.hpp"

namespace jackfield::sip {

// For the sources of `invite_server` only.

/// Provisional responses that the caller has to acknowledge (RFC 3262 §3), one after the other.
struct invite_server::provisionals {
  struct held {
    int status;
    std::string headers, body, content_type;
  };

  uint32_t rseq;          // of the one sent last
  bool awaited = false;   // its PRACK has not come
  bool described = false; // it had a body
  bool offered = false;   // one with our offer was acknowledged, or is awaited
  duration interval{};
  time_point resend_at = never;
  time_point limit_at = never;
  std::deque<held> next;

  void settle() noexcept {
    awaited = false;
    resend_at = limit_at = never;
  }
  [[nodiscard]] bool holds_answer() const noexcept {
    return !next.empty() && next.back().status >= 200;
  }
};

/// What is needed until the ACK has come.
struct invite_server::setup {
  server_transaction transaction;
  response_head head;
  std::string branch;
  std::string contact;
  std::string text; // the last response; empty if it need not be sent again
  std::string bye_headers;
  time_point trying_at = never;
  int status = 0;
  end_cause why = end_cause::refused; // of a final failure
  bool has_offer = false;
  bool hang_up = false; // wanted, waits for the ACK
  bool reliably = false;
  std::unique_ptr<provisionals> reliable; // once there was one
};

} // namespace jackfield::sip

#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "engine/error/error.hpp"
#include "engine/sip/invite_client.hpp"
#include "engine/sip/session.hpp"
#include "engine/sip/targets.hpp"
#include "engine/sip/transaction.hpp"
#include "engine/sip/ua.hpp"

namespace jackfield::sip {

// For the sources of `invite_client` only.

/// What is needed until the INVITE is answered.
struct invite_client::setup {
  /// An early dialog.
  struct fork {
    uint64_t tag = 0;
    std::string text;               // the response that the session is made of when it is needed
    std::unique_ptr<session> early; // from then on
    uint32_t rseq = 0;              // of its last reliable response; 0: none
    uint32_t owed = 0;              // RSeq of the response whose offer waits for `acknowledge`
    bool has_target = false;
    bool answered = false; // the first offer is, reliably
  };

  std::string from, to, contact, route, headers, body, content_type;
  std::string next_route; // URI of the first route
  /// [0] is what was asked for, the rest came in 3xx; `target` is the one being tried.
  std::vector<request_target> targets;
  size_t target = 0;
  unsigned redirects = 0;
  std::vector<fork> forks;
  client_transaction invite;
  client_transaction cancel;
  std::string invite_text, cancel_text; // for retransmission
  std::string cancel_headers;
  uint64_t random = 0;
  uint32_t cseq = 0;
  uint32_t counter = 0; // of the branch, counts INVITEs
  unsigned max_forwards = 70;
  duration ringing_limit{};
  time_point give_up_at = never; // timer C, or after CANCEL 64*T1
  bool sent = false;
  bool provisional = false;
  bool ringing = false;
  bool hang_up = false; // wanted
  bool cancel_sent = false;
  bool hold_ack = false;
  bool taken_back = false; // the process that sent the INVITE is no more
  end_cause why = end_cause::cancelled;

  [[nodiscard]] std::string_view uri_text() const noexcept { return targets[target].uri; }
  [[nodiscard]] std::string_view next_hop() const noexcept {
    return next_route.empty() ? uri_text() : std::string_view(next_route);
  }
};

/// Checks what an INVITE and its CANCEL have in common: a URI that can be called, addresses without
/// tag (`to` may be empty), and a route whose first URI is returned; empty: none. No control
/// characters.
[[nodiscard]] result<std::string_view> check_addresses(std::string_view uri, std::string_view from,
                                                       std::string_view to, std::string_view route);

} // namespace jackfield::sip

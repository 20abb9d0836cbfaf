#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "tests/relay/path/relay.hpp" // owned_fd

namespace jackfield::tests {

/// Calls a server on 127.0.0.1 over UDP, one call at a time, and says what a test writes. Waits for
/// what comes for as long as that takes.
class raw_caller {
public:
  explicit raw_caller(uint16_t server);

  /// Whom it calls: "service" unless told.
  void set_callee(std::string_view user) { callee_ = user; }
  /// What it says of itself, From without a tag; "<sip:raw@ITS-ADDRESS>" unless told.
  void set_from(std::string_view value) { from_ = value; }

  /// Registers a user, for an hour, at this URI: the final response.
  std::string register_user(std::string_view user, std::string_view contact);
  /// Begins a call with this body, which may be empty: its final response.
  std::string invite(std::string_view body);
  /// Of the call that was accepted, perhaps with a body.
  void acknowledge(const std::string& accepted, std::string_view body = {});
  /// Waits for the server's BYE and confirms it.
  void wait_for_bye();
  /// Ends the call that was accepted: the response. A BYE of the server's own may come before.
  std::string hang_up();

private:
  /// `transaction`: of those with this CSeq.
  void send(std::string_view method, std::string_view transaction, std::string_view body);
  void send(std::string_view message);
  std::string receive();
  /// The next response to the latest request, requests of the server's being confirmed meanwhile.
  std::string wait_for_response();
  void confirm(const std::string& request);

  uint16_t server_;
  owned_fd socket_;
  std::string callee_ = "service";
  std::string from_;
  unsigned call_ = 0;
  unsigned cseq_ = 0;
  std::string to_; ///< of the call, with its tag once it is known
};

} // namespace jackfield::tests

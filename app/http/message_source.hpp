#pragma once

#include <memory>
#include <string>

#include "app/http/messages.hpp"

namespace jackfield::http {

/// What a WebSocket tells its client, one message after the other. On the server's thread.
class message_source {
public:
  virtual ~message_source() = default;
  /// `tell` is called once, from any thread, with the next message, which is an answer's body; or
  /// with a problem, and the socket is closed with its detail and 4000 more than its status. It is
  /// let go with this object, which may go first.
  virtual void next(reply tell) = 0;
};

/// A WebSocket that is to be opened.
struct opened_socket {
  std::unique_ptr<message_source> source; ///< null: none; the request is served as any other
  std::string subprotocol = {};           ///< that was chosen of those the client named
};

} // namespace jackfield::http

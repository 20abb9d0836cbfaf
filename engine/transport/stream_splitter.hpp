#pragma once

#include <functional>
#include <memory>
#include <string_view>

#include "engine/error/error.hpp"

namespace jackfield::transport {

/// What a `stream_splitter` finds.
class splitter_sink {
public:
  /// A whole message; the bytes are valid during the call. Returns false when the splitter is to
  /// stop: the connection ended meanwhile, and the rest of the bytes are to be forgotten.
  virtual bool on_message(std::string_view bytes) = 0;
  /// A CRLF between messages (RFC 5626 §3.5.1: two are a ping, one is a pong), once for each.
  /// Returns as above.
  virtual bool on_crlf() = 0;

protected:
  ~splitter_sink() = default;
};

/// Cuts one TCP or TLS connection's bytes into messages. The transports do not know the syntax of
/// messages, so the owner of a `transport_layer` brings this.
class stream_splitter {
public:
  virtual ~stream_splitter() = default;
  /// Takes the next bytes of the stream and tells `sink` what they complete. Fails when no message
  /// can be found any more (no usable length, a message too big); the connection is then closed.
  /// Bounds what it keeps by itself.
  virtual result<void> feed(std::string_view bytes, splitter_sink& sink) = 0;
  /// True while the beginning of a message waits for its rest.
  [[nodiscard]] virtual bool mid_message() const noexcept = 0;
};

/// Makes the splitter of a new connection.
using splitter_factory = std::function<std::unique_ptr<stream_splitter>()>;

} // namespace jackfield::transport

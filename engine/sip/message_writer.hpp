#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

#include "engine/sip/message.hpp"
#include "engine/sip/method.hpp"

namespace jackfield::sip {

/// The phrase of RFC 3261 §21 and the IANA registry; of the class ("Client Error") for a status
/// that has none of its own. Static.
[[nodiscard]] std::string_view reason_phrase(int status) noexcept;

/// The long name as registered ("Call-ID"); "" for `header::other`. Static.
[[nodiscard]] std::string_view to_string(header id) noexcept;

/// No CR, LF or NUL: nothing that could begin another field.
[[nodiscard]] bool is_safe_value(std::string_view value) noexcept;

/// Where a request came from, as its answer's topmost Via must say (RFC 3261 §18.2.1, RFC 3581).
struct packet_source {
  /// "192.0.2.1", "2001:db8::1": without brackets.
  std::string_view address;
  uint16_t port = 0;
};

/// Appends a message to a buffer of the caller's, which keeps its capacity from one message to the
/// next. CR, LF and NUL in what is given as a value are printed as spaces; names, `raw` and bodies
/// are printed as they are. A message is a start line, fields, and then one of the `end`s.
class message_writer {
public:
  explicit message_writer(std::string& out) noexcept : out_(out) {}

  void request_line(method what, std::string_view uri) { request_line(to_string(what), uri); }
  void request_line(std::string_view method_name, std::string_view uri);
  /// With the phrase of `reason_phrase` where `reason` is empty.
  void status_line(int status, std::string_view reason = {});

  void field(std::string_view name, std::string_view value);
  void field(header id, std::string_view value) { field(to_string(id), value); }
  void field(header id, uint64_t number);
  void cseq(uint32_t number, std::string_view method_name);
  /// Text that is known to be whole and safe lines, each ended by CRLF.
  void raw(std::string_view lines) { out_ += lines; }

  /// All that an answer to `request` copies (RFC 3261 §8.2.6.2): the status line, Via (the first
  /// with `received` and `rport` as `source` demands, in place of what the request says of them),
  /// From, To (with `to_tag` where it has none and `to_tag` is not empty), Call-ID and CSeq, and
  /// Record-Route where the answer may make a dialog (1xx but 100, and 2xx, to INVITE, SUBSCRIBE,
  /// REFER or NOTIFY). Folded values are unfolded.
  void response_head(const message& request, int status, std::string_view reason = {},
                     std::string_view to_tag = {}, const packet_source& source = {});

  /// Content-Length: 0 and the empty line.
  void end();
  /// Content-Type, Content-Length, the empty line and the body.
  void end(std::string_view content_type, std::string_view body);

  /// For a body that is printed straight into the buffer: Content-Length with room for five digits
  /// and the empty line. Give the result to `close_body` when the body is there.
  [[nodiscard]] size_t open_body(std::string_view content_type);
  void close_body(size_t opened) noexcept;

private:
  void value(std::string_view text);
  void unfolded(std::string_view text);
  void number(uint64_t n);
  void top_via(std::string_view whole, const message& request, const packet_source& source);

  std::string& out_;
};

} // namespace jackfield::sip

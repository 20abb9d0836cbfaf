#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string_view>
#include <vector>

#include "engine/sip/method.hpp"

namespace jackfield::sip {

/// Header fields that the engine reads; all others are `other`, kept in place and found by name.
/// Compact forms (RFC 3261 §7.3.3) and any letter case give the same identifier.
enum class header : uint8_t {
  other,
  via,
  from,
  to,
  call_id,
  cseq,
  contact,
  max_forwards,
  content_length,
  content_type,
  route,
  record_route,
  expires,
  min_expires,
  authorization,
  proxy_authorization,
  www_authenticate,
  proxy_authenticate,
  authentication_info,
  require,
  proxy_require,
  supported,
  unsupported,
  allow,
  accept,
  accept_encoding,
  content_encoding,
  content_disposition,
  retry_after,
  reason,
  subject,
  user_agent,
  server,
  warning,
  date,
  event,
  path,
  service_route,
  refer_to,
  referred_by,
  replaces,
  session_expires,
  min_se,
  rseq,
  rack,
  p_asserted_identity,
  count_
};

/// Begins the branches of RFC 3261 (§8.1.1.7); compared without case.
inline constexpr std::string_view branch_cookie = "z9hG4bK";

/// Bounds on what is accepted from outside; over a bound the message is faulty (513 or 400). Of a
/// response, header fields over the bound are left out instead: it is no reason to lose a call.
/// Contacts have no bound but the message's: a 200 to REGISTER lists all bindings (RFC 3261 §10.3).
struct message_limits {
  size_t message_bytes = 65'535;
  size_t headers = 256;
  size_t vias = 70;
  size_t routes = 32;
  size_t body_bytes = 65'535;
};

/// Why a message cannot be acted on as it stands, and the status to answer a request with.
/// Texts are static.
struct message_fault {
  int status = 0; // 400, 413, 416, 505, 513 ...
  std::string_view cause;
  header where = header::other;
};

/// One comma-separated value of a header is a `header_value`: where the header has several values
/// each is one.
struct header_field {
  header id = header::other;
  /// As received, without surrounding white space; folded lines stay folded.
  std::string_view name;
  std::string_view value;
};

/// How `message::parse` found the bytes.
enum class parse_verdict : uint8_t {
  /// A SIP message, well formed as far as the grammar of the start line and of the fields below.
  good,
  /// A SIP message with a fault. A request can still be answered with `fault().status` if
  /// `answerable()`; a faulty response is dropped.
  faulty,
  /// Nothing to answer: not SIP, or no Via to answer to.
  garbage,
  /// CRLF keep-alive of RFC 5626 §4.4.1 / RFC 3261 §7.5 (only line ends).
  keep_alive,
};

/// A SIP message parsed in one pass into a table of offsets over the caller's bytes.
///
/// The pass splits all header fields and decodes what routing needs: the top Via, the tags of From
/// and To, Call-ID, CSeq, Max-Forwards and Content-Length. Other fields are parsed when asked for,
/// by the functions of `fields.hpp`. All views point into the bytes given to `parse`, which must
/// outlive them. A `message` is reused: its table keeps its capacity from one parse to the next.
///
/// Decides, per RFC 3261 and the verdicts of RFC 4475, in `parse`: wrong version (505), missing or
/// repeated mandatory fields, CSeq out of range or method mismatch, Content-Length negative,
/// repeated or larger than a datagram, unterminated quotes, malformed Request-URI (400), limits.
/// What depends on what the receiver supports (unknown method 501, scheme 416, Require 420, body
/// type 415) is decided by `check_request` (request_check.hpp).
class message {
public:
  message();

  /// Parses one datagram or one framed message of a stream (`stream_framer`). With `datagram`,
  /// octets after Content-Length are ignored and a missing Content-Length means "to the end".
  parse_verdict parse(std::string_view bytes, bool datagram = true,
                      const message_limits& limits = {});

  [[nodiscard]] const message_fault& fault() const noexcept { return fault_; }
  /// A request, not ACK, that has the fields an answer must copy (Via, From, To, Call-ID, CSeq).
  [[nodiscard]] bool answerable() const noexcept;

  [[nodiscard]] std::string_view bytes() const noexcept { return bytes_; }

  // -- start line ---------------------------------------------------------------
  [[nodiscard]] bool is_request() const noexcept { return status_ == 0; }
  [[nodiscard]] bool is_response() const noexcept { return status_ != 0; }
  [[nodiscard]] method request_method() const noexcept { return method_; }
  /// As received, also where `request_method()` is unknown.
  [[nodiscard]] std::string_view method_name() const noexcept { return method_name_; }
  [[nodiscard]] std::string_view request_uri() const noexcept { return request_uri_; }
  /// 100..699, or 0 for a request.
  [[nodiscard]] int status() const noexcept { return status_; }
  [[nodiscard]] std::string_view reason_phrase() const noexcept { return reason_; }

  // -- what routing needs ---------------------------------------------------------
  /// Parameters of the topmost Via; views are unquoted and trimmed.
  struct via_top {
    std::string_view transport; // "UDP", as received
    std::string_view host;      // without brackets
    uint16_t port = 0;          // 0: absent
    std::string_view branch;
    bool has_rport = false;
    /// The whole value of the topmost Via, trimmed.
    std::string_view whole;
  };
  [[nodiscard]] const via_top& via() const noexcept { return via_; }
  [[nodiscard]] std::string_view from_tag() const noexcept { return from_tag_; }
  [[nodiscard]] std::string_view to_tag() const noexcept { return to_tag_; }
  [[nodiscard]] std::string_view call_id() const noexcept { return call_id_; }
  [[nodiscard]] uint32_t cseq_number() const noexcept { return cseq_number_; }
  /// Of the CSeq header: for a response, the method of its request.
  [[nodiscard]] method cseq_method() const noexcept { return cseq_method_; }
  [[nodiscard]] std::string_view cseq_method_name() const noexcept { return cseq_method_name_; }
  /// 70 where absent.
  [[nodiscard]] unsigned max_forwards() const noexcept { return max_forwards_; }
  [[nodiscard]] std::string_view body() const noexcept { return body_; }

  // -- header fields ----------------------------------------------------------------
  /// All fields in the order received.
  [[nodiscard]] const std::vector<header_field>& fields() const noexcept { return fields_; }
  /// The value of the first field, trimmed; empty if absent (see `has`). O(1).
  [[nodiscard]] std::string_view first(header id) const noexcept;
  [[nodiscard]] bool has(header id) const noexcept;
  /// For fields not in `header`; case-insensitive.
  [[nodiscard]] std::optional<std::string_view> find(std::string_view name) const noexcept;

  /// Calls `f(std::string_view value)` for every comma-separated value of every field `id` in
  /// order; commas in quotes and angle brackets do not separate. `f` returns false to stop.
  template <class F>
  void each_value(header id, F&& f) const;

private:
  void fail(int status, std::string_view cause, header where = header::other) noexcept;
  std::string_view take_line(std::string_view& rest) noexcept;
  bool parse_start_line(std::string_view& rest);
  bool parse_status_line(std::string_view line);
  bool parse_fields(std::string_view& rest, const message_limits& limits);
  /// May stand once only, of those that are looked at here.
  [[nodiscard]] static bool is_single(header id) noexcept;
  void read_field(header id, std::string_view value, bool repeated);
  static bool read_address(std::string_view value, std::string_view& tag);
  bool read_top_via(std::string_view value);
  bool read_cseq(std::string_view value);
  void finish(std::string_view rest, bool datagram, const message_limits& limits);

  std::string_view bytes_;
  std::vector<header_field> fields_;
  /// Index of the first field of each kind, -1 if absent.
  std::array<int16_t, static_cast<size_t>(header::count_)> first_;
  message_fault fault_;
  int status_ = 0;
  method method_ = method::unknown;
  method cseq_method_ = method::unknown;
  uint32_t cseq_number_ = 0;
  unsigned max_forwards_ = 70;
  std::string_view method_name_, request_uri_, reason_, from_tag_, to_tag_, call_id_,
    cseq_method_name_, body_;
  via_top via_;
};

/// Splits the next value off a comma-separated header value: returns it trimmed and removes it
/// from `rest`. Commas inside quoted strings and angle brackets do not separate.
[[nodiscard]] std::string_view next_value(std::string_view& rest) noexcept;

template <class F>
void message::each_value(header id, F&& f) const {
  for (auto& field : fields_) {
    if (field.id != id)
      continue;
    auto rest = field.value;
    while (!rest.empty())
      if (auto value = next_value(rest); !value.empty() && !f(value))
        return;
  }
}

} // namespace jackfield::sip

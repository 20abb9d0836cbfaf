#include "engine/sip/message_writer.hpp"

#include <algorithm>
#include <array>
#include <cassert>
#include <charconv>
#include <cstring>

#include "engine/sip/cursor.hpp"
#include "engine/sip/line_scan.hpp"
#include "engine/sip/text.hpp"

namespace jackfield::sip {

namespace {

/// In the order of `header`.
constexpr std::array<std::string_view, static_cast<size_t>(header::count_)> field_names = {
  "",
  "Via",
  "From",
  "To",
  "Call-ID",
  "CSeq",
  "Contact",
  "Max-Forwards",
  "Content-Length",
  "Content-Type",
  "Route",
  "Record-Route",
  "Expires",
  "Min-Expires",
  "Authorization",
  "Proxy-Authorization",
  "WWW-Authenticate",
  "Proxy-Authenticate",
  "Authentication-Info",
  "Require",
  "Proxy-Require",
  "Supported",
  "Unsupported",
  "Allow",
  "Accept",
  "Accept-Encoding",
  "Content-Encoding",
  "Content-Disposition",
  "Retry-After",
  "Reason",
  "Subject",
  "User-Agent",
  "Server",
  "Warning",
  "Date",
  "Event",
  "Path",
  "Service-Route",
  "Refer-To",
  "Referred-By",
  "Replaces",
  "Session-Expires",
  "Min-SE",
  "RSeq",
  "RAck",
  "P-Asserted-Identity",
};

constexpr size_t length_digits = 5;

bool breaks_line(char c) noexcept {
  return c == '\r' || c == '\n' || c == '\0';
}

bool makes_dialog(method what, int status) noexcept {
  if (status <= 100 || status > 299)
    return false;
  return what == method::invite || what == method::subscribe || what == method::refer ||
         what == method::notify;
}

} // namespace

std::string_view reason_phrase(int status) noexcept {
  switch (status) {
  case 100:
    return "Trying";
  case 180:
    return "Ringing";
  case 181:
    return "Call Is Being Forwarded";
  case 182:
    return "Queued";
  case 183:
    return "Session Progress";
  case 199:
    return "Early Dialog Terminated";
  case 200:
    return "OK";
  case 202:
    return "Accepted";
  case 204:
    return "No Notification";
  case 300:
    return "Multiple Choices";
  case 301:
    return "Moved Permanently";
  case 302:
    return "Moved Temporarily";
  case 305:
    return "Use Proxy";
  case 380:
    return "Alternative Service";
  case 400:
    return "Bad Request";
  case 401:
    return "Unauthorized";
  case 402:
    return "Payment Required";
  case 403:
    return "Forbidden";
  case 404:
    return "Not Found";
  case 405:
    return "Method Not Allowed";
  case 406:
    return "Not Acceptable";
  case 407:
    return "Proxy Authentication Required";
  case 408:
    return "Request Timeout";
  case 410:
    return "Gone";
  case 412:
    return "Conditional Request Failed";
  case 413:
    return "Request Entity Too Large";
  case 414:
    return "Request-URI Too Long";
  case 415:
    return "Unsupported Media Type";
  case 416:
    return "Unsupported URI Scheme";
  case 417:
    return "Unknown Resource-Priority";
  case 420:
    return "Bad Extension";
  case 421:
    return "Extension Required";
  case 422:
    return "Session Interval Too Small";
  case 423:
    return "Interval Too Brief";
  case 424:
    return "Bad Location Information";
  case 428:
    return "Use Identity Header";
  case 429:
    return "Provide Referrer Identity";
  case 430:
    return "Flow Failed";
  case 433:
    return "Anonymity Disallowed";
  case 436:
    return "Bad Identity Info";
  case 437:
    return "Unsupported Credential";
  case 438:
    return "Invalid Identity Header";
  case 439:
    return "First Hop Lacks Outbound Support";
  case 440:
    return "Max-Breadth Exceeded";
  case 469:
    return "Bad Info Package";
  case 470:
    return "Consent Needed";
  case 480:
    return "Temporarily Unavailable";
  case 481:
    return "Call/Transaction Does Not Exist";
  case 482:
    return "Loop Detected";
  case 483:
    return "Too Many Hops";
  case 484:
    return "Address Incomplete";
  case 485:
    return "Ambiguous";
  case 486:
    return "Busy Here";
  case 487:
    return "Request Terminated";
  case 488:
    return "Not Acceptable Here";
  case 489:
    return "Bad Event";
  case 491:
    return "Request Pending";
  case 493:
    return "Undecipherable";
  case 494:
    return "Security Agreement Required";
  case 500:
    return "Server Internal Error";
  case 501:
    return "Not Implemented";
  case 502:
    return "Bad Gateway";
  case 503:
    return "Service Unavailable";
  case 504:
    return "Server Time-out";
  case 505:
    return "Version Not Supported";
  case 513:
    return "Message Too Large";
  case 555:
    return "Push Notification Service Not Supported";
  case 580:
    return "Precondition Failure";
  case 600:
    return "Busy Everywhere";
  case 603:
    return "Decline";
  case 604:
    return "Does Not Exist Anywhere";
  case 606:
    return "Not Acceptable";
  case 607:
    return "Unwanted";
  case 608:
    return "Rejected";
  default:
    break;
  }
  switch (status / 100) {
  case 1:
    return "Provisional";
  case 2:
    return "Success";
  case 3:
    return "Redirection";
  case 4:
    return "Client Error";
  case 5:
    return "Server Error";
  default:
    return "Global Failure";
  }
}

std::string_view to_string(header id) noexcept {
  return field_names[static_cast<size_t>(id)];
}

bool is_safe_value(std::string_view value) noexcept {
  const char* end = value.data() + value.size();
  return !has_line_break(value) && find_one(value.data(), end, '\0') == end;
}

void message_writer::value(std::string_view text) {
  if (is_safe_value(text)) [[likely]] {
    out_ += text;
    return;
  }
  for (char c : text)
    out_ += breaks_line(c) ? ' ' : c;
}

/// A value of a parsed message: its line ends are folds or stray. NUL stays, for a quoted pair may
/// hold one and From and To must come back as they were.
void message_writer::unfolded(std::string_view text) {
  if (!has_line_break(text)) [[likely]] {
    out_ += text;
    return;
  }
  while (!text.empty()) {
    auto end = std::min(text.find_first_of("\r\n"), text.size());
    out_ += text.substr(0, end);
    text.remove_prefix(end);
    if (text.empty())
      break;
    while (!text.empty() && is(text.front(), space_char))
      text.remove_prefix(1);
    out_ += ' ';
  }
}

void message_writer::number(uint64_t n) {
  std::array<char, 20> digits; // NOLINT: written before it is read
  auto end = std::to_chars(digits.data(), digits.data() + digits.size(), n).ptr;
  out_.append(digits.data(), static_cast<size_t>(end - digits.data()));
}

void message_writer::request_line(std::string_view method_name, std::string_view uri) {
  value(method_name);
  out_ += ' ';
  value(uri);
  out_ += " SIP/2.0\r\n";
}

void message_writer::status_line(int status, std::string_view reason) {
  assert(status >= 100 && status <= 699);
  out_ += "SIP/2.0 ";
  number(static_cast<uint64_t>(status));
  out_ += ' ';
  value(reason.empty() ? sip::reason_phrase(status) : reason);
  out_ += "\r\n";
}

void message_writer::field(std::string_view name, std::string_view text) {
  out_ += name;
  out_ += ": ";
  value(text);
  out_ += "\r\n";
}

void message_writer::field(header id, uint64_t n) {
  out_ += to_string(id);
  out_ += ": ";
  number(n);
  out_ += "\r\n";
}

void message_writer::cseq(uint32_t n, std::string_view method_name) {
  out_ += "CSeq: ";
  number(n);
  out_ += ' ';
  value(method_name);
  out_ += "\r\n";
}

void message_writer::response_head(const message& request, int status, std::string_view reason,
                                   std::string_view to_tag, const packet_source& source) {
  out_.reserve(out_.size() + request.bytes().size() - request.body().size() + 128);
  status_line(status, reason);
  bool routes = makes_dialog(request.request_method(), status);
  bool first_via = true;
  for (const auto& field : request.fields()) {
    switch (field.id) {
    case header::via:
      out_ += "Via: ";
      if (first_via) {
        auto whole = request.via().whole;
        top_via(whole, request, source);
        unfolded(field.value.substr(whole.size()));
        first_via = false;
      } else {
        unfolded(field.value);
      }
      break;
    case header::record_route:
      if (!routes)
        continue;
      out_ += "Record-Route: ";
      unfolded(field.value);
      break;
    case header::to:
      out_ += "To: ";
      unfolded(field.value);
      if (request.to_tag().empty() && !to_tag.empty()) {
        out_ += ";tag=";
        value(to_tag);
      }
      break;
    case header::from:
    case header::call_id:
    case header::cseq:
      out_ += to_string(field.id);
      out_ += ": ";
      unfolded(field.value);
      break;
    default:
      continue;
    }
    out_ += "\r\n";
  }
}

void message_writer::top_via(std::string_view whole, const message& request,
                             const packet_source& source) {
  const auto& via = request.via();
  bool says_host = via.has_rport || !iequals(via.host, source.address);
  if (source.address.empty() || !says_host) {
    unfolded(whole);
    return;
  }
  // Everything but what the sender says of the address that only we can see.
  cursor at(whole);
  size_t kept = 0;
  while (!at.done() && at.peek() != ';')
    at.advance(1);
  while (!at.done()) {
    auto begin = at.offset();
    at.skip(';');
    auto parameter = take_parameter(at);
    if (!parameter) {
      at.advance(whole.size() - at.offset());
      break;
    }
    if (iequals(parameter->name, "received") || iequals(parameter->name, "rport")) {
      unfolded(trim(whole.substr(kept, begin - kept)));
      kept = at.offset();
    }
  }
  unfolded(trim(whole.substr(kept)));
  out_ += ";received=";
  value(source.address);
  if (via.has_rport) {
    out_ += ";rport=";
    number(source.port);
  }
}

void message_writer::end() {
  out_ += "Content-Length: 0\r\n\r\n";
}

void message_writer::end(std::string_view content_type, std::string_view body) {
  field(header::content_type, content_type);
  field(header::content_length, body.size());
  out_ += "\r\n";
  out_ += body;
}

size_t message_writer::open_body(std::string_view content_type) {
  field(header::content_type, content_type);
  out_ += "Content-Length:      \r\n\r\n";
  return out_.size();
}

void message_writer::close_body(size_t opened) noexcept {
  auto length = out_.size() - opened;
  assert(length <= 99'999);
  std::array<char, length_digits> digits; // NOLINT: written before it is read
  auto end = std::to_chars(digits.data(), digits.data() + digits.size(), length).ptr;
  auto count = static_cast<size_t>(end - digits.data());
  // Aligned right, before the two line ends.
  std::memcpy(out_.data() + opened - 4 - count, digits.data(), count);
}

} // namespace jackfield::sip

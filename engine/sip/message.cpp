#include "engine/sip/message.hpp"

#include <algorithm>
#include <array>
#include <cstring>
#include <limits>
#include <utility>

#include "engine/sip/cursor.hpp"
#include "engine/sip/fields.hpp"
#include "engine/sip/text.hpp"

namespace jackfield::sip {

namespace {

struct header_name {
  std::string_view name; // lower case
  header id;
};

/// Long and compact names (RFC 3261 §7.3.3 and the IANA registry).
constexpr header_name header_names[] = {
  {"via", header::via},
  {"v", header::via},
  {"from", header::from},
  {"f", header::from},
  {"to", header::to},
  {"t", header::to},
  {"call-id", header::call_id},
  {"i", header::call_id},
  {"cseq", header::cseq},
  {"contact", header::contact},
  {"m", header::contact},
  {"max-forwards", header::max_forwards},
  {"content-length", header::content_length},
  {"l", header::content_length},
  {"content-type", header::content_type},
  {"c", header::content_type},
  {"route", header::route},
  {"record-route", header::record_route},
  {"expires", header::expires},
  {"min-expires", header::min_expires},
  {"authorization", header::authorization},
  {"proxy-authorization", header::proxy_authorization},
  {"www-authenticate", header::www_authenticate},
  {"proxy-authenticate", header::proxy_authenticate},
  {"authentication-info", header::authentication_info},
  {"require", header::require},
  {"proxy-require", header::proxy_require},
  {"supported", header::supported},
  {"k", header::supported},
  {"unsupported", header::unsupported},
  {"allow", header::allow},
  {"accept", header::accept},
  {"accept-encoding", header::accept_encoding},
  {"content-encoding", header::content_encoding},
  {"e", header::content_encoding},
  {"content-disposition", header::content_disposition},
  {"retry-after", header::retry_after},
  {"reason", header::reason},
  {"subject", header::subject},
  {"s", header::subject},
  {"user-agent", header::user_agent},
  {"server", header::server},
  {"warning", header::warning},
  {"date", header::date},
  {"event", header::event},
  {"o", header::event},
  {"path", header::path},
  {"service-route", header::service_route},
  {"refer-to", header::refer_to},
  {"r", header::refer_to},
  {"referred-by", header::referred_by},
  {"b", header::referred_by},
  {"replaces", header::replaces},
  {"session-expires", header::session_expires},
  {"x", header::session_expires},
  {"min-se", header::min_se},
  {"rseq", header::rseq},
  {"rack", header::rack},
  {"p-asserted-identity", header::p_asserted_identity},
};

constexpr size_t longest_name = 19;
constexpr size_t slots = 256;

/// Mixes length, first, middle and last letter, which tell all known names apart. Letters are
/// folded by setting a bit, which merges only characters that are no part of a token.
constexpr size_t name_slot(std::string_view name, uint32_t seed) {
  auto fold = [](char c) { return static_cast<uint32_t>(static_cast<unsigned char>(c) | 0x20U); };
  uint32_t key = fold(name.front()) | fold(name[name.size() / 2]) << 8U | fold(name.back()) << 16U |
                 static_cast<uint32_t>(name.size()) << 24U;
  return (key * seed) >> 24U;
}

struct name_table {
  uint32_t seed = 0;
  std::array<uint8_t, slots> entry{}; // 1 + index into header_names, 0: none
};

/// Finds the multiplier under which no two names share a slot.
constexpr name_table make_name_table() {
  name_table table;
  uint32_t state = 1;
  for (;;) {
    state = state * 1664525U + 1013904223U;
    table.seed = state | 1U;
    table.entry = {};
    bool collision = false;
    for (size_t i = 0; i < std::size(header_names) && !collision; ++i) {
      auto& entry = table.entry[name_slot(header_names[i].name, table.seed)];
      collision = entry != 0;
      entry = static_cast<uint8_t>(i + 1);
    }
    if (!collision)
      return table;
  }
}

constexpr name_table known_names = make_name_table();

/// Eight octets with their letters in lower case; of a token, nothing else becomes a letter or '-'.
uint64_t folded_word(const char* at) noexcept {
  uint64_t word = 0;
  std::memcpy(&word, at, sizeof word);
  return word | 0x2020202020202020U;
}

/// `known` is in lower case, `name` a token.
bool same_name(std::string_view known, std::string_view name) noexcept {
  constexpr size_t word = sizeof(uint64_t);
  if (known.size() != name.size())
    return false;
  if (name.size() < word)
    return iequals(known, name);
  // Whole words, the last of which may overlap the one before.
  for (size_t i = 0; i + word < name.size(); i += word)
    if (folded_word(known.data() + i) != folded_word(name.data() + i))
      return false;
  auto last = name.size() - word;
  return folded_word(known.data() + last) == folded_word(name.data() + last);
}

/// `name` is a token and not empty.
header recognise(std::string_view name) noexcept {
  if (name.size() > longest_name)
    return header::other;
  auto entry = known_names.entry[name_slot(name, known_names.seed)];
  if (entry == 0)
    return header::other;
  const auto& known = header_names[entry - 1];
  return same_name(known.name, name) ? known.id : header::other;
}

/// Quotes and angle brackets end where they should.
bool balanced(std::string_view value) noexcept {
  cursor at(value);
  while (!at.done()) {
    if (at.peek() == '"') {
      if (!at.take_quoted())
        return false;
    } else if (at.peek() == '<') {
      if (!at.take_until('>'))
        return false;
    } else {
      at.advance(1);
    }
  }
  return true;
}

/// Values of a comma-separated field, counted up to `enough`; 1 for most.
size_t count_values(std::string_view value, size_t enough) noexcept {
  const char* end = value.data() + value.size();
  if (find_one(value.data(), end, ',') == end)
    return 1;
  size_t count = 0;
  while (!value.empty() && count < enough)
    count += next_value(value).empty() ? 0 : 1;
  return count;
}

/// How many values a field has had so far.
struct value_count {
  size_t most = 0;
  size_t count = 0;

  /// False once there are more than allowed.
  bool add(std::string_view value) noexcept {
    if (count <= most)
      count += count_values(value, most - count + 1);
    return count <= most;
  }
};

/// "SIP/" 1*DIGIT "." 1*DIGIT, in any case (RFC 3261 §25.1: literal strings ignore case).
bool is_version(std::string_view text) noexcept {
  if (text.size() < 7 || !iequals(text.substr(0, 4), "SIP/"))
    return false;
  auto dot = text.find('.', 4);
  return dot != std::string_view::npos && dot > 4 && dot + 1 < text.size() &&
         all_of(text.substr(4, dot - 4), digit_char) && all_of(text.substr(dot + 1), digit_char);
}

/// What every URI has in common: a scheme, and no character that may not stand in one.
bool is_uri(std::string_view text) noexcept {
  cursor at(text);
  if (!is(at.peek(), alpha_char))
    return false;
  at.take(token_char);
  if (!at.skip(':') || at.done())
    return false;
  for (auto rest = text.substr(at.offset()); !rest.empty(); rest.remove_prefix(1)) {
    if (!is(rest.front(), uri_char))
      return false;
    if (rest.front() == '%' &&
        (rest.size() < 3 || !is(rest[1], hex_char) || !is(rest[2], hex_char)))
      return false;
  }
  return true;
}

bool contains(std::string_view text, uint16_t classes) noexcept {
  return std::any_of(text.begin(), text.end(), [=](char c) { return is(c, classes); });
}

} // namespace

message::message() {
  first_.fill(-1);
  fields_.reserve(32);
}

void message::fail(int status, std::string_view cause, header where) noexcept {
  if (fault_.status == 0)
    fault_ = {status, cause, where};
}

parse_verdict message::parse(std::string_view bytes, bool datagram, const message_limits& limits) {
  fields_.clear();
  first_.fill(-1);
  fault_ = {};
  status_ = 0;
  method_ = cseq_method_ = method::unknown;
  cseq_number_ = 0;
  max_forwards_ = 70;
  method_name_ = request_uri_ = reason_ = from_tag_ = to_tag_ = call_id_ = cseq_method_name_ =
    body_ = {};
  via_ = {};
  bytes_ = bytes;

  // Line ends before the start line are ignored (RFC 3261 §7.5).
  size_t start = 0;
  while (start < bytes.size() && (bytes[start] == '\r' || bytes[start] == '\n'))
    ++start;
  auto rest = bytes.substr(start);
  if (rest.empty())
    return parse_verdict::keep_alive;
  if (bytes.size() > limits.message_bytes)
    fail(513, "message too large");
  if (!parse_start_line(rest) || !parse_fields(rest, limits) || via_.whole.empty())
    return parse_verdict::garbage;
  finish(rest, datagram, limits);
  return fault_.status == 0 ? parse_verdict::good : parse_verdict::faulty;
}

std::string_view message::take_line(std::string_view& rest) noexcept {
  const char* at = rest.data();
  const char* end = at + rest.size();
  for (;;) {
    const char* stop = find_one(at, end, '\n');
    if (stop == end) {
      fail(400, "header without an end");
      auto line = rest;
      rest = {};
      return line;
    }
    if (stop == rest.data() || stop[-1] != '\r') {
      fail(400, "line not ended by CRLF");
    }
    at = stop + 1;
    // A line that begins with white space continues the one before (RFC 3261 §7.3.1).
    if (at != end && (*at == ' ' || *at == '\t') && stop - rest.data() > 1)
      continue;
    std::string_view line{rest.data(), static_cast<size_t>(stop - rest.data())};
    if (!line.empty() && line.back() == '\r')
      line.remove_suffix(1);
    rest.remove_prefix(static_cast<size_t>(at - rest.data()));
    return line;
  }
}

bool message::parse_start_line(std::string_view& rest) {
  auto line = take_line(rest);
  if (line.size() > 4 && iequals(line.substr(0, 4), "SIP/"))
    return parse_status_line(line);

  cursor at(line);
  method_name_ = at.take(token_char);
  if (method_name_.empty() || !at.skip(' '))
    return false;
  method_ = parse_method(method_name_);
  auto tail = line.substr(at.offset());
  auto trimmed = trim(tail);
  if (trimmed.size() != tail.size())
    fail(400, "extra space in the request line");
  auto space = trimmed.find_last_of(" \t");
  auto version = space == std::string_view::npos ? trimmed : trimmed.substr(space + 1);
  if (!is_version(version)) {
    fail(400, "no SIP version in the request line");
    request_uri_ = trimmed;
    return true;
  }
  if (!iequals(version, "SIP/2.0"))
    fail(505, "unknown SIP version");
  request_uri_ = space == std::string_view::npos ? std::string_view{} : trimmed.substr(0, space);
  if (!is_uri(request_uri_))
    fail(400, "malformed Request-URI");
  return true;
}

bool message::parse_status_line(std::string_view line) {
  auto space = line.find(' ');
  auto version = line.substr(0, space);
  if (space == std::string_view::npos || !is_version(version))
    return false;
  // Any status marks this as a response, also where the line is faulty.
  status_ = 699;
  if (!iequals(version, "SIP/2.0"))
    fail(505, "unknown SIP version");
  auto tail = line.substr(space + 1);
  auto code = parse_uint(tail.substr(0, 3), 699);
  if (!code || *code < 100 || tail.size() < 3 || (tail.size() > 3 && tail[3] != ' ')) {
    fail(400, "status outside 100..699");
    return true;
  }
  status_ = static_cast<int>(*code);
  reason_ = tail.size() > 4 ? tail.substr(4) : std::string_view{};
  return true;
}

bool message::parse_fields(std::string_view& rest, const message_limits& limits) {
  value_count vias{limits.vias};
  value_count routes{limits.routes};
  value_count record_routes{limits.routes};
  while (!rest.empty()) {
    auto line = take_line(rest);
    if (line.empty())
      return true;
    cursor at(line);
    auto name = at.take(token_char);
    at.skip_space();
    if (name.empty() || !at.skip(':')) {
      fail(400, "line that is no header field");
      continue;
    }
    auto id = recognise(name);
    auto& first = first_[static_cast<size_t>(id)];
    bool repeated = id != header::other && first >= 0;
    if (fields_.size() >= limits.headers) {
      if (status_ == 0)
        fail(400, "too many header fields");
      // What an answer needs is still kept, if it is the first.
      if (id == header::other || repeated)
        continue;
    }
    auto value = trim(line.substr(at.offset()));
    if (id != header::other && !repeated)
      first = static_cast<int16_t>(fields_.size());
    fields_.push_back({id, name, value});
    // A response that says the same twice is no reason to lose a call.
    const bool said = repeated && status_ != 0 && is_single(id) &&
                      fields_[static_cast<size_t>(first)].value == value;
    if (id == header::other || said)
      continue;
    read_field(id, value, repeated);
    bool within = true;
    if (id == header::via)
      within = vias.add(value);
    else if (id == header::route)
      within = routes.add(value);
    else if (id == header::record_route)
      within = record_routes.add(value);
    if (!within)
      fail(400, "too many values", id);
  }
  fail(400, "no empty line after the header");
  return true;
}

bool message::is_single(header id) noexcept {
  return id == header::from || id == header::to || id == header::call_id || id == header::cseq ||
         id == header::max_forwards || id == header::content_length || id == header::content_type;
}

void message::read_field(header id, std::string_view value, bool repeated) {
  switch (id) {
  case header::via:
    if (!repeated && !read_top_via(value))
      fail(400, "malformed Via", id);
    break;
  case header::from:
    if (repeated || !read_address(value, from_tag_))
      fail(400, repeated ? "repeated From" : "malformed From", id);
    break;
  case header::to:
    if (repeated || !read_address(value, to_tag_))
      fail(400, repeated ? "repeated To" : "malformed To", id);
    break;
  case header::call_id:
    if (repeated || value.empty() || contains(value, space_char | comma_char))
      fail(400, repeated ? "repeated Call-ID" : "malformed Call-ID", id);
    else
      call_id_ = value;
    break;
  case header::cseq:
    if (repeated || !read_cseq(value))
      fail(400, repeated ? "repeated CSeq" : "malformed CSeq", id);
    break;
  case header::max_forwards:
    if (auto hops = parse_uint(value, 255); !repeated && hops)
      max_forwards_ = static_cast<unsigned>(*hops);
    else
      fail(400, repeated ? "repeated Max-Forwards" : "Max-Forwards outside 0..255", id);
    break;
  case header::content_length:
    if (repeated)
      fail(400, "repeated Content-Length", id);
    else if (!parse_uint(value, std::numeric_limits<uint32_t>::max()))
      fail(400, "malformed Content-Length", id);
    break;
  case header::content_type:
    if (repeated)
      fail(400, "repeated Content-Type", id);
    break;
  case header::contact:
  case header::route:
  case header::record_route:
    if (!balanced(value))
      fail(400, "quote or bracket without an end", id);
    break;
  default:
    break;
  }
}

bool message::read_address(std::string_view value, std::string_view& tag) {
  auto address = parse_name_addr(value);
  if (address)
    tag = address->tag;
  return address.has_value();
}

bool message::read_top_via(std::string_view value) {
  sip::via top;
  auto rest = value;
  bool good = read_via(rest, top);
  via_.transport = top.transport;
  via_.host = top.host;
  via_.port = top.port;
  via_.branch = top.branch;
  via_.has_rport = top.has_rport;
  if (good) {
    via_.whole = trim(value.substr(0, value.size() - rest.size()));
  } else if (!top.host.empty()) {
    // With a sent-by, an answer finds its way, whatever is wrong behind it.
    rest = value;
    via_.whole = next_value(rest);
  }
  return good;
}

bool message::read_cseq(std::string_view value) {
  auto read = parse_cseq(value);
  if (!read)
    return false;
  cseq_number_ = read->number;
  cseq_method_ = read->what;
  cseq_method_name_ = read->method_name;
  return true;
}

void message::finish(std::string_view rest, bool datagram, const message_limits& limits) {
  body_ = rest;
  if (has(header::content_length)) {
    auto length = parse_uint(first(header::content_length), std::numeric_limits<uint32_t>::max());
    if (length && !datagram && *length > limits.message_bytes)
      fail(513, "message too large", header::content_length);
    else if (length && *length > rest.size())
      fail(400, "Content-Length beyond the end of the message", header::content_length);
    else if (length)
      body_ = rest.substr(0, static_cast<size_t>(*length));
  } else if (!datagram) {
    fail(400, "no Content-Length on a stream", header::content_length);
  }
  if (body_.size() > limits.body_bytes)
    fail(413, "body too large");

  for (auto [id, cause] : {std::pair{header::from, std::string_view{"no From"}},
                           {header::to, "no To"},
                           {header::call_id, "no Call-ID"},
                           {header::cseq, "no CSeq"}})
    if (!has(id))
      fail(400, cause, id);

  if (via_.branch.size() == branch_cookie.size() && iequals(via_.branch, branch_cookie))
    fail(400, "branch without an identifier", header::via);

  if (is_request() && !cseq_method_name_.empty() && cseq_method_name_ != method_name_)
    fail(method_ == method::unknown ? 501 : 400, "method and CSeq differ", header::cseq);
}

bool message::answerable() const noexcept {
  return is_request() && method_ != method::ack && !via_.whole.empty() && has(header::from) &&
         has(header::to) && has(header::call_id) && has(header::cseq);
}

std::string_view message::first(header id) const noexcept {
  auto index = first_[static_cast<size_t>(id)];
  return index < 0 ? std::string_view{} : fields_[static_cast<size_t>(index)].value;
}

bool message::has(header id) const noexcept {
  return first_[static_cast<size_t>(id)] >= 0;
}

std::optional<std::string_view> message::find(std::string_view name) const noexcept {
  for (auto& field : fields_)
    if (iequals(field.name, name))
      return field.value;
  return std::nullopt;
}

std::string_view next_value(std::string_view& rest) noexcept {
  size_t end = 0;
  bool quoted = false;
  bool bracketed = false;
  for (; end < rest.size(); ++end) {
    char c = rest[end];
    if (quoted) {
      if (c == '\\')
        ++end;
      else if (c == '"')
        quoted = false;
    } else if (bracketed) {
      bracketed = c != '>';
    } else if (c == '"') {
      quoted = true;
    } else if (c == '<') {
      bracketed = true;
    } else if (c == ',') {
      break;
    }
  }
  end = std::min(end, rest.size());
  auto value = trim(rest.substr(0, end));
  rest.remove_prefix(std::min(end + 1, rest.size()));
  return value;
}

} // namespace jackfield::sip

#include "engine/sip/fields.hpp"

#include <algorithm>
#include <limits>

#include "engine/sip/cursor.hpp"
#include "engine/sip/text.hpp"
#include "engine/sip/uri.hpp"

namespace jackfield::sip {

namespace {

constexpr auto npos = std::string_view::npos;

/// Calls `f` for each parameter of ";a=b;c"; false if one is malformed or something else follows.
template <class F>
bool each_parameter(cursor& at, F&& f) noexcept {
  while (at.skip(';')) {
    auto p = take_parameter(at);
    if (!p || !f(*p))
      return false;
  }
  return true;
}

std::string_view without_brackets(std::string_view host) noexcept {
  if (host.size() > 2 && host.front() == '[' && host.back() == ']')
    return host.substr(1, host.size() - 2);
  return host;
}

bool take_slash(cursor& at) noexcept {
  at.skip_space();
  bool found = at.skip('/');
  at.skip_space();
  return found;
}

bool read_sent_by(cursor& at, via& read) noexcept {
  if (at.skip('[')) {
    auto host = at.take_until(']');
    if (!host || !is_ipv6(*host))
      return false;
    at.skip(']');
    read.host = *host;
  } else {
    read.host = at.take(host_char);
  }
  if (read.host.empty())
    return false;
  at.skip_space();
  if (!at.skip(':'))
    return true;
  at.skip_space();
  auto port = parse_uint(at.take(digit_char), 65'535);
  at.skip_space();
  read.port = static_cast<uint16_t>(port.value_or(0));
  if (read.port == 0)
    read.host = {};
  return read.port != 0;
}

bool read_via_parameter(const parameter_view& p, via& read) noexcept {
  if (p.name.size() == 6 && iequals(p.name, "branch")) {
    bool usable = !p.value.empty() && read.branch.empty();
    read.branch = p.value;
    return usable;
  }
  if (iequals(p.name, "rport")) {
    auto port = p.value.empty() ? std::optional<uint64_t>(0) : parse_uint(p.value, 65'535);
    read.has_rport = true;
    read.rport = static_cast<uint16_t>(port.value_or(0));
    return port.has_value();
  }
  if (iequals(p.name, "received")) {
    read.received = without_brackets(p.value);
  } else if (iequals(p.name, "maddr")) {
    read.maddr = without_brackets(p.value);
  } else if (iequals(p.name, "ttl")) {
    auto hops = parse_uint(p.value, 255);
    if (!hops)
      return false;
    read.ttl = static_cast<uint8_t>(*hops);
  }
  return true;
}

} // namespace

std::optional<std::string_view> parameter(std::string_view value, std::string_view name) noexcept {
  cursor at(value);
  while (!at.done() && at.peek() != ';') {
    if (at.peek() == '"') {
      if (!at.take_quoted())
        return std::nullopt;
    } else if (at.peek() == '<') {
      if (!at.take_until('>'))
        return std::nullopt;
    } else {
      at.advance(1);
    }
  }
  std::optional<std::string_view> found;
  each_parameter(at, [&](const parameter_view& p) {
    if (iequals(p.name, name))
      found = p.value;
    return !found;
  });
  return found;
}

bool is_optional(std::string_view content_disposition) noexcept {
  const auto handling = parameter(content_disposition, "handling");
  return handling && iequals(*handling, "optional");
}

std::string unquote(std::string_view quoted) {
  std::string plain;
  plain.reserve(quoted.size());
  for (size_t i = 0; i < quoted.size(); ++i) {
    if (quoted[i] == '\\' && i + 1 < quoted.size())
      ++i;
    plain += quoted[i];
  }
  return plain;
}

std::optional<std::string_view> name_addr::parameter(std::string_view name) const noexcept {
  return sip::parameter(parameters, name);
}

std::optional<uint32_t> name_addr::expires() const noexcept {
  auto seconds =
    parse_uint(parameter("expires").value_or(""), std::numeric_limits<uint32_t>::max());
  return seconds ? std::optional(static_cast<uint32_t>(*seconds)) : std::nullopt;
}

int name_addr::q() const noexcept {
  auto text = parameter("q").value_or("1");
  auto dot = std::min(text.find('.'), text.size());
  auto whole = parse_uint(text.substr(0, dot), 1);
  auto digits = text.substr(std::min(dot + 1, text.size()));
  if (!whole || digits.size() > 3 || !all_of(digits, digit_char))
    return 1000;
  int thousandths = 0;
  for (size_t i = 0; i < 3; ++i)
    thousandths = thousandths * 10 + (i < digits.size() ? digits[i] - '0' : 0);
  return std::min(static_cast<int>(*whole) * 1000 + thousandths, 1000);
}

std::optional<name_addr> parse_name_addr(std::string_view value) noexcept {
  name_addr parsed;
  cursor at(value);
  at.skip_space();
  if (at.peek() == '"') {
    auto quoted = at.take_quoted();
    if (!quoted)
      return std::nullopt;
    parsed.display_name = *quoted;
    at.skip_space();
    if (at.peek() != '<')
      return std::nullopt;
  } else {
    // A display name ends at '<'; a bare URI at ';', which then belongs to the header.
    auto start = at.offset();
    auto end = start;
    while (end < value.size() && !is(value[end], address_end_char))
      ++end;
    auto text = trim(value.substr(start, end - start));
    at.advance(end - start);
    if (at.peek() == '<')
      parsed.display_name = text;
    else if (text.find(':') == npos && text != "*")
      return std::nullopt;
    else
      parsed.uri = text;
  }
  if (at.skip('<')) {
    auto uri = at.take_until('>');
    if (!uri || uri->find(':') == npos)
      return std::nullopt;
    at.skip('>');
    at.skip_space();
    parsed.uri = *uri;
    parsed.bracketed = true;
  }
  parsed.parameters = value.substr(at.offset());
  bool good = each_parameter(at, [&](const parameter_view& p) {
    if (p.name.size() != 3 || !iequals(p.name, "tag"))
      return true;
    bool usable = !p.value.empty() && parsed.tag.empty();
    parsed.tag = p.value;
    return usable;
  });
  return good && at.done() ? std::optional(parsed) : std::nullopt;
}

std::optional<via> parse_via(std::string_view value) noexcept {
  via parsed;
  return read_via(value, parsed) && value.empty() ? std::optional(parsed) : std::nullopt;
}

bool read_via(std::string_view& text, via& read) noexcept {
  cursor at(text);
  at.skip_space();
  read.protocol = at.take(token_char);
  if (read.protocol.empty() || !take_slash(at))
    return false;
  read.version = at.take(token_char);
  if (read.version.empty() || !take_slash(at))
    return false;
  read.transport = at.take(token_char);
  if (read.transport.empty() || !is(at.peek(), space_char))
    return false;
  at.skip_space();
  if (!read_sent_by(at, read) ||
      !each_parameter(at, [&](const parameter_view& p) { return read_via_parameter(p, read); }) ||
      !(at.done() || at.peek() == ','))
    return false;
  text.remove_prefix(at.offset());
  return iequals(read.protocol, "SIP") && read.version == "2.0";
}

std::optional<cseq> parse_cseq(std::string_view value) noexcept {
  cursor at(value);
  auto number = parse_uint(at.take(digit_char), std::numeric_limits<uint32_t>::max());
  if (!number || !is(at.peek(), space_char))
    return std::nullopt;
  at.skip_space();
  auto name = at.take(token_char);
  if (name.empty() || !at.done())
    return std::nullopt;
  return cseq{static_cast<uint32_t>(*number), parse_method(name), name};
}

std::optional<uint32_t> parse_retry_after(std::string_view value) noexcept {
  cursor at(value);
  auto seconds = parse_uint(at.take(digit_char), std::numeric_limits<uint32_t>::max());
  if (!seconds || !(at.done() || at.peek() == ';' || at.peek() == '(' || is(at.peek(), space_char)))
    return std::nullopt;
  return static_cast<uint32_t>(*seconds);
}

std::optional<std::string_view> media_type::parameter(std::string_view name) const noexcept {
  return sip::parameter(parameters, name);
}

bool media_type::is(std::string_view type_and_subtype) const noexcept {
  auto slash = type_and_subtype.find('/');
  return slash != npos && iequals(type, type_and_subtype.substr(0, slash)) &&
         iequals(subtype, type_and_subtype.substr(slash + 1));
}

std::optional<media_type> parse_media_type(std::string_view value) noexcept {
  cursor at(value);
  at.skip_space();
  media_type parsed;
  parsed.type = at.take(token_char);
  if (parsed.type.empty() || !take_slash(at))
    return std::nullopt;
  parsed.subtype = at.take(token_char);
  at.skip_space();
  parsed.parameters = value.substr(at.offset());
  bool good = each_parameter(at, [](const parameter_view&) { return true; });
  return good && at.done() && !parsed.subtype.empty() ? std::optional(parsed) : std::nullopt;
}

} // namespace jackfield::sip

#include "engine/sip/multipart.hpp"

#include <algorithm>
#include <string>
#include <utility>

#include "engine/sip/fields.hpp"
#include "engine/sip/text.hpp"

namespace jackfield::sip {

namespace {

constexpr auto npos = std::string_view::npos;

/// RFC 2046 §5.1.1: 1 to 70 characters, the last of them no space.
bool is_boundary(std::string_view text) noexcept {
  if (text.empty() || text.size() > 70 || text.back() == ' ')
    return false;
  for (char c : text)
    if (!is(c, alpha_char | digit_char) && std::string_view("'()+_,-./:=? ").find(c) == npos)
      return false;
  return true;
}

enum class delimiter { none, between, last };

/// A delimiter line.
struct found_delimiter {
  delimiter kind = delimiter::none;
  size_t begin = 0; // of the CRLF before it, which belongs to it
  size_t end = 0;   // behind its own CRLF
};

/// The first delimiter line at or behind `from`; `dashes` is CRLF "--" boundary. A line that only
/// begins like one is body.
found_delimiter find_delimiter(std::string_view body, std::string_view dashes, size_t from) {
  for (bool at_start = from == 0;; at_start = false) {
    size_t begin = from;
    size_t after = 0;
    if (at_start && body.substr(0, dashes.size() - 2) == dashes.substr(2)) {
      after = dashes.size() - 2;
    } else {
      begin = body.find(dashes, from);
      if (begin == npos)
        return {};
      after = begin + dashes.size();
    }
    auto kind = delimiter::between;
    if (body.substr(after, 2) == "--") {
      kind = delimiter::last;
      after += 2;
    }
    while (after < body.size() && (body[after] == ' ' || body[after] == '\t'))
      ++after;
    if (kind == delimiter::last && after == body.size())
      return {kind, begin, after};
    if (body.substr(after, 2) == "\r\n")
      return {kind, begin, after + 2};
    from = after;
  }
}

class splitter {
public:
  explicit splitter(const multipart_limits& limits) : limits_(limits) {}

  bool split(std::string_view content_type, std::string_view body, size_t depth) {
    auto type = parse_media_type(content_type);
    auto boundary = type ? type->parameter("boundary") : std::nullopt;
    if (!boundary || !is_boundary(*boundary) || depth > limits_.depth)
      return false;
    std::string dashes = "\r\n--";
    dashes += *boundary;
    auto at = find_delimiter(body, dashes, 0);
    if (at.kind != delimiter::between)
      return false;
    while (at.kind == delimiter::between) {
      // The CRLF that ends a delimiter may also begin the next one.
      auto next = find_delimiter(body, dashes, at.end - 2);
      if (next.kind == delimiter::none)
        return false;
      auto begin = at.end;
      auto part = next.begin < begin ? std::string_view{} : body.substr(begin, next.begin - begin);
      if (!add(part, depth))
        return false;
      at = next;
    }
    return true;
  }

  std::vector<body_part> parts;

private:
  bool add(std::string_view text, size_t depth) {
    body_part part;
    part.content_type = "text/plain";
    if (!take_fields(text, part))
      return false;
    part.body = text;
    if (iequals(part.content_type.substr(0, 10), "multipart/"))
      return split(part.content_type, part.body, depth + 1);
    if (parts.size() >= limits_.parts)
      return false;
    parts.push_back(part);
    return true;
  }

  /// Reads the part's header and leaves its body in `text`.
  static bool take_fields(std::string_view& text, body_part& part) {
    while (!text.empty()) {
      size_t end = text.find('\n');
      while (end != npos && end > 1 && end + 1 < text.size() &&
             (text[end + 1] == ' ' || text[end + 1] == '\t'))
        end = text.find('\n', end + 1);
      if (end == npos || end == 0 || text[end - 1] != '\r')
        return false;
      auto line = text.substr(0, end - 1);
      text.remove_prefix(end + 1);
      if (line.empty())
        return true;
      auto colon = line.find(':');
      if (colon == npos || colon == 0)
        return false;
      auto name = trim(line.substr(0, colon));
      auto value = trim(line.substr(colon + 1));
      if (iequals(name, "Content-Type"))
        part.content_type = value;
      else if (iequals(name, "Content-Disposition"))
        part.content_disposition = value;
      else if (iequals(name, "Content-ID"))
        part.content_id = value;
      else if (iequals(name, "Content-Transfer-Encoding"))
        part.content_transfer_encoding = value;
    }
    return true;
  }

  multipart_limits limits_;
};

} // namespace

std::optional<std::vector<body_part>> split_multipart(std::string_view content_type,
                                                      std::string_view body,
                                                      const multipart_limits& limits) {
  auto type = parse_media_type(content_type);
  if (!type || !iequals(type->type, "multipart"))
    return std::nullopt;
  splitter work(limits);
  if (!work.split(content_type, body, 1))
    return std::nullopt;
  return std::move(work.parts);
}

bool are_optional(const std::vector<body_part>& parts) noexcept {
  return std::all_of(parts.begin(), parts.end(),
                     [](const auto& part) { return is_optional(part.content_disposition); });
}

} // namespace jackfield::sip

#include "engine/sip/redaction.hpp"

#include <algorithm>
#include <array>
#include <cstdint>

#include "engine/sip/text.hpp"

namespace jackfield::sip {

namespace {

constexpr std::string_view blank = "***";
constexpr std::string_view blanks = " \t";
constexpr std::string_view line_ends = "\r\n";

/// Parameters of Digest that say nothing of the password by themselves.
constexpr std::array<std::string_view, 17> harmless = {"username",
                                                       "username*",
                                                       "realm",
                                                       "nonce",
                                                       "uri",
                                                       "algorithm",
                                                       "cnonce",
                                                       "opaque",
                                                       "qop",
                                                       "nc",
                                                       "stale",
                                                       "userhash",
                                                       "domain",
                                                       "charset",
                                                       "nextnonce",
                                                       "scope",
                                                       "integrity-protected"};

/// Schemes whose name may be shown; another word before credentials may be one itself.
constexpr std::array<std::string_view, 6> other_schemes = {"basic",     "bearer",   "ntlm",
                                                           "negotiate", "kerberos", "tls-dsk"};

/// A header whose name contains one of these has a secret for its value.
constexpr std::array<std::string_view, 8> telling = {"auth",   "token",    "cookie",  "secret",
                                                     "passwd", "password", "api-key", "apikey"};

bool contains(std::string_view text, std::string_view what) noexcept {
  return std::search(text.begin(), text.end(), what.begin(), what.end(),
                     [](char a, char b) { return lower(a) == b; }) != text.end();
}

bool starts(std::string_view text, std::string_view with) noexcept {
  return text.size() >= with.size() && iequals(text.substr(0, with.size()), with);
}

template <size_t N>
bool is_one_of(std::string_view name, const std::array<std::string_view, N>& names) noexcept {
  return std::any_of(names.begin(), names.end(), [&](auto n) { return iequals(n, name); });
}

/// What is done with a header's value.
enum class treatment : uint8_t { plain, credentials, challenge, info, whole, type };

treatment treatment_of(std::string_view name) noexcept {
  if (iequals(name, "authorization") || iequals(name, "proxy-authorization"))
    return treatment::credentials;
  if (iequals(name, "www-authenticate") || iequals(name, "proxy-authenticate"))
    return treatment::challenge;
  if (iequals(name, "authentication-info") || iequals(name, "proxy-authentication-info"))
    return treatment::info;
  if (iequals(name, "content-type") || iequals(name, "c"))
    return treatment::type;
  if (iequals(name, "identity") || iequals(name, "y"))
    return treatment::whole;
  return std::any_of(telling.begin(), telling.end(), [&](auto t) { return contains(name, t); })
           ? treatment::whole
           : treatment::plain;
}

/// Length of what stands at the text's start and has only such characters.
size_t span_of(std::string_view text, uint16_t classes) noexcept {
  size_t n = 0;
  while (n < text.size() && is(text[n], classes))
    ++n;
  return n;
}

size_t span_of(std::string_view text, std::string_view chars) noexcept {
  return std::min(text.find_first_not_of(chars), text.size());
}

/// The end of a quoted string that begins the text, behind its quote; 0 if it does not end.
size_t quoted_size(std::string_view text) noexcept {
  for (size_t i = 1; i < text.size(); ++i) {
    if (text[i] == '\\')
      ++i;
    else if (text[i] == '"')
      return i + 1;
  }
  return 0;
}

class redactor {
public:
  redactor(std::string& to, std::string_view text) : to_(to), rest_(text) {}

  void run() {
    while (!rest_.empty()) {
      const auto line = rest_.substr(0, rest_.find_first_of(line_ends));
      take_line(line);
      take(rest_.starts_with("\r\n") ? 2 : std::min<size_t>(rest_.size(), 1));
    }
  }

private:
  enum class body : uint8_t { any, digits, kpml };

  /// Passes on what stands next.
  void take(size_t size) {
    to_ += rest_.substr(0, size);
    rest_.remove_prefix(size);
  }

  /// Takes the line that stands next, or all of a header's lines, without the last line end.
  void take_line(std::string_view line) {
    const auto indent = span_of(line, blanks);
    const auto text = line.substr(indent);
    if (text.empty()) {
      body_ = announced_;
      take(line.size());
      return;
    }
    if (text.starts_with("--")) // between the parts of a body
      body_ = announced_ = body::any;
    if (body_ == body::digits) {
      digits(line);
      rest_.remove_prefix(line.size());
      return;
    }
    const auto name = text.substr(0, span_of(text, token_char));
    const auto colon = name.size() + span_of(text.substr(name.size()), blanks);
    if (!name.empty() && colon < text.size() && text[colon] == ':') {
      header(treatment_of(name), indent + colon + 1, line);
      return;
    }
    if (starts(text, "a=") || starts(text, "k="))
      description(line, indent);
    else if (starts(text, "signal"))
      after_sign(line);
    else if (body_ == body::kpml)
      kpml(line);
    else
      scrub(line);
    rest_.remove_prefix(line.size());
  }

  void header(treatment how, size_t prefix, std::string_view line) {
    if (how == treatment::plain) {
      if (body_ == body::kpml)
        kpml(line);
      else
        scrub(line);
      rest_.remove_prefix(line.size());
      return;
    }
    take(prefix);
    const auto value = rest_.substr(0, folded_size());
    switch (how) {
    case treatment::credentials:
    case treatment::challenge:
      credentials(value, how);
      break;
    case treatment::info:
      parameters(value, how);
      break;
    case treatment::type:
      announced_ = contains(value, "dtmf") || contains(value, "digits") ? body::digits
                   : contains(value, "kpml")                            ? body::kpml
                                                                        : body::any;
      scrub(value);
      break;
    default:
      hide(value);
    }
    rest_.remove_prefix(value.size());
  }

  /// Size of the header value that stands next, with the lines that continue it. A lone CR does not
  /// end it: whether it should is for peers to dispute.
  [[nodiscard]] size_t folded_size() const noexcept {
    for (size_t from = 0;;) {
      const auto end = rest_.find('\n', from);
      if (end == std::string_view::npos)
        return rest_.size();
      if (end + 1 >= rest_.size() || blanks.find(rest_[end + 1]) == std::string_view::npos)
        return end > 0 && rest_[end - 1] == '\r' ? end - 1 : end;
      from = end + 1;
    }
  }

  /// Blanks a value but for the space around it.
  void hide(std::string_view value) {
    const auto shown = span_of(value, space_char);
    to_ += value.substr(0, shown);
    if (shown < value.size())
      to_ += blank;
  }

  void credentials(std::string_view value, treatment how) {
    const auto shown = span_of(value, space_char);
    const auto scheme = value.substr(shown, span_of(value.substr(shown), token_char));
    const auto behind = value.substr(shown + scheme.size());
    const bool alone = behind.empty() || !is(behind.front(), space_char);
    const bool digest = iequals(scheme, "digest") || how == treatment::challenge;
    if (alone || !(digest || is_one_of(scheme, other_schemes))) {
      hide(value);
      return;
    }
    to_ += value.substr(0, shown + scheme.size());
    if (digest)
      parameters(behind, how);
    else
      hide(behind);
  }

  /// name=value, name="value", ... : keeps what is known to be harmless.
  void parameters(std::string_view text, treatment how) {
    const auto pass = [&](size_t size) {
      to_ += text.substr(0, size);
      text.remove_prefix(size);
    };
    while (!text.empty()) {
      pass(span_of(text, space_char | comma_char));
      if (text.empty())
        break;
      const auto name = text.substr(0, span_of(text, token_char));
      const auto sign = name.size() + span_of(text.substr(name.size()), space_char);
      if (!name.empty() && sign < text.size() && text[sign] == '=') {
        pass(sign + 1);
        pass(span_of(text, space_char));
        text.remove_prefix(value(text, is_one_of(name, harmless)));
        pass(span_of(text, space_char));
        if (text.empty() || text.front() == ',')
          continue;
      } else if (sign > name.size() && !name.empty() &&
                 (iequals(name, "digest") ||
                  (how == treatment::challenge && is_one_of(name, other_schemes)))) {
        pass(sign); // another challenge, or other credentials, in the same line
        continue;
      }
      to_ += blank;
      text.remove_prefix(std::min(text.find(','), text.size()));
    }
  }

  /// Writes the value that begins the text, shown or blanked, and says how long it is.
  size_t value(std::string_view text, bool shown) {
    size_t size = 0;
    if (text.starts_with('"')) {
      size = quoted_size(text);
      if (size == 0) { // who knows where it was to end
        to_ += blank;
        return text.size();
      }
    } else {
      size = std::min(text.find_first_of(" \t\r\n,\""), text.size());
    }
    const auto found = text.substr(0, size);
    // A quote in the wrong place may have swallowed what comes behind it.
    if (shown && !contains(found, "response") && !contains(found, "rspauth"))
      scrub(found);
    else if (found.starts_with('"'))
      to_.append("\"").append(blank).append("\"");
    else if (!found.empty())
      to_ += blank;
    return size;
  }

  /// Passes a line on without the passwords of its URIs.
  void scrub(std::string_view text) {
    while (!text.empty()) {
      const auto mark = text.find_first_of(":?&");
      if (mark == std::string_view::npos)
        break;
      const auto before = text.substr(0, mark);
      auto next = mark + 1;
      const bool is_colon = text[mark] == ':';
      const bool has_slashes = is_colon && text.substr(next).starts_with("//");
      if (has_slashes)
        next += 2;
      to_ += text.substr(0, next);
      text.remove_prefix(next);
      if (is_colon) {
        const auto scheme = before.substr(before.size() - std::min<size_t>(before.size(), 4));
        if (has_slashes || iequals(scheme, "sips") ||
            (scheme.size() >= 3 && iequals(scheme.substr(scheme.size() - 3), "sip")))
          text.remove_prefix(user_info(text));
      } else {
        text.remove_prefix(uri_header(text));
      }
    }
    to_ += text;
  }

  /// Writes user:password where a URI has both, and says how long they are.
  size_t user_info(std::string_view text) {
    static constexpr std::string_view outside = "@<>\" \t\r\n";
    static constexpr std::string_view behind_host = "@;?&,/<>\" \t\r\n";
    if (text.data() < no_user_before_)
      return 0;
    auto at = std::min(text.find_first_of(outside), text.size());
    if (at == text.size() || text[at] != '@') {
      no_user_before_ = text.data() + at; // not looked for again by each "sip:" up to there
      return 0;
    }
    // An '@' that should have been escaped belongs to the password.
    for (auto more = text.find_first_of(behind_host, at + 1);
         more != std::string_view::npos && text[more] == '@';
         more = text.find_first_of(behind_host, at + 1))
      at = more;
    const auto colon = text.substr(0, at).find(':');
    if (colon == std::string_view::npos)
      return 0;
    to_ += text.substr(0, colon + 1);
    if (colon + 1 < at)
      to_ += blank;
    return at;
  }

  /// Writes a header within a URI if it holds a secret, and says how long it is.
  size_t uri_header(std::string_view text) {
    const auto name = text.substr(0, span_of(text, token_char));
    if (name.empty() || name.size() >= text.size() || text[name.size()] != '=')
      return 0;
    const auto how = treatment_of(name);
    if (how == treatment::plain || how == treatment::type)
      return 0;
    to_.append(name).append("=").append(blank);
    return std::min(text.find_first_of("&<>\" \t\r\n"), text.size());
  }

  /// A line of a session description.
  void description(std::string_view line, size_t indent) {
    const auto text = line.substr(indent);
    if (starts(text, "a=ice-pwd") || starts(text, "k=")) {
      const auto colon = line.find(':');
      const auto shown = colon == std::string_view::npos ? line.size() : colon + 1;
      to_ += line.substr(0, shown);
      hide(line.substr(shown));
    } else if (starts(text, "a=key-mgmt")) {
      const auto space = std::min(text.find_first_of(blanks), text.size());
      to_ += line.substr(0, indent + space);
      hide(text.substr(space));
    } else {
      static constexpr std::string_view inlined = "inline:";
      for (;;) {
        const auto found = std::search(line.begin(), line.end(), inlined.begin(), inlined.end(),
                                       [](char a, char b) { return lower(a) == b; });
        if (found == line.end())
          break;
        const auto shown = static_cast<size_t>(found - line.begin()) + inlined.size();
        to_ += line.substr(0, shown);
        line.remove_prefix(shown);
        const auto key = std::min(line.find_first_of("| \t;"), line.size());
        if (key > 0)
          to_ += blank;
        line.remove_prefix(key);
      }
      scrub(line);
    }
  }

  /// A line of a body of digits: all of it may be one, only durations may not.
  void digits(std::string_view line) {
    if (starts(line.substr(span_of(line, blanks)), "duration"))
      scrub(line);
    else
      after_sign(line);
  }

  /// Signal=5
  void after_sign(std::string_view line) {
    const auto sign = line.find_first_of("=:");
    const auto shown = sign == std::string_view::npos ? 0 : sign + 1;
    to_ += line.substr(0, shown);
    hide(line.substr(shown));
  }

  /// <kpml-response ... digits="1234" .../>
  void kpml(std::string_view line) {
    static constexpr std::string_view attribute = "digits";
    for (;;) {
      const auto found = line.find(attribute);
      if (found == std::string_view::npos)
        break;
      const auto quote = std::min(line.find_first_of("\"'", found), line.size());
      const auto end =
        quote < line.size() ? std::min(line.find(line[quote], quote + 1), line.size()) : quote;
      scrub(line.substr(0, std::min(quote + 1, line.size())));
      if (end > quote + 1)
        to_ += blank;
      line.remove_prefix(end);
    }
    scrub(line);
  }

  std::string& to_;
  std::string_view rest_;
  const char* no_user_before_ = nullptr; // up to here there is no '@' that ends a user
  body announced_ = body::any;           // by the latest Content-Type
  body body_ = body::any;
};

} // namespace

void append_redacted(std::string& to, std::string_view message) {
  to.reserve(to.size() + message.size());
  redactor{to, message}.run();
}

std::string redacted(std::string_view message) {
  std::string out;
  append_redacted(out, message);
  return out;
}

} // namespace jackfield::sip

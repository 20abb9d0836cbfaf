#include "app/http/target.hpp"

#include <algorithm>
#include <charconv>

namespace jackfield::http {

namespace {

constexpr size_t longest_target = 2048;
constexpr size_t most_parts = 16;

int hex_value(char c) noexcept {
  if (c >= '0' && c <= '9')
    return c - '0';
  if (c >= 'a' && c <= 'f')
    return c - 'a' + 10;
  return c >= 'A' && c <= 'F' ? c - 'A' + 10 : -1;
}

/// Nothing: it is not what percent-encoding makes of a text.
std::optional<std::string> decoded(std::string_view text) {
  std::string out;
  out.reserve(text.size());
  for (size_t i = 0; i < text.size(); ++i) {
    if (text[i] != '%') {
      out += text[i];
      continue;
    }
    const auto high = i + 2 < text.size() ? hex_value(text[i + 1]) : -1;
    const auto low = i + 2 < text.size() ? hex_value(text[i + 2]) : -1;
    if (high < 0 || low < 0)
      return std::nullopt;
    out += static_cast<char>(high * 16 + low);
    i += 2;
  }
  if (!is_plain_text(out))
    return std::nullopt;
  return out;
}

/// Calls `f` with each part between `separator`; false if it does so once.
template <class F>
bool each_part(std::string_view text, char separator, F&& f) {
  for (;;) {
    const auto end = text.find(separator);
    if (!f(text.substr(0, end)))
      return false;
    if (end == std::string_view::npos)
      return true;
    text.remove_prefix(end + 1);
  }
}

/// How many bytes the character at the front has; 0: it is none that a text may have.
size_t plain_length(std::string_view text) noexcept {
  const auto at = [&](size_t i) {
    return i < text.size() ? static_cast<unsigned char>(text[i]) : 0u;
  };
  const auto follows = [&](size_t i) { return (at(i) & 0xc0u) == 0x80u; };
  const unsigned first = at(0);
  if (first < 0x80)
    return first >= 0x20 && first != 0x7f ? 1 : 0;
  size_t length = first >= 0xf0 ? 4 : first >= 0xe0 ? 3 : 2;
  if (first < 0xc2 || first > 0xf4)
    return 0;
  unsigned code = first & (0x7fu >> length);
  for (size_t i = 1; i < length; ++i) {
    if (!follows(i))
      return 0;
    code = (code << 6) | (at(i) & 0x3fu);
  }
  static constexpr unsigned least[] = {0, 0, 0x80, 0x800, 0x10000};
  const bool surrogate = code >= 0xd800 && code <= 0xdfff;
  const bool control = code < 0xa0; // C1
  const bool line_end = code == 0x2028 || code == 0x2029;
  return code < least[length] || code > 0x10ffff || surrogate || control || line_end ? 0 : length;
}

} // namespace

bool is_plain_text(std::string_view text) noexcept {
  while (!text.empty()) {
    const auto length = plain_length(text);
    if (length == 0)
      return false;
    text.remove_prefix(length);
  }
  return true;
}

std::optional<uint64_t> read_number(std::string_view text, uint64_t least, uint64_t most) noexcept {
  uint64_t value = 0;
  const auto [end, code] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (code != std::errc{} || end != text.data() + text.size() || value < least || value > most)
    return std::nullopt;
  return value;
}

tl::expected<target, answer> target::parse(std::string_view text) {
  const auto wrong = [](std::string_view why) { return tl::unexpected{problem(400, why)}; };
  if (text.size() > longest_target)
    return wrong("the target is longer than 2048 bytes");
  if (!text.starts_with('/'))
    return wrong("the target is no path, expected such as /v1/queues");
  if (text.find('#') != std::string_view::npos)
    return wrong("the target has a fragment, which is for the client alone");
  target made;
  const auto mark = text.find('?');
  const bool path_is_sound =
    each_part(text.substr(1, mark == std::string_view::npos ? mark : mark - 1), '/',
              [&](std::string_view part) {
                auto plain = decoded(part);
                if (!plain || made.path.size() == most_parts)
                  return false;
                made.path.push_back(std::move(*plain));
                return true;
              });
  if (!path_is_sound)
    return wrong("the path is not percent-encoded UTF-8 without control characters");
  if (mark == std::string_view::npos)
    return made;
  const bool query_is_sound = each_part(text.substr(mark + 1), '&', [&](std::string_view part) {
    if (part.empty())
      return true;
    const auto equals = part.find('=');
    auto name = decoded(part.substr(0, equals));
    auto value =
      decoded(equals == std::string_view::npos ? std::string_view{} : part.substr(equals + 1));
    if (!name || !value || made.query.size() == most_parts)
      return false;
    made.query.emplace_back(std::move(*name), std::move(*value));
    return true;
  });
  if (!query_is_sound)
    return wrong("the query is not percent-encoded UTF-8 without control characters");
  return made;
}

std::optional<std::string> query_reader::text(std::string_view name) {
  known_.push_back(name);
  const auto found = std::ranges::find(
    of_.query, name, [](const auto& each) { return std::string_view{each.first}; });
  return found == of_.query.end() ? std::nullopt : std::optional{found->second};
}

std::optional<uint64_t> query_reader::number(std::string_view name, uint64_t least, uint64_t most) {
  const auto said = text(name);
  if (!said)
    return std::nullopt;
  const auto value = read_number(*said, least, most);
  if (!value && !fault_)
    fault_ = problem(400,
                     "\"" + *said + "\" is no whole number from " + std::to_string(least) + " to " +
                       std::to_string(most),
                     name);
  return value;
}

std::optional<answer> query_reader::finish() {
  for (auto each = of_.query.begin(); each != of_.query.end() && !fault_; ++each) {
    if (std::ranges::find(known_, each->first) == known_.end())
      fault_ = problem(400, "is no parameter of this", each->first);
    else if (std::any_of(of_.query.begin(), each,
                         [&](const auto& before) { return before.first == each->first; }))
      fault_ = problem(400, "is there twice", each->first);
  }
  return std::move(fault_);
}

} // namespace jackfield::http

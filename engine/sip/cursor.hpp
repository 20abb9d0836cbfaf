#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string_view>

#include "engine/sip/line_scan.hpp"
#include "engine/sip/text.hpp"

namespace jackfield::sip {

/// A position in a header value; every step checks the end.
class cursor {
public:
  explicit cursor(std::string_view text) noexcept
      : begin_(text.data()), at_(text.data()), end_(text.data() + text.size()) {}

  [[nodiscard]] bool done() const noexcept { return at_ == end_; }
  /// NUL at the end, which no grammar rule below accepts.
  [[nodiscard]] char peek() const noexcept { return at_ == end_ ? '\0' : *at_; }
  [[nodiscard]] size_t offset() const noexcept { return static_cast<size_t>(at_ - begin_); }

  bool skip(char c) noexcept {
    if (at_ == end_ || *at_ != c)
      return false;
    ++at_;
    return true;
  }

  /// `count` is at most what is left.
  void advance(size_t count) noexcept { at_ += count; }

  void skip_space() noexcept {
    while (at_ != end_ && is(*at_, space_char))
      ++at_;
  }

  /// The longest run of characters of these classes, possibly empty.
  std::string_view take(uint16_t classes) noexcept {
    const char* start = at_;
    while (at_ != end_ && is(*at_, classes))
      ++at_;
    return {start, static_cast<size_t>(at_ - start)};
  }

  /// Up to and without the next `c`; nothing if there is none.
  std::optional<std::string_view> take_until(char c) noexcept {
    const char* stop = find_one(at_, end_, c);
    if (stop == end_)
      return std::nullopt;
    std::string_view text{at_, static_cast<size_t>(stop - at_)};
    at_ = stop;
    return text;
  }

  /// At '"': the text between the quotes, escapes kept; nothing if it does not end.
  std::optional<std::string_view> take_quoted() noexcept {
    const char* start = ++at_;
    for (; at_ != end_; ++at_) {
      if (*at_ == '\\') {
        if (++at_ == end_)
          break;
      } else if (*at_ == '"') {
        std::string_view text{start, static_cast<size_t>(at_ - start)};
        ++at_;
        return text;
      }
    }
    return std::nullopt;
  }

private:
  const char* begin_;
  const char* at_;
  const char* end_;
};

/// Views into the text; a quoted value without its quotes, its escapes kept.
struct parameter_view {
  std::string_view name, value;
};

/// After ';': one generic-param of RFC 3261 §25.1, white space around it allowed.
inline std::optional<parameter_view> take_parameter(cursor& at) noexcept {
  at.skip_space();
  parameter_view parameter;
  parameter.name = at.take(token_char);
  if (parameter.name.empty())
    return std::nullopt;
  at.skip_space();
  if (at.skip('=')) {
    at.skip_space();
    if (at.peek() == '"') {
      auto text = at.take_quoted();
      if (!text)
        return std::nullopt;
      parameter.value = *text;
    } else {
      parameter.value = at.take(value_char);
      if (parameter.value.empty())
        return std::nullopt;
    }
    at.skip_space();
  }
  return parameter;
}

} // namespace jackfield::sip

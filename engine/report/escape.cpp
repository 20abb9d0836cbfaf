#include "engine/report/escape.hpp"

#include <cstddef>
#include <cstdint>
#include <iterator>

#include <fmt/format.h>

namespace jackfield::report {

namespace {

constexpr char32_t replacement = 0xFFFD;

/// Takes one character off the front of `text`, which is not empty; U+FFFD for a byte that begins
/// none (RFC 3629: shortest form, no surrogates, at most U+10FFFF).
char32_t take_character(std::string_view& text) {
  const auto byte = [&](size_t i) { return static_cast<uint8_t>(text[i]); };
  const uint8_t first = byte(0);
  size_t length = 1;
  char32_t c = first;
  char32_t least = 0;
  if (first >= 0x80) {
    if (first >= 0xC2 && first <= 0xDF) {
      length = 2;
      c = first & 0x1FU;
      least = 0x80;
    } else if (first >= 0xE0 && first <= 0xEF) {
      length = 3;
      c = first & 0x0FU;
      least = 0x800;
    } else if (first >= 0xF0 && first <= 0xF4) {
      length = 4;
      c = first & 0x07U;
      least = 0x10000;
    } else {
      text.remove_prefix(1);
      return replacement;
    }
    bool whole = text.size() >= length;
    for (size_t i = 1; whole && i < length; ++i) {
      whole = (byte(i) & 0xC0U) == 0x80;
      c = (c << 6) | (byte(i) & 0x3FU);
    }
    if (!whole || c < least || c > 0x10FFFF || (c >= 0xD800 && c <= 0xDFFF)) {
      text.remove_prefix(1);
      return replacement;
    }
  }
  text.remove_prefix(length);
  return c;
}

void append_utf8(std::string& out, char32_t c) {
  const auto put = [&](char32_t byte) { out += static_cast<char>(byte); };
  if (c < 0x80) {
    put(c);
  } else if (c < 0x800) {
    put(0xC0 | (c >> 6));
    put(0x80 | (c & 0x3F));
  } else if (c < 0x10000) {
    put(0xE0 | (c >> 12));
    put(0x80 | ((c >> 6) & 0x3F));
    put(0x80 | (c & 0x3F));
  } else {
    put(0xF0 | (c >> 18));
    put(0x80 | ((c >> 12) & 0x3F));
    put(0x80 | ((c >> 6) & 0x3F));
    put(0x80 | (c & 0x3F));
  }
}

/// Characters that show nothing themselves, or change how what follows is shown: controls, soft
/// hyphen, zero-width and bidirectional marks, line separators, variation tags, noncharacters.
bool hidden(char32_t c) {
  return c < 0x20 || (c >= 0x7F && c < 0xA0) || c == 0xAD || c == 0x61C || c == 0x180E ||
         (c >= 0x200B && c <= 0x200F) || (c >= 0x2028 && c <= 0x202E) ||
         (c >= 0x2060 && c <= 0x206F) || c == 0xFEFF || (c >= 0xFFF9 && c <= 0xFFFB) ||
         (c & 0xFFFE) == 0xFFFE || (c >= 0xE0000 && c <= 0xE0FFF);
}

template <class Print>
std::string escape(std::string_view text, std::string_view open, std::string_view close,
                   Print print) {
  std::string out;
  out.reserve(text.size());
  while (!text.empty()) {
    const char32_t c = take_character(text);
    if (hidden(c))
      fmt::format_to(std::back_inserter(out), "{}U+{:04X}{}", open, static_cast<uint32_t>(c),
                     close);
    else
      print(out, c);
  }
  return out;
}

} // namespace

std::string escape_markup(std::string_view text) {
  return escape(text, "&lt;", "&gt;", [](std::string& out, char32_t c) {
    switch (c) {
    case '&':
      out += "&amp;";
      break;
    case '<':
      out += "&lt;";
      break;
    case '>':
      out += "&gt;";
      break;
    case '"':
      out += "&quot;";
      break;
    case '\'':
      out += "&#39;";
      break;
    default:
      append_utf8(out, c);
    }
  });
}

std::string escape_terminal(std::string_view text) {
  return escape(text, "<", ">", append_utf8);
}

void append_json_string(std::string& out, std::string_view text) {
  out += '"';
  const auto append_unit = [&](uint32_t unit) {
    fmt::format_to(std::back_inserter(out), "\\u{:04x}", unit);
  };
  while (!text.empty()) {
    const char32_t c = take_character(text);
    if (c == '"' || c == '\\') {
      out += '\\';
      out += static_cast<char>(c);
    } else if (!hidden(c)) {
      append_utf8(out, c);
    } else if (c < 0x10000) {
      append_unit(static_cast<uint32_t>(c));
    } else {
      const auto offset = static_cast<uint32_t>(c) - 0x10000;
      append_unit(0xD800 + (offset >> 10));
      append_unit(0xDC00 + (offset & 0x3FF));
    }
  }
  out += '"';
}

} // namespace jackfield::report

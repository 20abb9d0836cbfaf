#pragma once

#include <string>
#include <string_view>

namespace jackfield::report {

// Text from outside, made safe for where it is shown. All of these take any bytes: what is not
// UTF-8 becomes U+FFFD. Control characters, and the characters that reorder or hide text
// (bidirectional marks and overrides, zero-width characters), are written out as <U+202E>, so that
// nobody is shown something else than what is there.

/// For HTML and XML text and quoted attribute values.
[[nodiscard]] std::string escape_markup(std::string_view text);
/// For a terminal.
[[nodiscard]] std::string escape_terminal(std::string_view text);

/// Appends a JSON string with its quotes. Hidden characters become \u escapes, so the value is
/// unchanged for a program and visible to a person.
void append_json_string(std::string& out, std::string_view text);

} // namespace jackfield::report

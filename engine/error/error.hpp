#pragma once

#include <string>

#include <tl/expected.hpp>

namespace jackfield {

/// Why something failed, fit to be shown to a user in one line: where it was wrong, what was
/// wrong, and what was expected.
struct error {
  /// Where: an option ("--rate"), a file and line ("users.csv:12"), a peer ("udp 192.0.2.1:5060").
  std::string place;
  /// What was wrong and what was expected, without a final stop.
  std::string cause;

  /// Returns "place: cause" on one line: what was wrong may be quoted in it, so control characters
  /// are shown as \x0a.
  [[nodiscard]] std::string to_string() const;

  friend bool operator==(const error&, const error&) = default;
};

/// A value, or why there is none. Used wherever failure is a normal outcome.
template <class T>
using result = tl::expected<T, error>;

/// Makes the failed alternative of a `result`. Cold: what leads here, texts put together for a
/// user, is kept apart from the code that runs for each message.
[[nodiscard, gnu::cold]] tl::unexpected<error> fail(std::string place, std::string cause);

/// Like `fail`, with the text of an `errno` value appended: "cause: Permission denied".
[[nodiscard, gnu::cold]] tl::unexpected<error> fail_errno(std::string place, std::string cause,
                                                          int code);

} // namespace jackfield

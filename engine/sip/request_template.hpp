#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "engine/error/error.hpp"

namespace jackfield::sip {

/// A message precompiled into literal pieces and slots, printed by copying.
///
///     INVITE {target} SIP/2.0
///     Via: SIP/2.0/UDP {local};branch={branch}
///     ...
///     Content-Length: {content_length}
///
///     {sdp}
///
/// `{name}` is a slot, of letters, digits and '_'; "{{" prints one "{". `{content_length}` is the
/// size of what follows the first empty line and is no slot of the caller's. Lines may end in LF or
/// CRLF; they are printed with CRLF.
class request_template {
public:
  /// Fails, naming the line, on a mark that does not end, an empty or ill-formed name, and a text
  /// without an empty line.
  [[nodiscard]] static result<request_template> compile(std::string_view text);

  /// In the order of their first appearance; a value's place in `render`.
  [[nodiscard]] const std::vector<std::string>& slots() const noexcept { return slots_; }
  [[nodiscard]] std::optional<size_t> slot(std::string_view name) const noexcept;

  /// Appends the message to `out`, slot i printed as `values[i]`. `values` has as many as
  /// `slots()`. False, with `out` as it was, if a value in the header has CR, LF or NUL; in the
  /// body values may hold anything.
  [[nodiscard]] bool render(std::span<const std::string_view> values, std::string& out) const;

private:
  /// A literal, then a slot.
  struct piece {
    uint32_t begin = 0; // of the literal in literals_
    uint32_t size = 0;
    uint32_t slot = 0; // or one of the two below
  };
  static constexpr uint32_t no_slot = UINT32_MAX;
  static constexpr uint32_t length_slot = UINT32_MAX - 1;

  std::string literals_;
  std::vector<piece> pieces_;
  std::vector<std::string> slots_;
  size_t header_pieces_ = 0; // the pieces behind these are the body
  size_t body_literals_ = 0; // octets
};

} // namespace jackfield::sip

#pragma once

#include <string>
#include <string_view>

#include "engine/error/error.hpp"

namespace jackfield::http {

/// Does an Authorization header bear this token? Takes as long for a wrong token as for the right
/// one; only its length can be told by that.
[[nodiscard]] bool bears_token(std::string_view authorization, std::string_view token) noexcept;

/// What that file holds: 16 to 512 characters of ASCII without spaces. Fails on a file that others
/// may read, and on one that holds none.
[[nodiscard]] result<std::string> read_token(const std::string& path);

/// The token of that file. If there is none, one is made: 32 random bytes in hex, for its owner to
/// read alone. Fails as `read_token`.
[[nodiscard]] result<std::string> read_or_make_token(const std::string& path);

} // namespace jackfield::http

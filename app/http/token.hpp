#pragma once

#include <string>
#include <string_view>

#include "engine/error/error.hpp"

namespace jackfield::http {

/// Does an Authorization header bear this token? Takes as long for a wrong token as for the right
/// one; only its length can be told by that.
[[nodiscard]] bool bears_token(std::string_view authorization, std::string_view token) noexcept;

/// The token of that file. If there is none, one is made: 32 random bytes in hex, for its owner to
/// read alone. Fails on a file that others may read, and on one that holds no token.
[[nodiscard]] result<std::string> read_or_make_token(const std::string& path);

} // namespace jackfield::http

#pragma once

#include <map>
#include <span>
#include <string>
#include <string_view>

#include <tl/expected.hpp>

#include "app/http/messages.hpp"

namespace jackfield::http {

/// Reads a body that is a JSON object of texts, each of them plain (`is_plain_text`) and of at most
/// 256 bytes. `known` are the members that it may have. The answer: 415 for what is said to be no
/// JSON, 400 for all else, naming the member.
[[nodiscard]] tl::expected<std::map<std::string, std::string>, answer>
read_text_fields(const request& from, std::span<const std::string_view> known);

} // namespace jackfield::http

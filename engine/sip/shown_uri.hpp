#pragma once

#include <string>
#include <string_view>

namespace jackfield::sip {

/// What stands for a secret where something is shown.
inline constexpr std::string_view secret_hidden = "***";

/// A SIP or SIPS URI as it may be shown: its password, if it has one, is hidden. Other texts are as
/// they were.
[[nodiscard]] std::string without_password(std::string_view uri);

} // namespace jackfield::sip

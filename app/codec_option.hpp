#pragma once

#include <string_view>
#include <vector>

#include "engine/audio/codec.hpp"
#include "engine/error/error.hpp"

namespace jackfield::app {

/// Of --codecs: "opus,PCMU", in any case.
result<std::vector<audio::codec>> read_codecs(std::string_view text);

} // namespace jackfield::app

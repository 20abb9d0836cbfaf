#pragma once

#include <caf/allowed_unsafe_message_type.hpp>

/// What a leg may be told.
namespace jackfield {

/// To a leg: end it, whatever its state.
struct hang_up {};

} // namespace jackfield

CAF_ALLOW_UNSAFE_MESSAGE_TYPE(jackfield::hang_up)

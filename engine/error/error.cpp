#include "engine/error/error.hpp"

#include <system_error>

namespace jackfield {

std::string error::to_string() const {
  return place.empty() ? cause : place + ": " + cause;
}

tl::unexpected<error> fail_errno(std::string place, std::string cause, int code) {
  cause += ": ";
  cause += std::generic_category().message(code);
  return fail(std::move(place), std::move(cause));
}

} // namespace jackfield

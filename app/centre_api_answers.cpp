#include "app/centre_api_answers.hpp"

#include <utility>

namespace jackfield::app {

http::answer json_answer(std::string body, unsigned status) {
  http::answer out;
  out.status = status;
  out.body = std::move(body);
  return out;
}

http::answer nothing_said() {
  auto out = http::problem(503, "the engine did not answer in time");
  out.headers.emplace_back("Retry-After", "1");
  return out;
}

} // namespace jackfield::app

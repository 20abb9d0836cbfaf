#include "engine/report/status_matrix.hpp"

#include <algorithm>

namespace jackfield::report {

namespace {

constexpr std::array<std::string_view, counted_methods> names{
  "INVITE", "ACK",     "BYE",   "CANCEL",    "OPTIONS", "REGISTER", "PRACK", "UPDATE",
  "INFO",   "MESSAGE", "REFER", "SUBSCRIBE", "NOTIFY",  "PUBLISH",  "other"};

} // namespace

std::string_view to_string(counted_method method) noexcept {
  return names[static_cast<size_t>(method)];
}

counted_method counted_method_from(std::string_view name) noexcept {
  const auto last = names.end() - 1; // "other" is no method's name
  const auto found = std::find(names.begin(), last, name);
  return static_cast<counted_method>(found - names.begin());
}

void status_matrix::count_response(counted_method method, int status) {
  if (status >= 100 && status <= 699)
    ++responses_[index(method)][static_cast<uint16_t>(status)];
}

void status_matrix::merge(const status_matrix& other) {
  for (size_t i = 0; i < counted_methods; ++i) {
    requests_[i] += other.requests_[i];
    for (const auto& [status, count] : other.responses_[i])
      responses_[i][status] += count;
  }
}

} // namespace jackfield::report

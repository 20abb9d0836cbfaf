#include "app/http/messages.hpp"

#include <nlohmann/json.hpp>

namespace jackfield::http {

std::string_view reason_phrase(unsigned status) noexcept {
  switch (status) {
  case 200:
    return "OK";
  case 202:
    return "Accepted";
  case 400:
    return "Bad Request";
  case 401:
    return "Unauthorized";
  case 404:
    return "Not Found";
  case 405:
    return "Method Not Allowed";
  case 409:
    return "Conflict";
  case 410:
    return "Gone";
  case 413:
    return "Content Too Large";
  case 415:
    return "Unsupported Media Type";
  case 422:
    return "Unprocessable Content";
  case 431:
    return "Request Header Fields Too Large";
  case 503:
    return "Service Unavailable";
  default:
    return "";
  }
}

answer problem(unsigned status, std::string_view detail, std::string_view field) {
  nlohmann::ordered_json body;
  body["type"] = "about:blank";
  body["title"] = reason_phrase(status);
  body["status"] = status;
  body["detail"] = detail;
  if (!field.empty())
    body["field"] = field;
  // What was wrong is quoted, and may be no UTF-8.
  return {status, "application/problem+json",
          body.dump(-1, ' ', false, nlohmann::ordered_json::error_handler_t::replace) + '\n'};
}

} // namespace jackfield::http

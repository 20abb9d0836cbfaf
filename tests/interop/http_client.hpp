#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include <nlohmann/json.hpp>

namespace jackfield::tests {

struct http_answer {
  int status = 0;                             ///< 0: there was none
  std::map<std::string, std::string> headers; ///< names in lower case
  std::string body;

  /// Null if it is no JSON.
  [[nodiscard]] nlohmann::json json() const { return nlohmann::json::parse(body, nullptr, false); }
};

/// A connection to a port of 127.0.0.1. Waits for as long as the server does.
class http_connection {
public:
  explicit http_connection(uint16_t port);
  ~http_connection();
  http_connection(const http_connection&) = delete;
  http_connection& operator=(const http_connection&) = delete;

  void send(std::string_view text) const;
  /// Until the server ends the connection.
  std::string receive_all();
  /// What comes first; empty: the server ended the connection.
  [[nodiscard]] std::string receive_some() const;

private:
  int fd_;
};

struct http_question {
  std::string method = "GET";
  std::string target;
  std::vector<std::string> headers = {}; ///< "Name: value"
  std::string body = {};
};
/// Asks on a connection of its own.
http_answer ask(uint16_t port, const http_question& what);

} // namespace jackfield::tests

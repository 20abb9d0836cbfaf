#pragma once

#include <condition_variable>
#include <cstdint>
#include <functional>
#include <map>
#include <mutex>
#include <string>
#include <thread>
#include <vector>

#include <nlohmann/json.hpp>

namespace jackfield::tests {

/// Receives webhooks at a port of 127.0.0.1, one connection at a time.
class webhook_receiver {
public:
  webhook_receiver();
  ~webhook_receiver();
  webhook_receiver(const webhook_receiver&) = delete;
  webhook_receiver& operator=(const webhook_receiver&) = delete;

  [[nodiscard]] uint16_t port() const noexcept { return port_; }

  struct request {
    std::string line;                           ///< "POST /hook HTTP/1.1"
    std::map<std::string, std::string> headers; ///< names in lower case
    std::string body;
    int answered = 0;
  };
  /// The status of answers from now on; 0: there is none, and the connection stays.
  void answer_with(int status);
  /// Waits until what came so far is so.
  std::vector<request> wait_until(const std::function<bool(const std::vector<request>&)>& so);
  [[nodiscard]] std::vector<request> all() const;

private:
  void serve();
  void serve_one(int connection);

  int listener_ = -1;
  int stop_ = -1;
  uint16_t port_ = 0;
  mutable std::mutex mutex_;
  std::condition_variable changed_;
  std::vector<request> requests_;
  std::vector<int> open_; // that get no answer
  int status_ = 200;
  std::thread thread_;
};

/// Of all messages that were taken (a status of 2xx), in the order in which they came.
std::vector<nlohmann::json> events_taken(const std::vector<webhook_receiver::request>& requests);

} // namespace jackfield::tests

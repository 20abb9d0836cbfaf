#pragma once

#include <chrono>
#include <functional>
#include <memory>
#include <optional>

#include "app/http/message_source.hpp"
#include "app/http/messages.hpp"
#include "engine/error/error.hpp"
#include "engine/lane/endpoint.hpp"

namespace jackfield::http {

/// Who answers.
class handler {
public:
  using reply = http::reply;

  virtual ~handler() = default;
  /// Looks at a request without its body: an answer, and the body is not read. On the server's
  /// thread, as is the other one: neither may wait for anything.
  virtual std::optional<answer> refuse(const request& head) = 0;
  virtual void serve(request what, reply answer_with) = 0;
  /// A request that was not refused asks for a WebSocket: that, or an answer instead. On the
  /// server's thread.
  virtual tl::expected<opened_socket, answer> open_socket(const request&) {
    return opened_socket{};
  }
};

struct server_limits {
  size_t most_connections = 256; ///< those beyond get 503
  size_t most_head = 8192;       ///< bytes
  size_t most_body = 65'536;
  std::chrono::milliseconds transfer{10'000}; ///< for a head, a body, an answer
  std::chrono::milliseconds idle{30'000};     ///< between two requests
  bool one_request = false;                   ///< a connection
};

/// Serves HTTP/1.1 on a thread of its own. Whatever its clients do, or leave, costs no more than
/// its limits say. What is no HTTP gets a problem (400, 413, 431) and the connection's end.
class server {
public:
  /// Listens at `address`; port 0: one that is free. Clients wait until it runs.
  static result<server> listen(const lane::endpoint& address, const server_limits& limits,
                               handler& by);
  server(server&&) noexcept;
  /// Stops. No `reply` may be left then.
  ~server();

  [[nodiscard]] const lane::endpoint& address() const noexcept;
  void run();
  /// Joins the thread: the handler is not called any more. Answers that are given within a second
  /// are written before.
  void stop();
  /// Has the server's thread call `f`, unless it stops before.
  void call(std::function<void()> f);

private:
  class service;
  explicit server(std::unique_ptr<service> running);
  std::unique_ptr<service> service_;
};

} // namespace jackfield::http

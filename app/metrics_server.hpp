#pragma once

#include <functional>
#include <memory>

#include "engine/error/error.hpp"
#include "engine/lane/endpoint.hpp"
#include "engine/report/run_metrics.hpp"

namespace jackfield::app {

/// Serves `GET /metrics` for Prometheus on a thread of its own.
class metrics_server {
public:
  using source = std::function<std::shared_ptr<const report::run_metrics>()>;

  /// Listens at `address`. `metrics` is called on the server's thread, for each request.
  static result<metrics_server> start(const lane::endpoint& address, source metrics);
  metrics_server(metrics_server&&) noexcept;
  /// Stops and joins.
  ~metrics_server();

private:
  class service;
  explicit metrics_server(std::unique_ptr<service> running);
  std::unique_ptr<service> service_;
};

} // namespace jackfield::app

#include "app/metrics_server.hpp"

#include <optional>
#include <string>
#include <utility>

#include "app/http/server.hpp"
#include "engine/report/prometheus_text.hpp"

namespace jackfield::app {

class metrics_server::service final : private http::handler {
public:
  explicit service(source metrics) : metrics_(std::move(metrics)) {}

  result<void> open(const lane::endpoint& address) {
    http::server_limits limits;
    limits.one_request = true;
    auto made = http::server::listen(address, limits, *this);
    if (!made)
      return tl::unexpected{std::move(made.error())};
    server_.emplace(std::move(*made));
    server_->run();
    return {};
  }

private:
  std::optional<http::answer> refuse(const http::request& head) override {
    if (head.method != "GET")
      return http::answer{405, "text/plain", "", {{"Allow", "GET"}}};
    if (head.target != "/metrics")
      return http::answer{404, "text/plain", "metrics are at /metrics\n"};
    return std::nullopt;
  }
  void serve(http::request /*what*/, reply answer_with) override {
    answer_with(
      {200, std::string{report::prometheus_content_type}, report::prometheus_text(*metrics_())});
  }

  source metrics_;
  std::optional<http::server> server_;
};

metrics_server::metrics_server(std::unique_ptr<service> running) : service_(std::move(running)) {}
metrics_server::metrics_server(metrics_server&&) noexcept = default;
metrics_server::~metrics_server() = default;

result<metrics_server> metrics_server::start(const lane::endpoint& address, source metrics) {
  auto made = std::make_unique<service>(std::move(metrics));
  if (auto opened = made->open(address); !opened)
    return tl::unexpected{std::move(opened.error())};
  return metrics_server{std::move(made)};
}

} // namespace jackfield::app

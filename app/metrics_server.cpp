#include "app/metrics_server.hpp"

#include <chrono>
#include <thread>
#include <utility>

#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/beast/core.hpp>
#include <boost/beast/http.hpp>

#include "engine/report/prometheus_text.hpp"

namespace jackfield::app {

namespace {

namespace beast = boost::beast;
namespace http = beast::http;
using boost::asio::ip::tcp;

/// A scrape that takes longer is given up.
constexpr std::chrono::seconds request_limit{10};
/// Out of descriptors, say, while the calls need them all.
constexpr std::chrono::milliseconds accept_pause{500};
constexpr size_t most_request_bytes = 8192;

/// One request and its answer.
class exchange : public std::enable_shared_from_this<exchange> {
public:
  exchange(tcp::socket socket, const metrics_server::source& metrics)
      : stream_(std::move(socket)), buffer_(most_request_bytes), metrics_(metrics) {
    // nop
  }

  void run() {
    stream_.expires_after(request_limit);
    http::async_read(stream_, buffer_, request_,
                     [self = shared_from_this()](beast::error_code failed, size_t) {
                       if (!failed)
                         self->answer();
                     });
  }

private:
  void answer() {
    response_.version(request_.version());
    response_.keep_alive(false);
    if (request_.method() != http::verb::get) {
      response_.result(http::status::method_not_allowed);
      response_.set(http::field::allow, "GET");
    } else if (request_.target() != "/metrics") {
      response_.result(http::status::not_found);
      response_.body() = "metrics are at /metrics\n";
    } else {
      response_.result(http::status::ok);
      const auto type = report::prometheus_content_type;
      response_.set(http::field::content_type, beast::string_view{type.data(), type.size()});
      response_.body() = report::prometheus_text(*metrics_());
    }
    response_.prepare_payload();
    http::async_write(stream_, response_, [self = shared_from_this()](beast::error_code, size_t) {
      beast::error_code ignored;
      self->stream_.socket().shutdown(tcp::socket::shutdown_send, ignored);
    });
  }

  beast::tcp_stream stream_;
  beast::flat_buffer buffer_;
  http::request<http::empty_body> request_;
  http::response<http::string_body> response_;
  const metrics_server::source& metrics_;
};

} // namespace

class metrics_server::service {
public:
  explicit service(source metrics)
      : metrics_(std::move(metrics)), acceptor_(context_), pause_(context_) {}

  ~service() {
    context_.stop();
    if (thread_.joinable())
      thread_.join();
  }

  result<void> open(const lane::endpoint& address) {
    beast::error_code failed;
    const tcp::endpoint at{boost::asio::ip::make_address(address.address(), failed),
                           address.port()};
    if (!failed)
      acceptor_.open(at.protocol(), failed);
    if (!failed)
      acceptor_.set_option(boost::asio::socket_base::reuse_address(true), failed);
    if (!failed)
      acceptor_.bind(at, failed);
    if (!failed)
      acceptor_.listen(boost::asio::socket_base::max_listen_connections, failed);
    if (failed)
      return fail(address.to_string(), "cannot listen: " + failed.message());
    accept();
    thread_ = std::thread{[this] { context_.run(); }};
    return {};
  }

private:
  void accept() {
    acceptor_.async_accept([this](beast::error_code failed, tcp::socket socket) {
      if (!failed) {
        std::make_shared<exchange>(std::move(socket), metrics_)->run();
        accept();
        return;
      }
      pause_.expires_after(accept_pause); // it would fail again at once
      pause_.async_wait([this](beast::error_code stopped) {
        if (!stopped)
          accept();
      });
    });
  }

  source metrics_;
  boost::asio::io_context context_{1};
  tcp::acceptor acceptor_;
  boost::asio::steady_timer pause_;
  std::thread thread_;
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

#include "app/http/server.hpp"

#include <array>
#include <atomic>
#include <thread>
#include <utility>

#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/write.hpp>
#include <boost/beast/core.hpp>
#include <boost/beast/http.hpp>
#include <boost/beast/websocket/rfc6455.hpp>

#include "app/http/web_socket.hpp"

namespace jackfield::http {

namespace {

namespace beast = boost::beast;
namespace wire = beast::http;
using boost::asio::ip::tcp;

/// Out of descriptors, say, while the calls need them all.
constexpr std::chrono::milliseconds accept_pause{500};
/// For a client to read the last answer: a socket that is closed with something unread is reset.
constexpr std::chrono::seconds farewell{1};
/// So many at most are told that the house is full; those beyond are just closed.
constexpr size_t most_turned_away = 64;

beast::string_view view(std::string_view text) {
  return {text.data(), text.size()};
}

std::string text_of(beast::string_view view) {
  return {view.data(), view.size()};
}

wire::response<wire::string_body> message_of(answer&& from, bool head_only, bool keep) {
  wire::response<wire::string_body> out;
  out.version(11);
  out.result(from.status);
  out.reason(view(reason_phrase(from.status)));
  out.set(wire::field::content_type, view(from.content_type));
  out.set(wire::field::cache_control, "no-store");
  out.set("X-Content-Type-Options", "nosniff");
  for (const auto& [name, value] : from.headers)
    out.set(view(name), view(value));
  out.keep_alive(keep);
  out.content_length(from.body.size());
  if (!head_only)
    out.body() = std::move(from.body);
  return out;
}

/// One connection: its requests, one after the other.
class session : public std::enable_shared_from_this<session> {
public:
  /// `due`: answers that were promised and are not written yet.
  session(tcp::socket socket, const server_limits& limits, handler& by, std::atomic<size_t>& all,
          std::atomic<size_t>& due)
      : counted_(all), stream_(std::move(socket)), buffer_(2 * limits.most_head), limits_(limits),
        handler_(by), all_due_(due) {}

  void begin() { read_head(); }

  /// The only answer, to whatever is asked.
  void turn_away(answer with) {
    close_ = true;
    write(std::move(with));
  }

private:
  void await_next() {
    if (buffer_.size() > 0) {
      read_head();
      return;
    }
    stream_.expires_after(limits_.idle);
    stream_.async_read_some(buffer_.prepare(512),
                            [self = shared_from_this()](beast::error_code failed, size_t got) {
                              self->buffer_.commit(got);
                              if (!failed)
                                self->read_head();
                            });
  }

  void read_head() {
    parser_.emplace();
    parser_->header_limit(static_cast<uint32_t>(limits_.most_head));
    parser_->body_limit(limits_.most_body);
    request_ = {};
    stream_.expires_after(limits_.transfer);
    wire::async_read_header(stream_, buffer_, *parser_,
                            [self = shared_from_this()](beast::error_code failed, size_t) {
                              if (failed)
                                self->on_bad_input(failed);
                              else
                                self->on_head();
                            });
  }

  void on_head() {
    const auto& head = parser_->get();
    request_.method = text_of(head.method_string());
    request_.target = text_of(head.target());
    request_.authorization = text_of(head[wire::field::authorization]);
    request_.content_type = text_of(head[wire::field::content_type]);
    request_.has_idempotency_key = head.count("Idempotency-Key") > 0;
    request_.idempotency_key = text_of(head["Idempotency-Key"]);
    request_.subprotocols = text_of(head[wire::field::sec_websocket_protocol]);
    head_only_ = head.method() == wire::verb::head;
    close_ = limits_.one_request || !head.keep_alive();
    if (head.version() != 11 && head.version() != 10) {
      close_ = true;
      write(problem(400, "expected HTTP/1.1"));
      return;
    }
    const bool upgrade = beast::websocket::is_upgrade(head);
    if (auto refused = handler_.refuse(request_)) {
      close_ = close_ || upgrade || !parser_->is_done(); // its body stays unread
      write(std::move(*refused));
      return;
    }
    if (upgrade && opens_socket())
      return;
    if (!parser_->is_done() && beast::iequals(head[wire::field::expect], "100-continue"))
      promise();
    else
      read_body();
  }

  /// True: there is a WebSocket now, or an answer instead.
  bool opens_socket() {
    auto socket = handler_.open_socket(request_);
    if (!socket) {
      close_ = true;
      write(std::move(socket.error()));
      return true;
    }
    if (!socket->source)
      return false;
    open_web_socket(std::move(stream_), std::move(counted_), parser_->get(), std::move(*socket));
    return true;
  }

  void promise() {
    static constexpr std::string_view line = "HTTP/1.1 100 Continue\r\n\r\n";
    stream_.expires_after(limits_.transfer);
    boost::asio::async_write(stream_, boost::asio::buffer(line.data(), line.size()),
                             [self = shared_from_this()](beast::error_code failed, size_t) {
                               if (!failed)
                                 self->read_body();
                             });
  }

  void read_body() {
    stream_.expires_after(limits_.transfer);
    wire::async_read(stream_, buffer_, *parser_,
                     [self = shared_from_this()](beast::error_code failed, size_t) {
                       if (failed)
                         self->on_bad_input(failed);
                       else
                         self->on_request();
                     });
  }

  void on_request() {
    request_.body = std::move(parser_->get().body());
    stream_.expires_never();
    auto due = std::make_shared<counted>(all_due_);
    handler_.serve(std::move(request_), [self = shared_from_this(), due](answer with) {
      boost::asio::post(self->stream_.get_executor(),
                        [self, due, with = std::move(with)]() mutable {
                          self->due_ = std::move(due);
                          self->write(std::move(with));
                        });
    });
  }

  void on_bad_input(beast::error_code why) {
    if (why.category() != make_error_code(wire::error::bad_method).category())
      return; // it is gone, or was too slow
    if (why == wire::error::end_of_stream || why == wire::error::partial_message)
      return;
    close_ = true;
    if (why == wire::error::body_limit)
      write(
        problem(413, "the body is longer than " + std::to_string(limits_.most_body) + " bytes"));
    else if (why == wire::error::header_limit || why == wire::error::buffer_overflow)
      write(
        problem(431, "the head is longer than " + std::to_string(limits_.most_head) + " bytes"));
    else
      write(problem(400, "this is no HTTP: " + why.message()));
  }

  void write(answer with) {
    response_.emplace(message_of(std::move(with), head_only_, !close_));
    serializer_.emplace(*response_);
    serializer_->split(false);
    stream_.expires_after(limits_.transfer);
    // A HEAD's answer tells a length, and has no body.
    if (head_only_)
      wire::async_write_header(stream_, *serializer_,
                               [self = shared_from_this()](beast::error_code failed, size_t) {
                                 self->on_written(failed);
                               });
    else
      wire::async_write(stream_, *serializer_,
                        [self = shared_from_this()](beast::error_code failed, size_t) {
                          self->on_written(failed);
                        });
  }

  void on_written(beast::error_code failed) {
    serializer_.reset();
    response_.reset();
    due_ = nullptr;
    if (failed)
      return;
    if (!close_) {
      await_next();
      return;
    }
    beast::error_code ignored;
    stream_.socket().shutdown(tcp::socket::shutdown_send, ignored);
    stream_.expires_after(farewell);
    drain();
  }

  void drain() {
    stream_.async_read_some(boost::asio::buffer(rest_),
                            [self = shared_from_this()](beast::error_code failed, size_t got) {
                              self->drained_ += got;
                              if (!failed && self->drained_ < 4 * self->limits_.most_body)
                                self->drain();
                            });
  }

  counted counted_;
  beast::tcp_stream stream_;
  beast::flat_buffer buffer_;
  const server_limits& limits_;
  handler& handler_;
  std::atomic<size_t>& all_due_;
  std::shared_ptr<counted> due_; // an answer that is written
  std::optional<wire::request_parser<wire::string_body>> parser_;
  request request_;
  std::optional<wire::response<wire::string_body>> response_;
  std::optional<wire::response_serializer<wire::string_body>> serializer_;
  std::array<char, 1024> rest_{};
  size_t drained_ = 0;
  bool head_only_ = false;
  bool close_ = false;
};

} // namespace

class server::service {
public:
  service(const server_limits& limits, handler& by)
      : limits_(limits), handler_(by), acceptor_(context_), pause_(context_) {}

  ~service() { stop(); }

  void stop() {
    if (!thread_.joinable())
      return;
    boost::asio::post(context_,
                      [this] { stop_when_told(std::chrono::milliseconds{farewell} / last_looks); });
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
    if (!failed)
      address_ = address.with_port(acceptor_.local_endpoint(failed).port());
    if (failed)
      return fail(address.to_string(), "cannot listen: " + failed.message());
    return {};
  }

  void run() {
    accept();
    thread_ = std::thread{[this] { context_.run(); }};
  }

  [[nodiscard]] const lane::endpoint& address() const noexcept { return address_; }

  void call(std::function<void()> f) { boost::asio::post(context_, std::move(f)); }

private:
  static constexpr int last_looks = 100;

  // Whoever was promised an answer gets it, if it comes soon.
  void stop_when_told(std::chrono::milliseconds between, int looks = last_looks) {
    if (due_ == 0 || looks == 0) {
      context_.stop();
      return;
    }
    pause_.expires_after(between);
    pause_.async_wait(
      [this, between, looks](beast::error_code) { stop_when_told(between, looks - 1); });
  }

  void accept() {
    acceptor_.async_accept([this](beast::error_code failed, tcp::socket socket) {
      if (!failed) {
        admit(std::move(socket));
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

  void admit(tcp::socket socket) {
    if (open_ < limits_.most_connections) {
      std::make_shared<session>(std::move(socket), limits_, handler_, open_, due_)->begin();
    } else if (turned_away_ < most_turned_away) {
      auto full = problem(503, "there are too many connections");
      full.headers.emplace_back("Retry-After", "5");
      std::make_shared<session>(std::move(socket), limits_, handler_, turned_away_, due_)
        ->turn_away(std::move(full));
    }
  }

  const server_limits limits_;
  handler& handler_;
  lane::endpoint address_;
  std::atomic<size_t> open_{0}; // outlive the sessions, which the context ends
  std::atomic<size_t> turned_away_{0};
  std::atomic<size_t> due_{0};
  boost::asio::io_context context_{1};
  tcp::acceptor acceptor_;
  boost::asio::steady_timer pause_;
  std::thread thread_;
};

server::server(std::unique_ptr<service> running) : service_(std::move(running)) {}
server::server(server&&) noexcept = default;
server::~server() = default;

result<server> server::listen(const lane::endpoint& address, const server_limits& limits,
                              handler& by) {
  auto made = std::make_unique<service>(limits, by);
  if (auto opened = made->open(address); !opened)
    return tl::unexpected{std::move(opened.error())};
  return server{std::move(made)};
}

const lane::endpoint& server::address() const noexcept {
  return service_->address();
}

void server::run() {
  service_->run();
}

void server::stop() {
  service_->stop();
}

void server::call(std::function<void()> f) {
  service_->call(std::move(f));
}

} // namespace jackfield::http

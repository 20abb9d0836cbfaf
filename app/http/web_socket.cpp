#include "app/http/web_socket.hpp"

#include <chrono>
#include <utility>

#include <boost/asio/post.hpp>
#include <boost/beast/core.hpp>
#include <boost/beast/websocket.hpp>
#include <nlohmann/json.hpp>

namespace jackfield::http {

namespace {

namespace beast = boost::beast;
namespace websocket = beast::websocket;

/// A client has nothing to say.
constexpr size_t longest_heard = 4096;
constexpr uint16_t first_private_code = 4000; // RFC 6455 §7.4.2
constexpr size_t longest_reason = 123;        // bytes; RFC 6455 §5.5

/// Why the source has no more, as a close frame has room for.
websocket::close_reason reason_of(const answer& problem) {
  auto detail = nlohmann::json::parse(problem.body, nullptr, false).value("detail", std::string{});
  while (detail.size() > longest_reason)
    do // a character is left out whole
      detail.pop_back();
    while (!detail.empty() && (static_cast<unsigned char>(detail.back()) & 0xC0U) == 0x80U);
  return {static_cast<websocket::close_code>(first_private_code + problem.status),
          beast::string_view{detail.data(), detail.size()}};
}

class web_socket : public std::enable_shared_from_this<web_socket> {
public:
  web_socket(beast::tcp_stream stream, counted connection, opened_socket how)
      : connection_(std::move(connection)), stream_(std::move(stream)),
        source_(std::move(how.source)), subprotocol_(std::move(how.subprotocol)) {}

  void begin(const beast::http::request<beast::http::string_body>& request) {
    beast::get_lowest_layer(stream_).expires_never();
    stream_.set_option(
      websocket::stream_base::timeout{std::chrono::seconds{10}, std::chrono::seconds{30}, true});
    stream_.read_message_max(longest_heard);
    stream_.text(true);
    stream_.set_option(
      websocket::stream_base::decorator([subprotocol = subprotocol_](websocket::response_type& r) {
        r.set(beast::http::field::cache_control, "no-store");
        if (!subprotocol.empty())
          r.set(beast::http::field::sec_websocket_protocol, subprotocol);
      }));
    stream_.async_accept(request, [self = shared_from_this()](beast::error_code failed) {
      if (failed)
        return;
      self->hear();
      self->ask();
    });
  }

private:
  // Also what pings and a close are seen by.
  void hear() {
    stream_.async_read(heard_, [self = shared_from_this()](beast::error_code failed, size_t got) {
      if (failed) {
        self->source_.reset(); // lets go of what waits for it
        return;
      }
      self->heard_.consume(got);
      self->hear();
    });
  }

  void ask() {
    if (!source_)
      return;
    source_->next([self = shared_from_this()](answer next) {
      boost::asio::post(self->stream_.get_executor(),
                        [self, next = std::move(next)]() mutable { self->tell(std::move(next)); });
    });
  }

  void tell(answer next) {
    if (!source_)
      return;
    if (next.status != 200) {
      source_.reset();
      stream_.async_close(reason_of(next), [self = shared_from_this()](beast::error_code) {});
      return;
    }
    said_ = std::move(next.body);
    stream_.async_write(boost::asio::buffer(said_),
                        [self = shared_from_this()](beast::error_code failed, size_t) {
                          if (failed)
                            self->source_.reset();
                          else
                            self->ask();
                        });
  }

  counted connection_;
  websocket::stream<beast::tcp_stream> stream_;
  std::unique_ptr<message_source> source_; // null: it is over
  std::string subprotocol_;
  beast::flat_buffer heard_;
  std::string said_;
};

} // namespace

void open_web_socket(beast::tcp_stream stream, counted connection,
                     const beast::http::request<beast::http::string_body>& request,
                     opened_socket how) {
  std::make_shared<web_socket>(std::move(stream), std::move(connection), std::move(how))
    ->begin(request);
}

} // namespace jackfield::http
